"""How a suite's table is laid: poses without overlap, and a push that the robot was taught.

No physics: every block has room of its own, so that nothing moves before the policy does.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sayact.envs.language_table import words
from sayact.envs.language_table.blocks import BLOCK_MODES, shape_of
from sayact.envs.language_table.camera import OFFICIAL, View
from sayact.envs.language_table.setting import PLAIN, Setting
from sayact.envs.language_table.start import Start
from sayact.envs.language_table.state import Pose2D, TableState
from sayact.envs.language_table.task import Task, gap, pick
from sayact.envs.language_table.tasks import (
    FAMILIES,
    PLACE_TOLERANCE,
    PLACES,
    TOUCHING,
    relative_offset,
)
from sayact.envs.language_table.words import Arguments
from sayact.envs.language_table.workspace import INNER_HIGH, INNER_LOW, inside_inner
from sayact.evals.suites.sight import in_sight
from sayact.schema.errors import SayactError
from sayact.web.scenes import ALL_COLORS, ALL_SHAPES, RADIUS

ROBOT_BLOCKS = BLOCK_MODES["BLOCK_8"]  # what the robot's demonstrations show, and nothing else
# Were all of these on the table, only colour and shape together would name one of them.
EVERY_BLOCK = tuple(f"{color}_{shape}" for color in ALL_COLORS for shape in ALL_SHAPES)

# The families whose goal is plain from one look; they take turns by the index of a start.
PUSHES = ("block2block", "block2absolute", "block2relative")

# Family and pushed block: what an experiment leaves out of its demonstrations. The suite "pairs"
# asks for these, a known skill on a known block that never met; no other suite does. Every block
# and every family stays well seen.
HELD_OUT_PAIRS = (
    ("block2block", "red_moon"),
    ("block2absolute", "green_star"),
    ("block2relative", "blue_cube"),
    ("block2block", "yellow_pentagon"),
    ("block2absolute", "blue_moon"),
    ("block2relative", "red_pentagon"),
)

CLEAR = 0.006  # metres between the circles around two blocks
EFFECTOR_CLEAR = 0.06  # metres from the effector to the middle of a block, as in all starts
TO_DO = 0.03  # metres that a block must at least be moved
APART = TOUCHING + TO_DO  # metres between a block and the one it is to be pushed to
TRIES = 2000
TRIES_PER_BLOCK, EFFECTOR_TRIES = 30, 20

XY = tuple[float, float]
Circle = tuple[XY, float]  # middle and radius, metres


class Crowded(SayactError):
    """No room was found; a suite asks for too much on one table."""


def lay(
    blocks: Sequence[str], rng: np.random.Generator, *, keep_off: Sequence[Circle] = ()
) -> dict[str, Pose2D]:
    """Poses of blocks, clear of each other and of the circles."""
    for _ in range(TRIES):
        poses = _poses(blocks, keep_off, rng)
        if poses is not None:
            return poses
    raise Crowded(f"no room for {len(blocks)} blocks around {len(keep_off)} plates")


def _poses(
    blocks: Sequence[str], keep_off: Sequence[Circle], rng: np.random.Generator
) -> dict[str, Pose2D] | None:
    """One try; None where a block finds no room."""
    taken, poses = list(keep_off), dict[str, Pose2D]()
    for block in blocks:
        for _ in range(TRIES_PER_BLOCK):
            xy, radius = spot(rng), reach(block)
            if all(gap(xy, other) > radius + room + CLEAR for other, room in taken):
                poses[block] = (*xy, float(rng.uniform(-np.pi, np.pi)))
                taken.append((xy, radius))
                break
        else:
            return None
    return poses


def draw_effector(
    poses: Mapping[str, Pose2D],
    rng: np.random.Generator,
    *,
    shown: Sequence[Circle],
    view: View = OFFICIAL,
) -> XY | None:
    """Where the effector starts: clear of all blocks, its arm before none of what is shown."""
    for _ in range(EFFECTOR_TRIES):
        effector = spot(rng)
        if all(gap(effector, there[:2]) > EFFECTOR_CLEAR for there in poses.values()) and all(
            in_sight(xy, radius, effector, view) for xy, radius in shown
        ):
            return effector
    return None


def spot(rng: np.random.Generator) -> XY:
    """Anywhere in the part of the board where starts and goals lie."""
    x, y = rng.uniform(INNER_LOW, INNER_HIGH)
    return float(x), float(y)


def reach(block: str) -> float:
    """Radius of the circle around a block, metres."""
    return RADIUS[shape_of(block)]


def circle(block: str, poses: Mapping[str, Pose2D]) -> Circle:
    """A block as it lies there."""
    return poses[block][:2], reach(block)


def state_of(poses: dict[str, Pose2D], effector_xy: XY = (0.0, 0.0)) -> TableState:
    """The table before anything moves."""
    effector = np.array(effector_xy)
    return TableState(blocks=poses, effector_xy=effector, effector_target_xy=effector)


def taught(family: str, blocks: Sequence[str]) -> list[str]:
    """Those of the blocks that demonstrations may push in this family."""
    return [block for block in blocks if (family, block) not in HELD_OUT_PAIRS]


def draw_push(
    state: TableState,
    family: str,
    rng: np.random.Generator,
    pushable: Sequence[str],
    targets: Sequence[str],
) -> Arguments | None:
    """A push of one of the three families, as arguments of its phrase; None: not on this table."""
    block = pick(pushable, rng)
    match family:
        case "block2block":
            target = pick(targets, rng)
            far = target != block and gap(state.xy(block), state.xy(target)) > APART
            return (block, target) if far else None
        case "block2absolute":
            place = pick(tuple(PLACES), rng)
            far = gap(state.xy(block), PLACES[place]) > PLACE_TOLERANCE + TO_DO
            return (block, place) if far else None
        case "block2relative":
            direction, distance = pick(words.DIRECTIONS, rng), pick(words.DISTANCES, rng)
            inside = inside_inner(state.xy(block) + relative_offset(direction, distance))
            return (block, direction, distance) if inside else None
        case _:
            raise SayactError(f"suites push in the families {', '.join(PUSHES)}; got {family!r}")


def template(family: str, arguments: Arguments, rng: np.random.Generator) -> str:
    """The robot's own words for a push; blocks by colour and shape, as with BLOCK_8."""
    return words.say(words.WORDINGS[family].phrase(EVERY_BLOCK, *arguments), rng)


