"""What a budget buys: steps of every arm, demonstrations, pictures, starts of every suite.

    hours × workers ──▶ training 68 %   steps: an ablation's is 1, see SHARES
                        playing  20 %   starts of every suite
                        making    7 %   demonstrations, pictures of the web
                        the rest        starting, shrinking pictures, drawing figures

A plan is made once and kept in the experiment's folder: who goes on goes on with the same one.
"""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sayact.config import from_json, to_json
from sayact.data.layout import write_json
from sayact.evals.suites.laying import HELD_OUT_PAIRS
from sayact.experiments.papers.arms import Arm
from sayact.experiments.papers.speed import Speed
from sayact.experiments.papers.suites import ablation_suites, main_suites, planned_suites
from sayact.schema.errors import SayactError

PLAN = "plan.json"
HOUR = 3600.0  # seconds
UNITS = {"m": 1 / 60, "h": 1.0, "d": 24.0}  # hours

TRAINING, PLAYING, MAKING = 0.68, 0.20, 0.07  # of the budget

# Steps against an ablation's of RT-2. Pointing is learned late on the web, and RT-1's steps are
# quick (results/rt2-nano-web.md). RT-2's ablations need theirs: after 2,326 steps of pointing and
# 720 of acting hardly any could push a block (results/papers-on-a-desk-720-steps.md).
SHARES = {
    "web": 1.0,
    "grounding": 0.8,
    "rt1": 1.5,
    "main": 1.25,
    "pointing": 1.0,
    "rt1 ablation": 1.0,
    "ablation": 1.0,
}
# What more would be waste, by the curves of results/rt2-nano.md and results/rt1-nano.md.
MOST_STEPS = {
    "web": 6_000,
    "grounding": 6_000,
    "rt1": 12_000,
    "main": 12_000,
    "pointing": 9_000,
    "rt1 ablation": 9_000,
    "ablation": 6_000,
}
FEWEST_STEPS = 100
TINY_STEPS, TINY_HOURS = 20, 0.03

# Seconds of one thread for an episode, failures included. A step of a small network is mostly the
# way there, and takes much the same where training takes three times as long.
EPISODE = {"rt2": 2.4, "rt1": 1.2, "baseline": 0.8, "ablation": 1.5}
FEWEST_STARTS, MOST_STARTS = 5, 50
ABLATIONS_PART = 0.6  # of the time for playing, where main arms play too

