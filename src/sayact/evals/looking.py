"""Does a policy look at the right things? Asked on the first pictures of suites, nothing is played.

    suite ─▶ starts ─▶ picture, sentence ─▶ look ─▶ at what must be moved? at the goal?

Seconds where playing takes minutes, and half of the answer to why an episode fails.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from rich.console import Console

from sayact.envs.language_table.camera import PICTURE, unproject
from sayact.envs.language_table.simulator import Simulator
from sayact.envs.language_table.start import Start
from sayact.envs.language_table.state import TableState
from sayact.evals.provenance import policy_title, provenance
from sayact.evals.suites.catalogue import SUITES
from sayact.evals.suites.sheet import Ink, Marks
from sayact.evals.suites.suite import first_sight, starts
from sayact.policies.looking import GOAL, MOVED, look
from sayact.policies.rt2 import RT2Policy
from sayact.schema import Observation
from sayact.schema.errors import SayactError

MOVED_INK, GOAL_INK = (232, 119, 34), (0, 200, 255)  # of rings in pictures
NEAR_BLOCK = 0.04  # metres from its middle: twice a block's radius


@dataclass(frozen=True, kw_only=True)
class Looked:
    """At how many of a suite's starts a policy looked at what must be moved, and at its goal."""

    suite: str
    asked: int
    moved: int
    goal: int


def looking(
    policies: Mapping[str, RT2Policy],
    suites: Sequence[str],
    *,
    episodes: int,
    seed: int,
    console: Console | None = None,
) -> dict[str, Any]:
    """Every policy, by its name, on every suite; a table's content as JSON."""
    if episodes < 1:
        raise SayactError(f"at least 1 start of every suite is looked at; got {episodes}")
    console = console or Console(stderr=True)
    rows: list[dict[str, Any]] = [
        {"policy": policy_title(name), "looked": list[dict[str, Any]]()} for name in policies
    ]
    simulator = Simulator()
    try:
        for suite in suites:
            with console.status(f"looking: {suite}"):
                shown = [
                    (start, first_sight(simulator, start), simulator.state())
                    for start in starts(SUITES[suite], seed=seed, episodes=episodes)
                ]
                for row, policy in zip(rows, policies.values(), strict=True):
                    row["looked"].append(asdict(judge(policy, suite, shown)))
    finally:
        simulator.close()
    return {"looking": {"episodes": episodes, "seed": seed}, "rows": rows, **provenance()}


def judge(
    policy: RT2Policy, suite: str, shown: Sequence[tuple[Start, Observation, TableState]]
) -> Looked:
    """Distances are measured on the board, under the camera of each start.

    A goal is looked at from as near as a push has to bring the block: 5 cm for a block or a plate,
    10 cm or more for places and directions. One outside the picture can only be looked at its edge.
    """
    places = look(policy, [observation for _, observation, _ in shown])
    moved = goal = 0
    for (start, _, state), found in zip(shown, places, strict=True):
        seen = unproject(found * np.array(PICTURE[::-1]), view=start.setting.view)
        moved += bool(np.hypot(*(seen[MOVED] - start.task.mover(state))) <= NEAR_BLOCK)
        goal += bool(np.hypot(*(seen[GOAL] - start.task.goal(state))) <= start.task.tolerance)
    return Looked(suite=suite, asked=len(shown), moved=moved, goal=goal)


def rings(policy: RT2Policy) -> Marks:
    """For a contact sheet: orange about what it would move, blue about the goal."""

    def marks(seen: Observation) -> dict[Ink, Sequence[float]]:
        (places,) = look(policy, [seen]).tolist()
        return {MOVED_INK: places[MOVED], GOAL_INK: places[GOAL]}

    return marks