Say = Callable[[str, Arguments, np.random.Generator], str]


def push_start(
    blocks: Sequence[str],
    family: str,
    rng: np.random.Generator,
    *,
    say: Say = template,
    pushable: Sequence[str] = (),
    targets: Sequence[str] = (),
    setting: Setting | None = None,
) -> Start:
    """A table of blocks and a push of the family.

    pushable, targets: which blocks may be pushed, and to which; unless told, those that are
    `taught`, and all.
    """
    pushable, targets = pushable or taught(family, blocks), targets or blocks
    setting = setting or PLAIN
    for _ in range(TRIES):
        poses = lay(blocks, rng)
        arguments = draw_push(state_of(poses), family, rng, pushable, targets)
        if arguments is None:
            continue
        shown = [circle(name, poses) for name in arguments if name in poses]
        effector_xy = draw_effector(poses, rng, shown=shown, view=setting.view)
        if effector_xy is not None:
            task = to_do(family, state_of(poses), say(family, arguments, rng), arguments)
            return Start(blocks=poses, effector_xy=effector_xy, task=task, setting=setting)
    raise Crowded(f"no {family} was found for the blocks {', '.join(blocks)}")


def to_do(family: str, state: TableState, sentence: str, arguments: Arguments) -> Task:
    """The task of a push, whatever words it is asked for with."""
    task = FAMILIES[family].from_words(state, sentence, *arguments)
    assert task is not None  # these three families settle every task
    return task
