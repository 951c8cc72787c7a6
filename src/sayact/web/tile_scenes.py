"""Which tiles lie on a drawn table, how large they are and where.

Scenes have themes, so that every kind of reference (`instructions.KINDS`) finds enough scenes where
it means exactly one thing: several digits, several people, plates of one colour, one that is small.
"""

from collections.abc import Mapping, Sequence
from math import hypot

import numpy as np

from sayact.envs.language_table.blocks import color_of, shape_of
from sayact.envs.language_table.setting import TILE_SIDE, Tile
from sayact.envs.language_table.task import pick
from sayact.envs.language_table.workspace import HIGH, LOW
from sayact.web.concepts import CONCEPTS, PERSON, PLATE
from sayact.web.tiles import paint_tile

MOST_TILES = 6
COUNT_WEIGHTS = np.array([1, 3, 4, 4, 3, 2], float)  # of 1, 2, … 6 tiles
# Share of scenes, and the categories that each draws its tiles from. A category that stands twice
# comes twice as often: there are many symbols, and each shall be seen often enough.
THEMES: Mapping[tuple[str, ...], float] = {
    ("digit", *("letter",) * 2, *("symbol",) * 3, "fruit", "animal", PERSON, PLATE): 0.34,
    ("digit",): 0.14,
    ("letter",): 0.09,
    ("symbol",): 0.12,
    ("fruit", "animal", "symbol", "symbol"): 0.13,
    (PERSON,): 0.10,
    (PLATE,): 0.08,
}
COLOR_OF_A_BLOCK = 0.6  # share of plain plates of which there is a block of the same colour
OTHER_SIDES = 0.3  # share of scenes whose tiles are of different sizes
USUAL = (0.93, 1.07)  # of TILE_SIDE
SMALL, LARGE = (0.05, 0.06), (0.096, 0.112)  # metres
TURN = 0.12  # radians, standard deviation of their yaw
EDGE = 0.05  # metres that their middles keep from the bounds of the effector
# Distance of two middles along an axis, in half the sum of their sides: a square that is turned
# by two standard deviations reaches 1.21 times as far along an axis.
APART = 1.22
TRIES = 40


def draw_tiles(blocks: Sequence[str], rng: np.random.Generator) -> tuple[Tile, ...]:
    """Tiles for a table with these blocks; what finds no room is left out."""
    count = 1 + int(rng.choice(MOST_TILES, p=COUNT_WEIGHTS / COUNT_WEIGHTS.sum()))
    concepts = _concepts(count, blocks, rng)
    tiles: list[Tile] = []
    for concept, side in zip(concepts, _sides(len(concepts), rng), strict=True):
        spot = _spot(tiles, side, rng)
        if spot is not None:
            tiles.append(
                Tile(
                    name=concept,
                    xy=spot,
                    picture=paint_tile(concept, rng),
                    side=side,
                    yaw=float(rng.normal(0.0, TURN)),
                )
            )
    return tuple(tiles)


def _concepts(count: int, blocks: Sequence[str], rng: np.random.Generator) -> list[str]:
    """What they show: all different, and nothing that a block here is called by its shape."""
    shapes = {shape_of(block) for block in blocks}
    themes = tuple(THEMES)
    theme = themes[int(rng.choice(len(themes), p=list(THEMES.values())))]
    drawn = (_concept(pick(theme, rng), blocks, rng) for _ in range(2 * count))
    return [concept for concept in dict.fromkeys(drawn) if concept not in shapes][:count]


def _concept(category: str, blocks: Sequence[str], rng: np.random.Generator) -> str:
    if category == PLATE and blocks and rng.random() < COLOR_OF_A_BLOCK:
        concept = f"{color_of(pick(blocks, rng))} {PLATE}"
        if concept in CONCEPTS[PLATE]:
            return concept
    return pick(CONCEPTS[category], rng)


def _sides(count: int, rng: np.random.Generator) -> list[float]:
    """Metres: all about alike, or small ones and one that is large, or the other way round."""
    if rng.random() >= OTHER_SIDES:
        return [float(side) for side in TILE_SIDE * rng.uniform(*USUAL, size=count)]
    few, many = (SMALL, LARGE) if rng.random() < 0.5 else (LARGE, SMALL)
    if rng.random() < 0.4:
        many = (TILE_SIDE * USUAL[0], TILE_SIDE * USUAL[1])
    return [float(rng.uniform(*(many if index else few))) for index in range(count)]


def _spot(
    tiles: Sequence[Tile], side: float, rng: np.random.Generator
) -> tuple[float, float] | None:
    """Where it overlaps none that lies there; None where no such place is found."""
    for _ in range(TRIES):
        x, y = (float(one) for one in rng.uniform(LOW + EDGE, HIGH - EDGE))
        if all(
            max(abs(x - tile.xy[0]), abs(y - tile.xy[1])) > APART * (side + tile.side) / 2
            for tile in tiles
        ):
            return x, y
    return None


def clear_of_tiles(xy: tuple[float, float], radius: float, tiles: Sequence[Tile]) -> bool:
    """Whether a block of this radius leaves all tiles uncovered."""
    return all(
        hypot(
            max(abs(xy[0] - tile.xy[0]) - tile.side / 2, 0.0),
            max(abs(xy[1] - tile.xy[1]) - tile.side / 2, 0.0),
        )
        >= radius
        for tile in tiles
    )


def on_tile(tile: Tile, rng: np.random.Generator) -> tuple[float, float]:
    """Where a block ends that was pushed there: its middle anywhere above the tile."""
    x, y = np.array(tile.xy) + tile.side / 2 * rng.uniform(-1, 1, size=2)
    return float(x), float(y)
