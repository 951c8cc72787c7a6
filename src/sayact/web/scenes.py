"""What lies on a drawn table: which things, where, and how it looks; nothing is rendered here.

rng ─ draw_scene ─▶ Scene ─ table.Painter ─▶ picture
                      └──── questions ─────▶ questions and answers
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import hypot
from typing import Literal

import numpy as np
from jaxtyping import Float64

from sayact.envs.language_table.blocks import (
    BLOCK_MODES,
    BLOCKS,
    COLORS,
    RGB,
    SHAPES,
    color_of,
    outline,
    shape_of,
)
from sayact.envs.language_table.camera import PICTURE, project
from sayact.envs.language_table.dressing import jittered
from sayact.envs.language_table.scene import EFFECTOR_RADIUS
from sayact.envs.language_table.setting import PLAIN, RGBColor, Setting, Tile
from sayact.envs.language_table.state import Pose2D, TableState
from sayact.envs.language_table.task import pick
from sayact.envs.language_table.web_blocks import WEB_COLORS, WEB_SHAPES
from sayact.envs.language_table.workspace import HIGH, INNER_HIGH, INNER_LOW, LOW
from sayact.web.looks import draw_setting
from sayact.web.placed import Placed, placed
from sayact.web.tile_scenes import clear_of_tiles, draw_tiles, on_tile

ALL_COLORS, ALL_SHAPES = (*COLORS, *WEB_COLORS), (*SHAPES, *WEB_SHAPES)
ROBOT_OBJECTS = BLOCK_MODES["BLOCK_8"]  # what the robot's demonstrations show
Objects = Literal["all", "robot"]

MOST_THINGS = 10
COUNT_WEIGHTS = np.array([3, 6, 10, 14, 16, 16, 13, 10, 7, 5], float)  # of 1, 2, … 10 things
# Scenes of few colours ask for the shape, scenes of few shapes ask for the colour.
FEW_COLORS, FEW_SHAPES, SIXTEEN = 0.3, 0.25, 0.15  # shares of scenes; the rest draws freely
FEW = 3  # colours or shapes at most, where they are few

MOST_BESIDE_TILES = 7
# Shares of scenes whose blocks are the robot's eight: more beside tiles, where it shall push them.
ROBOT_BLOCKS, ROBOT_BLOCKS_BESIDE_TILES = 0.1, 0.4
ON_A_TILE = 0.12  # share of things that lie on a tile, where there are any
RADIUS = {shape: float(np.hypot(*outline(shape).T).max()) for shape in ALL_SHAPES}  # metres
AT_ANOTHER = 0.3  # share of things laid against another, as pushing leaves them
TOUCHING = (1.0, 1.15)  # their distance, in sums of the two radii
AT_EDGE = 0.3  # share of things drawn from the whole reach, not from the inner board alone
EDGE = 0.025  # metres that even those keep from the bounds of the effector
ARM_AT_THING = 0.3  # share of scenes whose effector touches a thing
TRIES = 50


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Things by name (`purple_heart`: at most one of a kind) with their poses; metres, radians."""

    things: dict[str, Pose2D]
    effector_xy: Float64[np.ndarray, "2"]
    colors: dict[str, RGBColor]  # as drawn
    setting: Setting = PLAIN
    objects: Objects = "all"  # what the things were drawn from

    @property
    def state(self) -> TableState:
        """As the tasks of Language-Table read it."""
        return TableState(
            blocks=self.things,
            effector_xy=self.effector_xy,
            effector_target_xy=self.effector_xy,
        )

    def place(self, name: str) -> Float64[np.ndarray, "2"]:
        """Where a thing is in the picture, (x, y) in 0…1."""
        return self.in_picture(np.array(self.things[name][:2]))

    def in_picture(self, xy: Float64[np.ndarray, "*n 2"]) -> Float64[np.ndarray, "*n 2"]:
        """Board positions, metres → (x, y) in 0…1 of the whole picture, y downwards.

        Of a tile too this is where the middle of a block is that lies on it, so that one may look
        from a block to a tile and have the way it must go.
        """
        return project(xy, view=self.setting.view) / (PICTURE[1], PICTURE[0])

    @property
    def placed(self) -> list[Placed]:
        """Blocks and tiles, as references mean them."""
        return placed(self.things, self.setting.tiles)


