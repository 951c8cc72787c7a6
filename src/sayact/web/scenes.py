"""What lies on a drawn table: which things, where, and how it looks; nothing is rendered here.

rng ─ draw_scene ─▶ Scene ─ table.Painter ─▶ picture
                      └──── questions ─────▶ questions and answers
"""

from dataclasses import dataclass
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
from sayact.envs.language_table.scene import (
    AMBIENT,
    BOARD_RGB,
    DIFFUSE,
    EFFECTOR_RADIUS,
    FLOOR_LEFT_RGB,
    FLOOR_RIGHT_RGB,
)
from sayact.envs.language_table.state import Pose2D, TableState
from sayact.envs.language_table.task import pick
from sayact.envs.language_table.web_blocks import WEB_COLORS, WEB_SHAPES
from sayact.envs.language_table.workspace import HIGH, INNER_HIGH, INNER_LOW, LOW

ALL_COLORS, ALL_SHAPES = (*COLORS, *WEB_COLORS), (*SHAPES, *WEB_SHAPES)
ROBOT_OBJECTS = BLOCK_MODES["BLOCK_8"]  # what the robot's demonstrations show
Objects = Literal["all", "robot"]
RGBColor = tuple[float, float, float]

MOST_THINGS = 10
COUNT_WEIGHTS = np.array([3, 6, 10, 14, 16, 16, 13, 10, 7, 5], float)  # of 1, 2, … 10 things
# Scenes of few colours ask for the shape, scenes of few shapes ask for the colour.
FEW_COLORS, FEW_SHAPES, SIXTEEN = 0.3, 0.25, 0.15  # shares of scenes; the rest draws freely
FEW = 3  # colours or shapes at most, where they are few

ROBOT_LOOK = 0.5  # share of scenes that look exactly as the robot's
RADIUS = {shape: float(np.hypot(*outline(shape).T).max()) for shape in ALL_SHAPES}  # metres
AT_ANOTHER = 0.3  # share of things laid against another, as pushing leaves them
TOUCHING = (1.0, 1.15)  # their distance, in sums of the two radii
AT_EDGE = 0.3  # share of things drawn from the whole reach, not from the inner board alone
EDGE = 0.025  # metres that even those keep from the bounds of the effector
ARM_AT_THING = 0.3  # share of scenes whose effector touches a thing
TRIES = 50


@dataclass(frozen=True, kw_only=True)
class Look:
    """Colours and light; the defaults are those of the robot's world."""

    board: RGBColor = BOARD_RGB
    floor_left: RGBColor = FLOOR_LEFT_RGB
    floor_right: RGBColor = FLOOR_RIGHT_RGB
    ambient: float = AMBIENT
    diffuse: float = DIFFUSE
    color_jitter: float = 0.0  # widest shift of a thing's red, green and blue


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Things by name (`purple_heart`: at most one of a kind) with their poses; metres, radians."""

    things: dict[str, Pose2D]
    effector_xy: Float64[np.ndarray, "2"]
    look: Look
    colors: dict[str, RGBColor]  # as drawn
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
        return in_picture(np.array(self.things[name][:2]))


def in_picture(xy: Float64[np.ndarray, "*n 2"]) -> Float64[np.ndarray, "*n 2"]:
    """Board positions, metres → (x, y) in 0…1 of the whole picture, y downwards."""
    return project(xy) / (PICTURE[1], PICTURE[0])


def draw_scene(rng: np.random.Generator, objects: Objects = "all") -> Scene:
    """Things, poses, arm and look."""
    names = draw_names(rng, objects)
    things = draw_poses(names, rng)
    look = draw_look(rng)
    return Scene(
        things=things,
        effector_xy=draw_effector(things, rng),
        look=look,
        colors={name: _jittered(RGB[color_of(name)], look.color_jitter, rng) for name in things},
        objects=objects,
    )


def draw_names(rng: np.random.Generator, objects: Objects) -> list[str]:
    """Which things: all different, often sharing a colour or a shape."""
    pool = list(ROBOT_OBJECTS) if objects == "robot" else _pool(rng)
    weights = COUNT_WEIGHTS[: len(pool)]
    count = 1 + int(rng.choice(len(weights), p=weights / weights.sum()))
    return [pool[i] for i in rng.choice(len(pool), size=count, replace=False)]


def _pool(rng: np.random.Generator) -> list[str]:
    """What a scene's things are drawn from."""
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


def draw_poses(names: list[str], rng: np.random.Generator) -> dict[str, Pose2D]:
    """Without overlap; what finds no room is left out, the first always has some."""
    poses: dict[str, Pose2D] = {}
    for name in names:
        radius = RADIUS[shape_of(name)]
        for _ in range(TRIES):
            x, y = _spot(poses, radius, rng)
            if all(
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


def draw_look(rng: np.random.Generator) -> Look:
    """The robot's own look in half of all scenes, another board, floor and light in the others."""
    if rng.random() < ROBOT_LOOK:
        return Look()
    grey = rng.uniform(0.1, 0.34)
    tint = rng.uniform(-0.06, 0.06, size=3)
    left, right = rng.uniform(0.35, 1.0, size=(2, 3))
    light = rng.uniform(0.85, 1.08)
    ambient = rng.uniform(0.45, 0.75)
    return Look(
        board=_rgb(grey + tint),
        floor_left=_rgb(left),
        floor_right=_rgb(right),
        ambient=float(light * ambient),
        diffuse=float(light * (0.95 - ambient)),
        color_jitter=0.05,
    )


def _jittered(rgb: RGBColor, jitter: float, rng: np.random.Generator) -> RGBColor:
    return _rgb(np.array(rgb) + rng.uniform(-jitter, jitter, size=3))


def _rgb(values: Float64[np.ndarray, "3"]) -> RGBColor:
    red, green, blue = np.clip(values, 0.0, 1.0)
    return float(red), float(green), float(blue)
