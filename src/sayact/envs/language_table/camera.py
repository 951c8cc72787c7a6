"""Where a point of the board is in the picture (measured in the original simulator), and back."""

import numpy as np
from jaxtyping import Float

PICTURE = (180, 320)  # height, width, pixels
POSITION = np.array([0.75, 0.0, 0.5])  # metres
FORWARD = np.array([-0.58779, 0.0, -0.80902])  # 54 degrees down, back towards the robot
UP = np.array([-0.80902, 0.0, 0.58779])
RIGHT = np.array([0.0, 1.0, 0.0])
FOCAL_LENGTH = 256.96  # pixels, both ways
CENTRE = np.array([160.0, 90.0])  # pixels (x, y)
BLOCK_MIDDLE = 0.019  # metres above the board, half a block


def project(xy: Float[np.ndarray, "*n 2"], z: float = BLOCK_MIDDLE) -> Float[np.ndarray, "*n 2"]:
    """Board positions in metres, at height z → (x, y) in pixels, y downwards."""
    heights = np.full((*xy.shape[:-1], 1), z)
    ray = np.concatenate([xy, heights], -1) - POSITION
    depth = ray @ FORWARD
    offset = np.stack([ray @ RIGHT, -(ray @ UP)], -1)
    return CENTRE + FOCAL_LENGTH * offset / depth[..., None]


def unproject(
    pixels: Float[np.ndarray, "*n 2"], z: float = BLOCK_MIDDLE
) -> Float[np.ndarray, "*n 2"]:
    """(x, y) in pixels → board position in metres of what is seen there at height z."""
    across, down = np.moveaxis((pixels - CENTRE) / FOCAL_LENGTH, -1, 0)
    ray = FORWARD + across[..., None] * RIGHT - down[..., None] * UP
    depth = (z - POSITION[2]) / ray[..., 2:]
    return (POSITION + depth * ray)[..., :2]
