"""What a task is: a sentence, a goal in metres, and when it is done. The kinds are in `tasks`."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np
from jaxtyping import Float64

from sayact.envs.language_table.blocks import POLE
from sayact.envs.language_table.state import TableState
from sayact.schema.errors import SayactError

Point = Float64[np.ndarray, "2"]
Option = TypeVar("Option")


class StartRejected(SayactError):
    """The family has no task for this arrangement of blocks; draw another."""


@dataclass(frozen=True, kw_only=True)
class Task(ABC):
    """One thing to do, said in one sentence.

    pushed: the block that must move; None where the effector itself must go to `target`.
    target: the block that the goal refers to, if any.
    tolerance: success is nearer to the goal than this (`separate` and `block2block_relative` say
        more in their `success`).
    """

    family: ClassVar[str]

    instruction: str
    pushed: str | None = None
    target: str | None = None
    tolerance: float

    @abstractmethod
    def goal(self, state: TableState) -> Point:
        """Where the pushed block (or the effector's set-point) must get to, as things stand now."""

    def success(self, state: TableState) -> bool:
        return gap(self.mover(state), self.goal(state)) < self.tolerance

    def mover(self, state: TableState) -> Point:
        """Where the thing is that must reach the goal: the pushed block, or the set-point."""
        return state.effector_target_xy if self.pushed is None else state.xy(self.pushed)

    def memory(self) -> dict[str, Any]:
        """What the task keeps from its start and the sentence does not tell; plain JSON values."""
        return {}

    @property
    def now(self) -> "Task":
        """What is to be done at present: itself, but for a task of several stages."""
        return self

    def advanced(self, state: TableState) -> "Task":
        """The task as it goes on from here; asked once after every step."""
        return self

    def blocks(self) -> Iterator[str]:
        """The blocks that must be on the table."""
        yield from (block for block in (self.pushed, self.target) if block is not None)


@dataclass(frozen=True, kw_only=True)
class DrawnTask(Task):
    """A task of a family that draws its own starts and words, and understands them."""

    least_blocks: ClassVar[int] = 1  # on the table, for the family to have any task

    @classmethod
    @abstractmethod
    def draw(cls, state: TableState, rng: np.random.Generator) -> "DrawnTask | None":
        """Draw a task and its wording for this state; None declines the state."""

    @classmethod
    @abstractmethod
    def from_words(cls, state: TableState, instruction: str, *arguments: Any) -> "DrawnTask | None":
        """The task of a sentence understood as `arguments` (see `words.understand`).

        The state is taken for the start. None where the sentence does not settle the task.
        """

    @classmethod
    def sample(cls, state: TableState, rng: np.random.Generator) -> "DrawnTask":
        """As `draw`, but a declined start raises StartRejected."""
        task = cls.draw(state, rng)
        if task is None:
            raise StartRejected(f"{cls.family} has no task for these blocks: {state.blocks}")
        return task


def movable(state: TableState) -> tuple[str, ...]:
    """The blocks that tasks are about: all but the pole, which no sentence of theirs names."""
    return tuple(block for block in state.blocks if block != POLE)


def pick(options: Sequence[Option], rng: np.random.Generator) -> Option:
    return options[int(rng.integers(len(options)))]


def pick_two(options: Sequence[Option], rng: np.random.Generator) -> tuple[Option, Option]:
    """Two different ones, in order."""
    first, second = int(rng.integers(len(options))), int(rng.integers(len(options) - 1))
    return options[first], options[second + (second >= first)]


def gap(a: Sequence[float] | Point, b: Sequence[float] | Point) -> float:
    return math.hypot(a[0] - b[0], a[1] - b[1])


def named(block: str | None) -> str:
    assert block is not None  # holds by construction in the families that have a target
    return block
