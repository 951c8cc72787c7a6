"""Tasks whose goal is given, not read from a sentence: fixed spots, and one thing after another.

They say whatever `instruction` they are given, so that what a place is called ("the 3", "the
fruit") is the business of whoever lays it there. The seven families of the original, which draw
and understand their own sentences, are in `tasks`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sayact.envs.language_table.state import TableState
from sayact.envs.language_table.task import Point, Task
from sayact.schema.errors import SayactError

SPOT_TOLERANCE = 0.05  # metres: as near as block2block has to come


@dataclass(frozen=True, kw_only=True)
class Block2Spot(Task):
    """Push a block to a fixed spot of the board."""

    family = "block2spot"
    tolerance: float = SPOT_TOLERANCE
    goal_xy: tuple[float, float]

    def __post_init__(self) -> None:
        if self.pushed is None:
            raise SayactError("Block2Spot needs `pushed`, the block to push; see also Point2Spot")

    def goal(self, state: TableState) -> Point:
        return np.array(self.goal_xy)


@dataclass(frozen=True, kw_only=True)
class Point2Spot(Task):
    """Move the effector (its set-point) to a fixed spot of the board."""

    family = "point2spot"
    tolerance: float = SPOT_TOLERANCE
    goal_xy: tuple[float, float]

    def goal(self, state: TableState) -> Point:
        return np.array(self.goal_xy)


@dataclass(frozen=True, kw_only=True)
class Stages(Task):
    """Tasks to be done in order; done once the last one is. Made by `in_order`.

    A stage that was done once stays done, whatever becomes of it afterwards. `pushed`, `target` and
    `tolerance` are those of the stage that is on.
    """

    family = "stages"
    stages: tuple[Task, ...]
    on: int = 0  # index of the stage to be done now

    @property
    def now(self) -> Task:
        return self.stages[self.on].now

    def goal(self, state: TableState) -> Point:
        return self.now.goal(state)

    def mover(self, state: TableState) -> Point:
        return self.now.mover(state)

    def success(self, state: TableState) -> bool:
        return self.on == len(self.stages) - 1 and self.now.success(state)

    def advanced(self, state: TableState) -> "Stages":
        if self.on == len(self.stages) - 1 or not self.now.success(state):
            return self
        following = self.stages[self.on + 1]
        return replace(
            self,
            on=self.on + 1,
            pushed=following.pushed,
            target=following.target,
            tolerance=following.tolerance,
        )

    def blocks(self) -> Iterator[str]:
        for stage in self.stages:
            yield from stage.blocks()


def in_order(instruction: str, *stages: Task) -> Stages:
    """First the first, then the next; what the stages themselves say is not said."""
    if not stages:
        raise SayactError("in_order needs at least one task")
    first = stages[0]
    return Stages(
        instruction=instruction,
        stages=stages,
        pushed=first.pushed,
        target=first.target,
        tolerance=first.tolerance,
    )
