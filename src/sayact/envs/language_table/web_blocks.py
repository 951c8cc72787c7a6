"""Blocks that no robot demonstration shows: eight more colours, eight more shapes.

The embedded web (`sayact.web`) asks about them, and the block modes WEB_4, WEB_8 and MIXED_8 put
them on the table, so that one can measure what a policy makes of a thing it knows from words and
pictures alone. Outlines are our own, from formulas; about as large as the sixteen, and unlike them
and each other when the picture is shrunk to 160 × 90.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

from sayact.schema.errors import UnknownNameError

# Under the table's light a top shows 0.937 of its colour; the board is (0.19, 0.19, 0.19).
# Purple is the colour of Language-Table's pole, which stands in its two WPOLE modes only.
WEB_RGB = {
    "purple": (1.0, 0.4, 1.0),
    "orange": (1.0, 0.55, 0.1),
    "pink": (1.0, 0.72, 0.8),
    "cyan": (0.25, 0.95, 1.0),
    "white": (1.0, 1.0, 1.0),
    "black": (0.08, 0.08, 0.08),
    "brown": (0.5, 0.27, 0.1),
    "grey": (0.6, 0.6, 0.6),
}
WEB_COLORS = tuple(WEB_RGB)

_WEB_EIGHT = (
    "purple_heart",
    "orange_triangle",
    "pink_cross",
    "cyan_arrow",
    "white_diamond",
    "black_drop",
    "brown_bar",
    "grey_hourglass",
)
WEB_MODES: dict[str, tuple[str, ...]] = {
    "WEB_4": _WEB_EIGHT[:4],
    "WEB_8": _WEB_EIGHT,
    "MIXED_8": ("red_moon", "blue_cube", "green_star", "yellow_pentagon", *_WEB_EIGHT[:4]),
}


def _heart() -> Float64[np.ndarray, "V 2"]:
    """Two circles of 11.5 mm radius and the tangents to a tip below; 44 mm wide."""
    radius, side, tip = 11.5, 10.5, -34.0  # mm; the circles' middles are at (±side, 0)
    notch = np.pi - np.arccos(side / radius)
    touch = np.arctan2(tip, -side) + np.arccos(radius / np.hypot(side, tip))
    angle = np.linspace(touch, notch, 12)
    right = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1) + (side, 0.0)
    return np.concatenate([[(0.0, tip)], right, right[-2::-1] * (-1, 1)])


def _triangle() -> Float64[np.ndarray, "V 2"]:
    """Equilateral, corners 27 mm from the middle."""
    angle = np.radians((90, 210, 330))
    return 27 * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _cross() -> Float64[np.ndarray, "V 2"]:
    """A plus, 48 mm long, 15 mm broad."""
    far, near = 24.0, 7.5
    quarter = np.array([(far, -near), (far, near), (near, near)])
    turn = np.array([(0.0, 1.0), (-1.0, 0.0)])  # row vectors, by 90 degrees
    return np.concatenate([quarter @ np.linalg.matrix_power(turn, n) for n in range(4)])


def _arrow() -> Float64[np.ndarray, "V 2"]:
    """Head and shaft, 52 mm long."""
    right = [(0.0, -22.0), (7.0, -22.0), (7.0, -2.0), (23.0, -2.0), (0.0, 28.0)]
    return np.array(right[1:] + [(-x, y) for x, y in right[-2:0:-1]])


def _diamond() -> Float64[np.ndarray, "V 2"]:
    """A rhombus, 56 × 30 mm, so that no turn makes it a cube."""
    return np.array([(15.0, 0.0), (0.0, 28.0), (-15.0, 0.0), (0.0, -28.0)])


def _drop() -> Float64[np.ndarray, "V 2"]:
    """A circle of 17 mm radius and the tangents to a tip 2.2 radii from its middle."""
    radius, reach = 17.0, 2.2
    touch = np.degrees(np.arccos(1 / reach))
    angle = np.radians(np.linspace(90 + touch, 450 - touch, 14))
    arc = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.concatenate([[(0.0, reach * radius)], arc])


def _bar() -> Float64[np.ndarray, "V 2"]:
    """56 × 15 mm."""
    return np.array([(28.0, -7.5), (28.0, 7.5), (-28.0, 7.5), (-28.0, -7.5)])


def _hourglass() -> Float64[np.ndarray, "V 2"]:
    """Two triangles point to point, the waist 8 mm broad."""
    return np.array([(-20, -24), (20, -24), (4, 0), (20, 24), (-20, 24), (-4, 0)], np.float64)


_OUTLINES: dict[str, Callable[[], Float64[np.ndarray, "V 2"]]] = {
    "heart": _heart,
    "triangle": _triangle,
    "cross": _cross,
    "arrow": _arrow,
    "diamond": _diamond,
    "drop": _drop,
    "bar": _bar,
    "hourglass": _hourglass,
}
WEB_SHAPES = tuple(_OUTLINES)


def web_outline(shape: str) -> Float64[np.ndarray, "V 2"]:
    """Corners seen from above, counter-clockwise, metres, the area's middle at the origin.

    Star-shaped about the origin, before and after the bevel.
    """
    if shape not in _OUTLINES:
        raise UnknownNameError("web shape", shape, _OUTLINES)
    plan = _OUTLINES[shape]() / 1000.0
    return plan - centroid(plan)


def centroid(plan: Float64[np.ndarray, "V 2"]) -> Float64[np.ndarray, "2"]:
    """Middle of the area of a counter-clockwise outline."""
    after = np.roll(plan, -1, axis=0)
    cross = plan[:, 0] * after[:, 1] - plan[:, 1] * after[:, 0]
    return ((plan + after) * cross[:, None]).sum(axis=0) / (3 * cross.sum())


def radius_of_gyration_squared(plan: Float64[np.ndarray, "V 2"]) -> float:
    """Moment of inertia about the vertical through the origin, of 1 kg spread evenly: m²."""
    after = np.roll(plan, -1, axis=0)
    cross = plan[:, 0] * after[:, 1] - plan[:, 1] * after[:, 0]
    squares = (plan**2 + plan * after + after**2).sum(axis=1)
    return float((cross * squares).sum() / (6 * cross.sum()))