DEMONSTRATION, PICTURE = 0.3, 0.02  # seconds of one thread for making one
MOST_EPISODES, FEWEST_EPISODES = 5_000, 200
MOST_PICTURES, FEWEST_PICTURES = 40_000, 2_000
PAGES = 0.3  # drawn pages for every render of a table, as in rt2_web_pretraining


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All numbers of an experiment but those of its networks.

    hours: of the clock, with `workers` processes. arms: for which it was made. steps: by kind
    (`kind_of`). starts, ablation_starts: of every suite that main arms and ablations play.
    episodes: demonstrations, less those of the `held_out` pairs of family and block. seconds:
    expected of one thread, by what is done.
    """

    hours: float
    workers: int
    seed: int
    arms: tuple[str, ...]
    steps: dict[str, int]
    starts: int
    ablation_starts: int
    episodes: int
    pictures: int
    pages: int
    speed: Speed
    held_out: tuple[tuple[str, str], ...] = HELD_OUT_PAIRS
    tiny: bool = False
    seconds: dict[str, float] = field(default_factory=dict[str, float])

    def steps_of(self, arm: Arm) -> int:
        return self.steps[kind_of(arm)]

    def seconds_of(self, arm: Arm) -> float:
        """Expected to train an arm, of one thread."""
        return self.steps_of(arm) * seconds_a_step(arm, self.speed)

    def suites_of(self, tier: str, model: str) -> tuple[str, ...]:
        """What a player of this tier plays: "main", "ablation" or "planned"."""
        if tier == "planned":
            return planned_suites(self.tiny)
        return main_suites(self.tiny) if tier == "main" else ablation_suites(self.tiny, model)

    def starts_of(self, tier: str) -> int:
        return self.ablation_starts if tier == "ablation" else self.starts


def make_plan(
    arms: Sequence[Arm],
    speed: Speed,
    *,
    hours: float,
    workers: int = 2,
    seed: int = 0,
    given: Collection[str] = (),
    beside: int = 0,
    made: Collection[str] = (),
) -> Plan:
    """`arms` are trained, but for those that are `given`, and play; `beside`: how many more
    policies play what the main arms do; `made`: of "data" and "web" what is there already."""
    budget = hours * HOUR * max(workers, 1)
    trained = [arm for arm in arms if arm.name not in given]
    unit = sum(SHARES[kind_of(arm)] * seconds_a_step(arm, speed) for arm in trained)
    scale = TRAINING * budget / max(unit, 1e-9)
    steps = {
        kind: _within(share * scale, FEWEST_STEPS, MOST_STEPS[kind])
        for kind, share in SHARES.items()
    }
    each = MAKING * budget / max(2 - len(made), 1)
    pictures = _within(each / PICTURE / (1 + PAGES), FEWEST_PICTURES, MOST_PICTURES)
    main, ablation = _starts(arms, PLAYING * budget, beside)
    plan = Plan(
        hours=hours,
        workers=workers,
        seed=seed,
        arms=tuple(arm.name for arm in arms),
        steps=steps,
        starts=main,
        ablation_starts=ablation,
        episodes=_within(each / DEMONSTRATION, FEWEST_EPISODES, MOST_EPISODES),
        pictures=pictures,
        pages=round(PAGES * pictures),
        speed=speed,
    )
    seconds = {
        "making": (0 if "data" in made else plan.episodes * DEMONSTRATION)
        + (0 if "web" in made else (plan.pictures + plan.pages) * PICTURE),
        "training": sum(plan.seconds_of(arm) for arm in trained),
        "playing": _playing(arms, beside, main, ablation),
    }
    return replace(plan, seconds=seconds)


def with_starts(plan: Plan, starts: int, arms: Sequence[Arm], beside: int) -> Plan:
    """The plan with so many starts of every suite."""
    playing = {"playing": _playing(arms, beside, starts, starts)}
    return replace(plan, starts=starts, ablation_starts=starts, seconds=plan.seconds | playing)


def tiny_plan(workers: int, seed: int, arms: Sequence[Arm] = ()) -> Plan:
    """Little of everything, to see that the path works."""
    return Plan(
        hours=TINY_HOURS,
        workers=workers,
        seed=seed,
        arms=tuple(arm.name for arm in arms),
        steps=dict.fromkeys(SHARES, TINY_STEPS),
        starts=2,
        ablation_starts=1,
        episodes=14,
        pictures=24,
        pages=8,
        speed=Speed(rt1=0.1, rt1_micro=0.1, nano=0.1, micro=0.1, pico=0.1),
        tiny=True,
    )


def keep_plan(plan: Plan, out: Path) -> Plan:
    """The plan of the folder, with as many workers as this one; or this one, which is then written.

    Raises SayactError where that was made with another budget or seed, or for other arms: what a
    budget buys depends on them.
    """
    path = out / PLAN
    if not path.exists():
        write_json(path, to_json(plan))
        return plan
    try:
        kept = from_json(Plan, json.loads(path.read_text()))
    except (SayactError, ValueError) as error:
        raise SayactError(
            f"{path} was written by another version of sayact; give another --out, and what was "
            f"measured here with --earlier ({error})"
        ) from error
    told = f"{out} was planned for {kept.hours:g} h with the seed {kept.seed}"
    if (kept.hours, kept.tiny, kept.seed) != (plan.hours, plan.tiny, plan.seed):
        raise SayactError(
            f"{told}{', tiny' if kept.tiny else ''}; go on with that, or give another --out"
        )
    if more := sorted(set(plan.arms) - set(kept.arms)):
        raise SayactError(
            f"{told} and without the arms {', '.join(more)}; give another --out for them, and "
            f"--earlier {out}/papers-on-a-desk.json to have all on one page"
        )
    return replace(kept, workers=plan.workers)


def kind_of(arm: Arm) -> str:
    """What a number of steps is planned for: a name of `SHARES`."""
    if arm.model == "rt1":
        return "rt1" if arm.tier == "main" else "rt1 ablation"
    return arm.tier


def seconds_a_step(arm: Arm, speed: Speed) -> float:
    return speed.of(arm.model, arm.size)


def hours_of(budget: str) -> float:
    """ "3h", "90m" and "1.5d" in hours. Raises SayactError for anything else."""
    read = re.fullmatch(r"(\d+(?:\.\d+)?)([mhd])", budget.strip())
    hours = float(read[1]) * UNITS[read[2]] if read else 0.0
    if hours <= 0:
        raise SayactError(f"a budget is a time, such as 90m, 3h or 1d; got {budget!r}")
    return hours


def _starts(arms: Sequence[Arm], seconds: float, beside: int) -> tuple[int, int]:
    """Starts of each suite that main arms and ablations play in so much time."""
    one, other = _playing(arms, beside, 1, 0), _playing(arms, beside, 0, 1)
    if all(arm.tier != "main" for arm in arms):  # baselines play as many starts as ablations
        starts = _within(seconds / (one + other), FEWEST_STARTS, MOST_STARTS)
        return starts, starts
    part = ABLATIONS_PART if other else 0.0
    starts = _within((1 - part) * seconds / one, FEWEST_STARTS, MOST_STARTS)
    if not other:
        return starts, starts
    return starts, min(starts, _within(part * seconds / other, FEWEST_STARTS, MOST_STARTS))


def _playing(arms: Sequence[Arm], beside: int, main: int, ablation: int) -> float:
    """Seconds of one thread that so many starts of each suite take."""
    acting = [EPISODE[arm.model] for arm in arms if arm.tier == "main"]
    everything = [*acting, *[EPISODE["baseline"]] * 2, *[EPISODE["rt2"]] * beside]
    planned = EPISODE["rt2"] * len(planned_suites(False)) if acting else 0.0
    ablations = sum(len(ablation_suites(False, a.model)) for a in arms if a.tier == "ablation")
    one = sum(everything) * len(main_suites(False)) + planned
    return main * one + ablation * EPISODE["ablation"] * ablations


def _within(number: float, fewest: int, most: int) -> int:
    return max(fewest, min(most, round(number)))
