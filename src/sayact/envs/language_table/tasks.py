"""The seven task families: what is drawn, what counts as done, which starts are declined.

Each family is a class; its instances are the tasks. `FAMILIES[name].draw(state, rng)` draws a task
for blocks at rest, wording included, or declines the start with None. Rules and thresholds:
Language-Table, commit 5b7bf0e. Metres throughout; a distance between blocks is one of centres.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sayact.envs.language_table import words
from sayact.envs.language_table.state import TableState
from sayact.envs.language_table.task import (
    DrawnTask,
    Point,
    gap,
    movable,
    named,
    pick,
    pick_two,
)
from sayact.envs.language_table.workspace import (
    INNER_HIGH,
    INNER_LOW,
    X_MAX,
    X_MIN,
    Y_MAX,
    Y_MIN,
    inside_inner,
)
from sayact.schema.errors import UnknownNameError

# Block2block and point2block: success is nearer than this …
TOUCHING = 0.05
# … and a start must be at least this far from it.
LEAST_START_DISTANCE = TOUCHING + 0.01
PAIR_DRAWS = 11  # draws before the start is declined


class Block2Block(DrawnTask):
    """Push one block to another."""

    family = "block2block"
    least_blocks = 2

    def goal(self, state: TableState) -> Point:
        return state.xy(named(self.target))

    @classmethod
    def draw(cls, state: TableState, rng: np.random.Generator) -> DrawnTask | None:
        for _ in range(PAIR_DRAWS):
            block, target = pick_two(movable(state), rng)
            if gap(state.xy(block), state.xy(target)) >= LEAST_START_DISTANCE:
                phrase = words.block2block(tuple(state.blocks), block, target)
                return cls.from_words(state, words.say(phrase, rng), block, target)
        return None

    @classmethod
    def from_words(cls, state: TableState, instruction: str, *arguments: Any) -> DrawnTask:
        block, target = arguments
        return cls(instruction=instruction, pushed=block, target=target, tolerance=TOUCHING)


# The nine places hang on the bounds of the effector, shifted 2.5 cm towards the robot because the
# bounds are not centred on the board.
PLACE_SHIFT = 0.025
_ROWS = {"top": X_MIN - PLACE_SHIFT, "center": (X_MIN + X_MAX) / 2 - PLACE_SHIFT}
_ROWS["bottom"] = X_MAX - PLACE_SHIFT
_COLUMNS = {"": 0.0, "_left": Y_MIN, "_right": Y_MAX}
PLACES = {row + col: np.array([x, y]) for row, x in _ROWS.items() for col, y in _COLUMNS.items()}
PLACE_TOLERANCE = 0.115
CENTER_TOLERANCE = 0.10


@dataclass(frozen=True, kw_only=True)
class Block2Absolute(DrawnTask):
    """Push a block to one of nine places of the board."""

    family = "block2absolute"
    place: str

    def goal(self, state: TableState) -> Point:
        return PLACES[self.place]

    @classmethod
    def draw(cls, state: TableState, rng: np.random.Generator) -> DrawnTask | None:
        block, place = pick(movable(state), rng), pick(tuple(PLACES), rng)
        phrase = words.block2absolute(tuple(state.blocks), block, place)
        task = cls.from_words(state, words.say(phrase, rng), block, place)
        return None if task.success(state) else task

    @classmethod
    def from_words(cls, state: TableState, instruction: str, *arguments: Any) -> DrawnTask:
        block, place = arguments
        tolerance = CENTER_TOLERANCE if place == "center" else PLACE_TOLERANCE
        return cls(instruction=instruction, pushed=block, place=place, tolerance=tolerance)


# Up in the picture is towards the robot, -x; left is -y.
_SIGNS = {"up": (-1.0, 0.0), "down": (1.0, 0.0), "left": (0.0, -1.0), "right": (0.0, 1.0)}
DIRECTIONS = {
    direction: np.sum([_SIGNS[part] for part in direction.split("_")], axis=0)
    for direction in words.DIRECTIONS
}
RELATIVE_DISTANCES = {"near": 0.15, "far": 0.25}
# Generous: a near push counts after about 5 cm, a far one after 15 cm.
RELATIVE_TOLERANCE = 0.10
DIRECTION_DRAWS = 101  # draws before the start is declined


@dataclass(frozen=True, kw_only=True)
class Block2Relative(DrawnTask):
    """Push a block some way in one of eight directions, to a point fixed at the start."""

    family = "block2relative"
    goal_xy: tuple[float, float]

    def goal(self, state: TableState) -> Point:
        return np.array(self.goal_xy)

    def memory(self) -> dict[str, Any]:
        return {"goal_xy": self.goal_xy}

    @classmethod
    def draw(cls, state: TableState, rng: np.random.Generator) -> DrawnTask | None:
        for _ in range(DIRECTION_DRAWS):
            block, direction = pick(movable(state), rng), pick(words.DIRECTIONS, rng)
            distance = pick(words.DISTANCES, rng)
            if inside_inner(state.xy(block) + relative_offset(direction, distance)):
                phrase = words.block2relative(tuple(state.blocks), block, direction, distance)
                return cls.from_words(state, words.say(phrase, rng), block, direction, distance)
        return None

    @classmethod
    def from_words(cls, state: TableState, instruction: str, *arguments: Any) -> DrawnTask:
        block, direction, distance = arguments
        x, y = state.xy(block) + relative_offset(direction, distance)
        return cls(
            instruction=instruction,
            pushed=block,
            goal_xy=(float(x), float(y)),
            tolerance=RELATIVE_TOLERANCE,
        )


def relative_offset(direction: str, distance: str) -> Point:
    """From a block to its goal in `block2relative`; diagonals are as long as straight ones."""
    way = DIRECTIONS[direction]
    return way / math.hypot(*way) * RELATIVE_DISTANCES[distance]


# The goal beside the target block; on diagonals each axis has the half, so it lies nearer (5.7 cm).
BESIDE = 0.08
BESIDE_DIAGONAL = 0.04
BESIDE_TOLERANCE = 0.04
# Success anywhere along the way from half the offset to a tenth beyond it.
BESIDE_STRETCH = np.linspace(0.5, 1.1, 10)
# The target block may not be dragged further than this from where it stood at the start.
DRAGGED = 0.05


@dataclass(frozen=True, kw_only=True)
class Block2BlockRelative(DrawnTask):
    """Push a block to one of eight sides of another. The goal follows that other block."""

    family = "block2block_relative"
    least_blocks = 2
    direction: str
    target_start_xy: tuple[float, float]

    def goal(self, state: TableState) -> Point:
        return state.xy(named(self.target)) + beside_offset(self.direction)

    def success(self, state: TableState) -> bool:
        target = state.xy(named(self.target))
        if gap(target, self.target_start_xy) > DRAGGED:
            return False
        points = target + BESIDE_STRETCH[:, None] * beside_offset(self.direction)
        distances = np.linalg.norm(points - self.mover(state), axis=1)
        return bool(distances.min() < self.tolerance)

    def memory(self) -> dict[str, Any]:
        return {"target_start_xy": self.target_start_xy}

    @classmethod
    def draw(cls, state: TableState, rng: np.random.Generator) -> DrawnTask | None:
        for _ in range(DIRECTION_DRAWS):
            block, target = pick_two(movable(state), rng)
            direction = pick(words.DIRECTIONS, rng)
            if inside_inner(state.xy(target) + beside_offset(direction)):
                break
        else:
            return None
        phrase = words.block2block_relative(tuple(state.blocks), block, target, direction)
        task = cls.from_words(state, words.say(phrase, rng), block, target, direction)
        return None if task.success(state) else task

    @classmethod
    def from_words(cls, state: TableState, instruction: str, *arguments: Any) -> DrawnTask:
        block, target, direction = arguments
        return cls(
            instruction=instruction,
            pushed=block,
            target=target,
            direction=direction,
            target_start_xy=state.blocks[target][:2],
            tolerance=BESIDE_TOLERANCE,
        )


def beside_offset(direction: str) -> Point:
    """From the target block to the goal beside it in `block2block_relative`."""
    return DIRECTIONS[direction] * (BESIDE_DIAGONAL if "_" in direction else BESIDE)


# Blocks nearer than this are joined …
JOINED = 0.08
# … and are separated once the block stands this far from the middle of its former neighbours,
APART = 0.10
# give or take this much, in the direction in which it stands from them.
APART_TOLERANCE = 0.025


@dataclass(frozen=True, kw_only=True)
class Separate(DrawnTask):
    """Pull a block away from its neighbours. The neighbours are settled at the start."""

    family = "separate"
    least_blocks = 2
    neighbours: tuple[str, ...]

    def goal(self, state: TableState) -> Point:
        """Away from the middle of the neighbours, on the block's side; moves with all of them."""
        middle = np.mean([state.blocks[name][:2] for name in self.neighbours], axis=0)
        away = self.mover(state) - middle
        return middle + APART * away / (math.hypot(*away) + np.finfo(np.float32).eps)

    def memory(self) -> dict[str, Any]:
        return {"neighbours": self.neighbours}

    @classmethod
    def draw(cls, state: TableState, rng: np.random.Generator) -> DrawnTask | None:
        """No drawing but of words: the block with the nearest neighbours, on average.

        A start whose block already stands at the goal is not declined, as in the original.
        """
        near = {block: _neighbours(state, block) for block in movable(state)}
        joined = [block for block, neighbours in near.items() if neighbours]
        if not joined:
            return None
        block = min(joined, key=lambda one: float(np.mean([far for far, _ in near[one]])))
        neighbours = tuple(name for _, name in near[block])
        phrase = words.separate(tuple(state.blocks), block, neighbours)
        task = cls(
            instruction=words.say(phrase, rng),
            pushed=block,
            neighbours=neighbours,
            tolerance=APART_TOLERANCE,
        )
        return task if inside_inner(task.goal(state)) else None

    @classmethod
    def from_words(cls, state: TableState, instruction: str, *arguments: Any) -> DrawnTask | None:
        """A sentence about a group leaves its members open: they are the neighbours as of now."""
        block, neighbours = arguments
        if instruction.endswith(words.GROUP_WORDS):
            neighbours = tuple(name for _, name in _neighbours(state, block))
        if not neighbours:
            return None
        return cls(
            instruction=instruction,
            pushed=block,
            neighbours=neighbours,
            tolerance=APART_TOLERANCE,
        )


