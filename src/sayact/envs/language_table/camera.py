"""Where a point of the board is in the picture (measured in the original simulator), and back."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Float64

PICTURE = (180, 320)  # height, width, pixels
POSITION = np.array([0.75, 0.0, 0.5])  # metres
FORWARD = np.array([-0.58779, 0.0, -0.80902])  # 54 degrees down, back towards the robot
UP = np.array([-0.80902, 0.0, 0.58779])
RIGHT = np.array([0.0, 1.0, 0.0])
FOCAL_LENGTH = 256.96  # pixels, both ways
CENTRE = np.array([160.0, 90.0])  # pixels (x, y)
BLOCK_MIDDLE = 0.019  # metres above the board, half a block


@dataclass(frozen=True, kw_only=True)
class View:
    """Where a camera stands and looks, against the official one.

    shift: metres along the board's x (away from the robot), y (to the picture's right) and z (up).
    turn: radians about the camera's own right (positive looks further up), then up (further left),
        then forward (the picture's contents turn counterclockwise).
    """

    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def position(self) -> Float64[np.ndarray, "3"]:
        """Metres, in the board's frame."""
        return POSITION + self.shift

    @cached_property
    def axes(self) -> Float64[np.ndarray, "3 3"]:
        """The camera's right, up and forward, one a row, in the board's frame."""
        axes = np.stack([RIGHT, UP, FORWARD])
        for axis, angle in enumerate(self.turn):
            if angle:  # the official axes keep their last bit
                axes = _turned(axes, axes[axis], angle)
        return axes


OFFICIAL = View()


def _turned(
    axes: Float64[np.ndarray, "3 3"], about: Float64[np.ndarray, "3"], angle: float
) -> Float64[np.ndarray, "3 3"]:
    """Each row turned about a unit vector by the right-hand rule (Rodrigues)."""
    along = np.outer(axes @ about, about)
    return along + np.cos(angle) * (axes - along) + np.sin(angle) * np.cross(about, axes)


def project(
    xy: Float[np.ndarray, "*n 2"], z: float = BLOCK_MIDDLE, view: View = OFFICIAL
) -> Float[np.ndarray, "*n 2"]:
    """Board positions in metres, at height z → (x, y) in pixels, y downwards."""
    right, up, forward = view.axes
    heights = np.full((*xy.shape[:-1], 1), z)
    ray = np.concatenate([xy, heights], -1) - view.position
    depth = ray @ forward
    offset = np.stack([ray @ right, -(ray @ up)], -1)
    return CENTRE + FOCAL_LENGTH * offset / depth[..., None]


def unproject(
    pixels: Float[np.ndarray, "*n 2"], z: float = BLOCK_MIDDLE, view: View = OFFICIAL
) -> Float[np.ndarray, "*n 2"]:
    """(x, y) in pixels → board position in metres of what is seen there at height z."""
    right, up, forward = view.axes
    across, down = np.moveaxis((pixels - CENTRE) / FOCAL_LENGTH, -1, 0)
    ray = forward + across[..., None] * right - down[..., None] * up
    depth = (z - view.position[2]) / ray[..., 2:]
    return (view.position + depth * ray)[..., :2]
