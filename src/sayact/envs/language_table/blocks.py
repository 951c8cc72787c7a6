"""The sixteen blocks and the purple pole: names, colours, outlines, and which sets are played with.

Blocks of other colours and shapes stand in `web_blocks`; names and outlines of all are asked here.
Sizes were measured on the meshes of the original (Language-Table, commit 5b7bf0e); each outline is
the block seen from above, in its own frame, counter-clockwise.
"""

from collections.abc import Iterable
from itertools import combinations

import numpy as np
from jaxtyping import Float64

from sayact.envs.language_table.web_blocks import (
    WEB_COLORS,
    WEB_MODES,
    WEB_RGB,
    WEB_SHAPES,
    web_outline,
)
from sayact.schema.errors import UnknownNameError

COLORS = ("red", "blue", "green", "yellow")
SHAPES = ("moon", "cube", "star", "pentagon")
BLOCKS = tuple(f"{color}_{shape}" for color in COLORS for shape in SHAPES)
POLE = "purple_pole"

RGB = {
    "red": (1.0, 0.4, 0.4),
    "blue": (0.4, 0.4, 1.0),
    "green": (0.4, 1.0, 0.4),
    "yellow": (1.0, 1.0, 0.4),
    **WEB_RGB,
}

BLOCK_HEIGHT = 0.0381  # metres, 1.5 inches
BLOCK_BEVEL = 0.002  # metres, on every edge

_FOUR = ("red_moon", "blue_cube", "green_star", "yellow_pentagon")
_EIGHT = (
    "red_moon",
    "red_pentagon",
    "blue_moon",
    "blue_cube",
    "green_cube",
    "green_star",
    "yellow_star",
    "yellow_pentagon",
)
ROBOT_MODES: dict[str, tuple[str, ...]] = {
    "BLOCK_1": ("green_star",),
    "BLOCK_4": _FOUR,
    "BLOCK_8": _EIGHT,
    "BLOCK_4_WPOLE": (*_FOUR, POLE),
    "BLOCK_8_WPOLE": (*_EIGHT, POLE),
}
# The original's, which demonstrations are collected in, and ours for evaluation.
BLOCK_MODES: dict[str, tuple[str, ...]] = {**ROBOT_MODES, **WEB_MODES}

N_CHOOSE_K = "N_CHOOSE_K"  # the mode that draws a new subset of BLOCKS for every episode
SUBSET_SIZES = range(4, 11)
TRAIN_SHARE = 0.9  # of the shuffled subsets; the rest is for testing

# Plan outlines, millimetres. The moon's right half is mirrored.
_CUBE = (
    (19.8, -17.8),
    (19.8, 17.8),
    (17.8, 19.8),
    (-17.8, 19.8),
    (-19.8, 17.8),
    (-19.8, -17.8),
    (-17.8, -19.8),
    (17.8, -19.8),
)
_PENTAGON_RADIUS = {-128: 21.9, -52: 21.9, 22: 23.9, 90: 23.9, 158: 23.9}  # degrees -> mm
_STAR_TIPS = ((0.0, 20.4), (-22.2, 5.0), (-13.2, -20.4), (13.2, -20.4), (22.2, 5.0))
_STAR_CENTRE_Y = -2.0
_STAR_NOTCH_RADIUS = 15.0
_MOON_RIGHT = (
    (0.0, 12.9),
    (5.0, 12.5),
    (9.8, 11.3),
    (14.1, 9.2),
    (18.1, 6.3),
    (21.5, 2.9),
    (24.3, -0.8),
    (25.8, -5.4),
    (26.25, -11.1),
    (24.0, -12.8),
    (18.3, -11.1),
    (12.2, -9.5),
    (6.1, -8.7),
)
_MOON_INNER_MIDDLE = (0.0, -8.4)
_POLE_HALF_WIDTH = 3.96  # a fifth of the cube's


def color_of(block: str) -> str:
    """`red_moon` -> `red`."""
    return block.split("_")[0]


def shape_of(block: str) -> str:
    """`red_moon` -> `moon`."""
    return block.split("_")[1]


def outline(shape: str) -> Float64[np.ndarray, "V 2"]:
    """Corners of a shape seen from above, counter-clockwise, metres; star and moon are concave."""
    match shape:
        case "cube":
            corners = np.array(_CUBE)
        case "pentagon":
            angle = np.radians(list(_PENTAGON_RADIUS))
            radius = np.array(list(_PENTAGON_RADIUS.values()))
            corners = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        case "star":
            corners = _star_outline()
        case "moon":
            right = np.array(_MOON_RIGHT)
            left = right[1:] * (-1, 1)
            corners = -np.concatenate([right[:1], left, [_MOON_INNER_MIDDLE], right[:0:-1]])
        case "pole":
            corners = np.array(_CUBE) * (_POLE_HALF_WIDTH / _CUBE[0][0])
        case _ if shape in WEB_SHAPES:
            return web_outline(shape)
        case _:
            raise UnknownNameError("block shape", shape, (*SHAPES, *WEB_SHAPES, "pole"))
    return corners / 1000.0


def _star_outline() -> Float64[np.ndarray, "10 2"]:
    """Tips and, halfway in angle between them, notches about the star's own centre; mm."""
    corners = []
    for tip, notch_angle in zip(_STAR_TIPS, np.radians((126, 198, 270, 342, 54)), strict=True):
        notch = _STAR_NOTCH_RADIUS * np.array([np.cos(notch_angle), np.sin(notch_angle)])
        corners += [np.array(tip), notch + np.array((0.0, _STAR_CENTRE_Y))]
    return np.array(corners)


def convex_hull(points: Float64[np.ndarray, "V 2"]) -> Float64[np.ndarray, "H 2"]:
    """Hull of a plan outline, counter-clockwise: what other things bump into (Andrew's chain)."""
    ordered = sorted(map(tuple, points))
    chains = []
    for sequence in (ordered, ordered[::-1]):
        chain: list[tuple[float, ...]] = []
        for point in sequence:
            while len(chain) >= 2 and _turn(chain[-2], chain[-1], point) <= 0:
                chain.pop()
            chain.append(point)
        chains += chain[:-1]
    return np.array(chains)


def _turn(a: tuple[float, ...], b: tuple[float, ...], c: tuple[float, ...]) -> float:
    """Positive when a -> b -> c turns left."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def all_subsets() -> list[tuple[str, ...]]:
    """Every choice of 4 to 10 of the 16 blocks, in the original's unshuffled order: 57,954."""
    return [subset for size in SUBSET_SIZES for subset in combinations(BLOCKS, size)]


def split_subsets(
    rng: np.random.Generator,
) -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """Shuffles the subsets and cuts them 9 : 1 into 52,158 for training and 5,796 for testing.

    The counts are the original's; which subset falls on which side depends on `rng`.
    """
    subsets = all_subsets()
    order = rng.permutation(len(subsets))
    cut = int(len(subsets) * TRAIN_SHARE)
    return [subsets[i] for i in order[:cut]], [subsets[i] for i in order[cut:]]


def check_blocks(names: Iterable[str]) -> None:
    """Raises UnknownNameError at the first name that is no block, of the sixteen or of the web."""
    for name in names:
        if name != POLE and not _is_block(name):
            more = f"any of {'/'.join(WEB_COLORS)}_{'/'.join(WEB_SHAPES)}"
            raise UnknownNameError("block", name, (*BLOCKS, POLE, more))


def _is_block(name: str) -> bool:
    color, _, shape = name.partition("_")
    return color in (*COLORS, *WEB_COLORS) and shape in (*SHAPES, *WEB_SHAPES)
