"""What only the embedded web shows: symbols, sums, relations, categories, people; and two stages.

(RT-2's emergent skills: symbol understanding, reasoning, human recognition.) Plates lie on the
board, and a sentence names one of them by what is on it. The robot's demonstrations show no plate,
and say none of the words; the block to be pushed is one of theirs, and so is the push.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from jaxtyping import UInt8

from sayact.envs.language_table.blocks import color_of, shape_of
from sayact.envs.language_table.goals import Block2Spot, in_order
from sayact.envs.language_table.setting import TILE_SIDE, Setting, Tile
from sayact.envs.language_table.start import Start
from sayact.envs.language_table.task import Task, gap, pick
from sayact.envs.language_table.tasks import TOUCHING, Block2Block
from sayact.evals.suites.laying import (
    APART,
    ROBOT_BLOCKS,
    TRIES,
    Crowded,
    circle,
    draw_effector,
    draw_push,
    lay,
    spot,
    state_of,
    taught,
    template,
    to_do,
)
from sayact.evals.suites.suite import STEPS, Suite
from sayact.web import wordings
from sayact.web.concepts import CONCEPTS, PERSON, PLATE, WORN, worn_by
from sayact.web.instructions import Reference, draw_reference, instruction
from sayact.web.placed import placed
from sayact.web.tiles import paint_tile

Picture = UInt8[np.ndarray, "64 64 3"]

PLATES, BLOCKS = 4, 4  # on the table
BETWEEN = 0.01  # metres between the circles around two plates
TILT = 5.0  # degrees, standard deviation, by which a plate lies askew

# Words of shapes that the robot's blocks have are no news to it.
ROBOT_SHAPES = {shape_of(block) for block in ROBOT_BLOCKS}
SYMBOLS = tuple(symbol for symbol in CONCEPTS["symbol"] if symbol not in ROBOT_SHAPES)


def refer_start(
    kind: str,
    concepts: Sequence[str],
    rng: np.random.Generator,
    *,
    sides: Sequence[float] = (TILE_SIDE,) * PLATES,
    blocks: Sequence[str] = (),
) -> Start:
    """A table with these plates, and a push to what a reference of the kind means.

    kind: one of `web.instructions.KINDS`. sides: of the plates, metres. blocks: drawn unless told;
    the first is pushed.
    """
    (painter,) = rng.spawn(1)  # of its own, so that another way to paint moves nothing
    pictures = [paint_tile(concept, painter) for concept in concepts]
    for _ in range(TRIES):
        names = blocks or _some_blocks(rng)
        tiles = _lay_plates(concepts, pictures, sides, rng)
        covered = [(tile.xy, _radius(tile.side)) for tile in tiles]
        poses, pushed = lay(names, rng, keep_off=covered), names[0]
        reference = draw_reference(kind, placed(poses, tiles), rng, pushed=pushed)
        if reference is None or gap(poses[pushed][:2], reference.target.xy) < APART:
            continue
        if reference.target.kind == "block" and not taught("block2block", [pushed]):
            continue
        # All of it: what a thing is to be compared with must be seen as well.
        shown = [*covered, *(circle(block, poses) for block in poses)]
        effector_xy = draw_effector(poses, rng, shown=shown)
        if effector_xy is None:
            continue
        return Start(
            blocks=poses,
            effector_xy=effector_xy,
            task=_task(pushed, reference, rng),
            setting=Setting(tiles=tuple(tiles)),
        )
    raise Crowded(f"no reference of the kind {kind} was found for {', '.join(concepts)}")


def _some_blocks(rng: np.random.Generator) -> list[str]:
    return _some(ROBOT_BLOCKS, BLOCKS, rng)


def _lay_plates(
    concepts: Sequence[str],
    pictures: Sequence[Picture],
    sides: Sequence[float],
    rng: np.random.Generator,
) -> list[Tile]:
    """Where no two overlap, however they are turned."""
    for _ in range(TRIES):
        tiles: list[Tile] = []
        for concept, picture, side in zip(concepts, pictures, sides, strict=False):
            xy, yaw = spot(rng), float(np.radians(rng.normal(0.0, TILT)))
            if any(gap(xy, one.xy) < _radius(side) + _radius(one.side) + BETWEEN for one in tiles):
                break
            tiles.append(Tile(name=concept, xy=xy, picture=picture, side=side, yaw=yaw))
        else:
            return tiles
    raise Crowded(f"no room for {len(concepts)} plates")


def _radius(side: float) -> float:
    """Of the circle around a plate."""
    return side / sqrt(2)


def _task(pushed: str, reference: Reference, rng: np.random.Generator) -> Task:
    sentence, target = instruction(pushed, reference, rng), reference.target
    if target.kind == "block":
        return Block2Block(
            instruction=sentence, pushed=pushed, target=target.name, tolerance=TOUCHING
        )
    return Block2Spot(instruction=sentence, pushed=pushed, goal_xy=target.xy)


def _some(names: Sequence[str], count: int, rng: np.random.Generator) -> list[str]:
    return [names[int(i)] for i in rng.choice(len(names), count, replace=False)]


# --- symbols ---------------------------------------------------------------------------------


def _symbols(rng: np.random.Generator, index: int) -> Start:
    """Among plates of one kind, so that the kind alone does not tell."""
    kind = ("digit", "letter", "symbol")[index % 3]
    concepts = SYMBOLS if kind == "symbol" else CONCEPTS[kind]
    return refer_start(kind, _some(concepts, PLATES, rng), rng)


# --- reasoning -------------------------------------------------------------------------------


def _matching(rng: np.random.Generator, index: int) -> Start:
    """To the other block of its colour, of all eight; or to the plate of its colour."""
    if index % 2 == 0:
        pushed = pick(taught("block2block", ROBOT_BLOCKS), rng)
        others = [block for block in ROBOT_BLOCKS if block != pushed]
        return refer_start("same_color", (), rng, blocks=[pushed, *others])
    blocks = _some_blocks(rng)
    own = f"{color_of(blocks[0])} {PLATE}"
    others = [plate for plate in CONCEPTS[PLATE] if plate != own]
    plates = [own, *_some(others, PLATES - 1, rng)]
    return refer_start("same_color_plate", plates, rng, blocks=blocks)


def _sums(rng: np.random.Generator, index: int) -> Start:
    return refer_start("sum", _some(CONCEPTS["digit"], PLATES, rng), rng)


SIDES = (0.055, 0.10)  # metres, of the small and the large; as much smaller as a word for it needs


def _relations(rng: np.random.Generator, index: int) -> Start:
    kind = ("smallest", "largest", "farthest", "nearest")[index % 4]
    concepts = _some([*CONCEPTS["digit"], *CONCEPTS["letter"], *SYMBOLS], PLATES, rng)
    small, large = SIDES
    sides = {
        "smallest": (small, *(large,) * (PLATES - 1)),
        "largest": (large, *(small,) * (PLATES - 1)),
    }
    return refer_start(kind, concepts, rng, sides=sides.get(kind, (TILE_SIDE,) * PLATES))


def _categories(rng: np.random.Generator, index: int) -> Start:
    """One fruit and one animal among symbols; either is asked for."""
    fruit, animal = pick(CONCEPTS["fruit"], rng), pick(CONCEPTS["animal"], rng)
    return refer_start("category", [fruit, animal, *_some(SYMBOLS, PLATES - 2, rng)], rng)


# --- recognition -----------------------------------------------------------------------------


def _people(rng: np.random.Generator, index: int) -> Start:
    """One alone has glasses, or a hat, or a beard; the others may share what else they have."""
    worn = WORN[index % len(WORN)]
    having = [one for one in CONCEPTS[PERSON] if worn in worn_by(one)]
    others = [one for one in CONCEPTS[PERSON] if one not in having]
    return refer_start("person", [pick(having, rng), *_some(others, PLATES - 1, rng)], rng)


# --- stages ----------------------------------------------------------------------------------

STAGED = ("block2block", "block2absolute")


def _stages(rng: np.random.Generator, index: int) -> Start:
    """Two pushes that the robot was taught, one after the other, of different blocks."""
    families = STAGED[index % 2], STAGED[index // 2 % 2]
    for _ in range(TRIES):
        names = _some_blocks(rng)
        if not all(taught(family, [block]) for family, block in zip(families, names, strict=False)):
            continue
        poses = lay(names, rng)
        state = state_of(poses)
        # The second block is no part of the first push, which must not do the second's work.
        first = draw_push(state, families[0], rng, names[:1], names[2:])
        second = draw_push(state, families[1], rng, names[1:2], names[2:])
        shown = [circle(block, poses) for block in names]
        effector_xy = draw_effector(poses, rng, shown=shown)
        if first is None or second is None or effector_xy is None:
            continue
        stages = [
            to_do(family, state, template(family, push, rng), push)
            for family, push in zip(families, (first, second), strict=True)
        ]
        sentence = pick(wordings.IN_ORDER, rng).format(*(stage.instruction for stage in stages))
        return Start(blocks=poses, effector_xy=effector_xy, task=in_order(sentence, *stages))
    raise Crowded("no two pushes were found")


EMERGENT = (
    Suite(
        name="symbols",
        title="symbols",
        group="symbols",
        about="to one of four plates with digits, letters or symbols",
        draw=_symbols,
    ),
    Suite(
        name="matching",
        title="matching",
        group="reasoning",
        about="to the block, or the plate, of the same colour",
        draw=_matching,
    ),
    Suite(
        name="sums",
        title="sums",
        group="reasoning",
        about="to the digit that is the sum of two numbers",
        draw=_sums,
    ),
    Suite(
        name="relations",
        title="relations",
        group="reasoning",
        about="to the smallest or largest plate, to what is farthest from or nearest to a block",
        draw=_relations,
    ),
    Suite(
        name="categories",
        title="categories",
        group="reasoning",
        about="to the fruit or the animal",
        draw=_categories,
    ),
    Suite(
        name="people",
        title="people",
        group="recognition",
        about="to the one of four people who has glasses, a hat or a beard",
        draw=_people,
    ),
    Suite(
        name="stages",
        title="two stages",
        group="stages",
        about="two known pushes in one sentence, to be done in order",
        draw=_stages,
        max_steps=2 * STEPS,
    ),
)
