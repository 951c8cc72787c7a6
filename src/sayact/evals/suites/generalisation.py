"""Seen things, and unseen objects, backgrounds, environments and distractors (RT-2, figure 4 and
appendix E; RT-1, section 6.2).

Every push is one that the demonstrations teach, in their own words: what differs is what is seen.
Easy and hard are ours: how far from the demonstrations a thing, a colour or a camera is.
"""

from dataclasses import replace

import numpy as np

from sayact.envs.language_table.blocks import BLOCKS
from sayact.envs.language_table.camera import PICTURE, View, project
from sayact.envs.language_table.setting import (
    BOARD_CENTRE,
    BOARD_SIZE,
    EFFECTORS,
    TEXTURES,
    Look,
    RGBColor,
    Setting,
    Table,
)
from sayact.envs.language_table.start import Start
from sayact.envs.language_table.task import pick
from sayact.envs.language_table.web_blocks import WEB_COLORS, WEB_SHAPES
from sayact.envs.language_table.workspace import INNER_HIGH, INNER_LOW
from sayact.evals.suites.laying import PUSHES, ROBOT_BLOCKS, push_start, taught
from sayact.evals.suites.suite import Draw, Suite


def turn(index: int) -> str:
    """The family of the `index`-th start."""
    return PUSHES[index % len(PUSHES)]


# --- objects ---------------------------------------------------------------------------------

OTHER_EIGHT = tuple(block for block in BLOCKS if block not in ROBOT_BLOCKS)


def _seen(rng: np.random.Generator, index: int) -> Start:
    return push_start(ROBOT_BLOCKS, turn(index), rng)


def _other_eight(rng: np.random.Generator, index: int) -> Start:
    return push_start(OTHER_EIGHT, turn(index), rng)


def _new_shapes(rng: np.random.Generator, index: int) -> Start:
    """Each of the eight web colours with one of the eight web shapes, paired anew every time."""
    shift = int(rng.integers(len(WEB_SHAPES)))
    blocks = [
        f"{color}_{WEB_SHAPES[(place + shift) % len(WEB_SHAPES)]}"
        for place, color in enumerate(WEB_COLORS)
    ]
    return push_start(blocks, turn(index), rng)


# --- backgrounds -----------------------------------------------------------------------------

BOARD_SHADES = (0.06, 0.42)  # of red, green and blue: darker than any of the robot's blocks
FLOOR_SHADES = (0.25, 1.0)
LIGHT_HEIGHTS = (0.55, 0.85)  # sine of the light's elevation; the robot's own stands at 0.96


def _colors(rng: np.random.Generator, index: int) -> Start:
    return push_start(ROBOT_BLOCKS, turn(index), rng, setting=Setting(look=plain_look(rng)))


def _textures(rng: np.random.Generator, index: int) -> Start:
    return push_start(ROBOT_BLOCKS, turn(index), rng, setting=Setting(look=hard_look(rng)))


def plain_look(rng: np.random.Generator) -> Look:
    """Another colour of board and floor, and another strength of light."""
    light, ambient = rng.uniform(0.85, 1.08), rng.uniform(0.5, 0.75)
    return Look(
        board=_rgb(rng, BOARD_SHADES),
        floor_left=_rgb(rng, FLOOR_SHADES),
        floor_right=_rgb(rng, FLOOR_SHADES),
        ambient=float(light * ambient),
        diffuse=float(light * (0.95 - ambient)),
    )


def hard_look(rng: np.random.Generator) -> Look:
    """Board and floor with a pattern of two colours, light from another side, shadows."""
    angle, height = rng.uniform(0, 2 * np.pi), rng.uniform(*LIGHT_HEIGHTS)
    along = np.sqrt(1 - height**2)
    return replace(
        plain_look(rng),
        board_texture=pick(TEXTURES, rng),
        board_ink=_rgb(rng, BOARD_SHADES),
        floor_texture=pick(TEXTURES, rng),
        floor_ink=_rgb(rng, FLOOR_SHADES),
        seed=int(rng.integers(2**31)),
        light_from=(float(along * np.cos(angle)), float(along * np.sin(angle)), float(height)),
        shadows=True,
    )


def _rgb(rng: np.random.Generator, shades: tuple[float, float]) -> RGBColor:
    red, green, blue = rng.uniform(*shades, size=3)
    return float(red), float(green), float(blue)


# --- environments ----------------------------------------------------------------------------

LITTLE = (0.02, 2.0)  # how far the camera is moved at most: metres along, degrees about, each axis
A_LOT = (0.07, 6.0)
TABLE_SHIFT, TABLE_TURN = 0.03, 0.2  # metres, radians: at most
TABLE_STRETCH = (0.85, 1.25)  # of the robot's table
SEEN_BEYOND = 0.03  # metres around where blocks start that must stay in the picture