def draw_scene(rng: np.random.Generator, objects: Objects = "all", tiles: float = 0.0) -> Scene:
    """Things, poses, arm and look; `tiles` is the share of scenes with tiles."""
    tiled = objects == "all" and bool(rng.random() < tiles)
    robots = ROBOT_BLOCKS_BESIDE_TILES if tiled else ROBOT_BLOCKS
    of_robot = objects == "robot" or rng.random() < robots
    pool = list(ROBOT_OBJECTS) if of_robot else _pool(rng)
    names = draw_names(rng, pool, MOST_BESIDE_TILES if tiled else MOST_THINGS)
    laid = draw_tiles(names, rng) if tiled else ()
    things = draw_poses(names, rng, laid)
    setting = replace(draw_setting(rng), tiles=laid)
    jitter = setting.look.color_jitter
    return Scene(
        things=things,
        effector_xy=draw_effector(things, rng),
        colors={name: jittered(RGB[color_of(name)], jitter, rng) for name in things},
        setting=setting,
        objects=objects,
    )


def draw_names(rng: np.random.Generator, pool: list[str], most: int) -> list[str]:
    """Which things: all different."""
    weights = COUNT_WEIGHTS[: min(most, len(pool))]
    count = 1 + int(rng.choice(len(weights), p=weights / weights.sum()))
    return [pool[i] for i in rng.choice(len(pool), size=count, replace=False)]


def _pool(rng: np.random.Generator) -> list[str]:
    """What a scene's things are drawn from, often sharing a colour or a shape."""
    kind = rng.random()
    few = int(rng.integers(1, FEW + 1))
    colors, shapes = list(ALL_COLORS), list(ALL_SHAPES)
    if kind < SIXTEEN:
        return list(BLOCKS)
    if kind < SIXTEEN + FEW_COLORS:
        colors = [colors[i] for i in rng.choice(len(colors), size=few, replace=False)]
    elif kind < SIXTEEN + FEW_COLORS + FEW_SHAPES:
        shapes = [shapes[i] for i in rng.choice(len(shapes), size=few, replace=False)]
    return [f"{color}_{shape}" for color in colors for shape in shapes]


def draw_poses(
    names: list[str], rng: np.random.Generator, tiles: Sequence[Tile] = ()
) -> dict[str, Pose2D]:
    """Without overlap; what finds no room is left out, the first always has some.

    Most things lie clear of tiles, some on one, as pushing leaves them.
    """
    poses: dict[str, Pose2D] = {}
    for name in names:
        radius = RADIUS[shape_of(name)]
        beneath = pick(tiles, rng) if tiles and rng.random() < ON_A_TILE else None
        for _ in range(TRIES):
            x, y = _spot(poses, radius, rng) if beneath is None else on_tile(beneath, rng)
            if (beneath is not None or clear_of_tiles((x, y), radius, tiles)) and all(
                hypot(x - there[0], y - there[1]) >= radius + RADIUS[shape_of(other)]
                for other, there in poses.items()
            ):
                poses[name] = (x, y, float(rng.uniform(-np.pi, np.pi)))
                break
    return poses


def _spot(poses: dict[str, Pose2D], radius: float, rng: np.random.Generator) -> tuple[float, float]:
    """Anywhere, or against a thing that lies there already."""
    if poses and rng.random() < AT_ANOTHER:
        x, y = np.clip(_beside(poses, radius, rng), LOW + EDGE, HIGH - EDGE)
    elif rng.random() < AT_EDGE:
        x, y = rng.uniform(LOW + EDGE, HIGH - EDGE)
    else:
        x, y = rng.uniform(INNER_LOW, INNER_HIGH)
    return float(x), float(y)


def _beside(
    poses: dict[str, Pose2D], radius: float, rng: np.random.Generator
) -> Float64[np.ndarray, "2"]:
    """Where something of this radius touches, or nearly, one of the things that lie there."""
    other = pick(list(poses), rng)
    far = (radius + RADIUS[shape_of(other)]) * rng.uniform(*TOUCHING)
    angle = rng.uniform(0, 2 * np.pi)
    return np.array(poses[other][:2]) + far * np.array([np.cos(angle), np.sin(angle)])


def draw_effector(things: dict[str, Pose2D], rng: np.random.Generator) -> Float64[np.ndarray, "2"]:
    """Anywhere in its bounds, or beside a thing; clear of all of them."""
    spot = rng.uniform(LOW, HIGH)
    for _ in range(TRIES):
        if rng.random() < ARM_AT_THING:
            spot = np.clip(_beside(things, EFFECTOR_RADIUS, rng), LOW, HIGH)
        else:
            spot = rng.uniform(LOW, HIGH)
        if all(
            hypot(spot[0] - there[0], spot[1] - there[1])
            >= RADIUS[shape_of(name)] + 0.8 * EFFECTOR_RADIUS
            for name, there in things.items()
        ):
            break
    return spot