def _neighbours(state: TableState, block: str) -> list[tuple[float, str]]:
    """Distance and name of all blocks joined to this one, nearest first."""
    here = state.xy(block)
    distances = ((gap(here, state.xy(name)), name) for name in movable(state))
    return sorted((far, name) for far, name in distances if name != block and far < JOINED)


class Point2Block(DrawnTask):
    """Move the effector (its set-point) to a block."""

    family = "point2block"

    def goal(self, state: TableState) -> Point:
        return state.xy(named(self.target))

    @classmethod
    def draw(cls, state: TableState, rng: np.random.Generator) -> DrawnTask | None:
        for _ in range(PAIR_DRAWS):
            block = pick(movable(state), rng)
            if gap(state.effector_target_xy, state.xy(block)) >= LEAST_START_DISTANCE:
                phrase = words.point2block(tuple(state.blocks), block)
                return cls.from_words(state, words.say(phrase, rng), block)
        return None

    @classmethod
    def from_words(cls, state: TableState, instruction: str, *arguments: Any) -> DrawnTask:
        (block,) = arguments
        return cls(instruction=instruction, target=block, tolerance=TOUCHING)


CORNER = np.array([INNER_HIGH[0], INNER_LOW[1]])  # bottom left, the only corner there is
CORNER_TOLERANCE = 0.08


