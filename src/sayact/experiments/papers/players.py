"""Who plays, and what: arms, the same with a plan, baselines, and whoever is named beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sayact.evals.provenance import policy_title
from sayact.experiments.papers.arms import Arm
from sayact.experiments.papers.training import Workshop
from sayact.schema.errors import SayactError

PLANNED = "rt2-plan"
PLAN_EVERY = 10  # steps between two plans: a second at 10 Hz


@dataclass(frozen=True, kw_only=True)
class Player:
    """A policy with a name for tables. policy: what `load_policy` takes.

    learned: "here", by demonstrations without the held-out pairs; "elsewhere"; or it did not.
    """

    name: str
    title: str
    policy: str
    tier: Literal["main", "ablation", "planned"]
    model: Literal["rt1", "rt2", "baseline"] = "baseline"
    learned: Literal["here", "elsewhere", "no"] = "no"
    plan_every: int | None = None


def players_of(
    workshop: Workshop, arms: Sequence[Arm], beside: Sequence[str] = ()
) -> tuple[Player, ...]:
    """In the order of tables: baselines, main arms, what is beside them, ablations."""
    acting = [_of_arm(workshop, arm) for arm in arms if arm.model != "web"]
    main = [player for player in acting if player.tier == "main"]
    planned = [
        Player(
            name=PLANNED,
            title="RT-2, with a plan",
            policy=player.policy,
            tier="planned",
            model="rt2",
            learned=player.learned,
            plan_every=PLAN_EVERY,
        )
        for player in main
        if player.model == "rt2"
    ]
    guests = [
        Player(
            name=policy_title(policy),
            title=policy_title(policy),
            policy=policy,
            tier="main",
            learned="elsewhere",
        )
        for policy in beside
    ]
    baselines = [
        Player(name=name, title=name, policy=name, tier="main") for name in ("random", "oracle")
    ]
    ablations = [player for player in acting if player.tier == "ablation"]
    players = (*baselines, *main, *planned, *guests, *ablations)
    names = [player.name for player in players]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise SayactError(
            f"two players would be called {', '.join(twice)}; what is named with --beside needs "
            "folders of other names than the arms and the baselines have"
        )
    return players


def _of_arm(workshop: Workshop, arm: Arm) -> Player:
    assert arm.model != "web"
    return Player(
        name=arm.name,
        title=arm.title,
        policy=workshop.policy(arm.name),
        tier="main" if arm.tier == "main" else "ablation",
        model=arm.model,
        learned="elsewhere" if arm.name in workshop.trained else "here",
    )