def _camera_a_little(rng: np.random.Generator, index: int) -> Start:
    return push_start(ROBOT_BLOCKS, turn(index), rng, setting=Setting(view=draw_view(rng, *LITTLE)))


def _another_room(rng: np.random.Generator, index: int) -> Start:
    setting = Setting(
        view=draw_view(rng, *A_LOT), table=_draw_table(rng), effector=pick(EFFECTORS[1:], rng)
    )
    return push_start(ROBOT_BLOCKS, turn(index), rng, setting=setting)


def _draw_table(rng: np.random.Generator) -> Table:
    """Larger or smaller than the robot's, somewhat off its place and askew."""
    (x, y), (along, across) = BOARD_CENTRE, BOARD_SIZE
    by_x, by_y = rng.uniform(-TABLE_SHIFT, TABLE_SHIFT, size=2)
    stretch = rng.uniform(*TABLE_STRETCH, size=2)
    return Table(
        centre=(float(x + by_x), float(y + by_y)),
        size=(float(along * stretch[0]), float(across * stretch[1])),
        yaw=float(rng.uniform(-TABLE_TURN, TABLE_TURN)),
    )


def draw_view(rng: np.random.Generator, shift: float, turn: float) -> View:
    """A camera moved by at least half of that on every axis, that still sees the whole table."""
    while True:
        by = rng.uniform(0.5, 1.0, size=6) * rng.choice((-1.0, 1.0), size=6)
        view = View(
            shift=tuple((shift * by[:3]).tolist()), turn=tuple((np.radians(turn) * by[3:]).tolist())
        )
        if _sees_the_table(view):
            return view


def _sees_the_table(view: View) -> bool:
    low, high = INNER_LOW - SEEN_BEYOND, INNER_HIGH + SEEN_BEYOND
    corners = np.array([(x, y) for x in (low[0], high[0]) for y in (low[1], high[1])])
    places = project(corners, view=view)
    return bool((places > 0).all() and (places < (PICTURE[1], PICTURE[0])).all())


# --- distractors -----------------------------------------------------------------------------


def _among(count: int) -> Draw:
    """Two of the robot's blocks, and `count` other things that no demonstration shows."""

    def draw(rng: np.random.Generator, index: int) -> Start:
        family = turn(index)
        first = pick(taught(family, ROBOT_BLOCKS), rng)
        two = (first, pick([block for block in ROBOT_BLOCKS if block != first], rng))
        other = _strangers(rng, count)
        pushable = taught(family, two)
        return push_start((*two, *other), family, rng, pushable=pushable, targets=two)

    return draw


def _strangers(rng: np.random.Generator, count: int) -> tuple[str, ...]:
    """Every other one is of the sixteen, every other one of a new colour and a new shape."""
    known = [OTHER_EIGHT[i] for i in rng.permutation(len(OTHER_EIGHT))]
    colors, shapes = rng.permutation(WEB_COLORS), rng.permutation(WEB_SHAPES)
    new = [f"{color}_{shape}" for color, shape in zip(colors, shapes, strict=True)]
    return tuple(thing for pair in zip(known, new, strict=True) for thing in pair)[:count]


GENERALISATION = (
    Suite(
        name="seen",
        title="seen",
        group="seen",
        about="the eight blocks of the demonstrations, in their words, as they look",
        draw=_seen,
    ),
    Suite(
        name="objects_easy",
        title="objects, easy",
        group="objects",
        about="the other eight of the sixteen: known colours and shapes in new combinations",
        draw=_other_eight,
    ),
    Suite(
        name="objects_hard",
        title="objects, hard",
        group="objects",
        about="eight blocks of new colours and new shapes",
        draw=_new_shapes,
    ),
    Suite(
        name="backgrounds_easy",
        title="backgrounds, easy",
        group="backgrounds",
        about="other colours of board and floor, more or less light",
        draw=_colors,
    ),
    Suite(
        name="backgrounds_hard",
        title="backgrounds, hard",
        group="backgrounds",
        about="patterns on board and floor, light from the side, shadows",
        draw=_textures,
    ),
    Suite(
        name="environments_easy",
        title="environments, easy",
        group="environments",
        about=f"the camera moved by up to {100 * LITTLE[0]:.0f} cm and {LITTLE[1]:.0f} degrees an "
        "axis",
        draw=_camera_a_little,
    ),
    Suite(
        name="environments_hard",
        title="environments, hard",
        group="environments",
        about=f"the camera moved by up to {100 * A_LOT[0]:.0f} cm and {A_LOT[1]:.0f} degrees an "
        "axis, another table, another effector",
        draw=_another_room,
    ),
    *(
        Suite(
            name=f"distractors_{count}",
            title=f"{count} distractors",
            group="distractors",
            about=f"two blocks of the demonstrations and {count} things they do not show"
            if count
            else "two blocks of the demonstrations alone on the table",
            draw=_among(count),
        )
        for count in (0, 2, 5, 9)
    ),
)