class Block1ToCorner(DrawnTask):
    """Push a block to the bottom left corner of the inner workspace."""

    family = "block1_to_corner"

    def goal(self, state: TableState) -> Point:
        return CORNER

    @classmethod
    def draw(cls, state: TableState, rng: np.random.Generator) -> DrawnTask | None:
        block = pick(movable(state), rng)
        phrase = words.block1_to_corner(tuple(state.blocks), block)
        task = cls.from_words(state, words.say(phrase, rng), block)
        return None if task.success(state) else task

    @classmethod
    def from_words(cls, state: TableState, instruction: str, *arguments: Any) -> DrawnTask:
        (block,) = arguments
        return cls(instruction=instruction, pushed=block, tolerance=CORNER_TOLERANCE)


FAMILIES: Mapping[str, type[DrawnTask]] = {
    family.family: family
    for family in (
        Block2Block,
        Block2Absolute,
        Block2Relative,
        Block2BlockRelative,
        Separate,
        Point2Block,
        Block1ToCorner,
    )
}

# The five of the official evaluation.
EVAL_FAMILIES = tuple(FAMILIES)[:5]


def parse(
    instruction: str,
    state: TableState,
    families: Sequence[str] = tuple(FAMILIES),
    memory: Mapping[str, Any] | None = None,
) -> DrawnTask | None:
    """The task that a sentence names on this table, if it names one.

    The state is taken for the start of the episode, unless `memory` tells what was then.
    """
    understood = words.understand(instruction, movable(state), families)
    if understood is None:
        return None
    family, arguments = understood
    task = FAMILIES[family].from_words(state, instruction, *arguments)
    if task is None:
        return None
    for name in memory or {}:
        if name not in task.memory():
            raise UnknownNameError(f"memory of a {family} task", name, task.memory())
    return replace(task, **{name: tuple(value) for name, value in (memory or {}).items()})
