"""Whether the arm stands between the camera and something on the board: what a sentence is about
shall be seen at the start.

The arm is taken for balls along its axis, a thing for a disc around its middle; both are compared
in the picture.
"""

import numpy as np
from jaxtyping import Float64

from sayact.envs.language_table import arm
from sayact.envs.language_table.camera import BLOCK_MIDDLE, OFFICIAL, RIGHT, View, project

# In the vertical plane through the robot's base and the effector: (forward, right, up) from the
# effector's tip, and radius; metres. The rod, the column over it, the two sides of the wrist.
BALLS = np.array(
    [
        *((0.0, 0.0, up, arm.EFFECTOR_RINGS[0][0]) for up in (0.02, 0.05, 0.08, 0.11)),
        *((0.0, 0.0, up, arm.COLUMN[0][0]) for up in (0.15, 0.19, 0.23, 0.26)),
        (-arm.WRIST_BEHIND, arm.PITCH_JOINT_LEFT, arm.PITCH_JOINT_Z, arm.PITCH_JOINT_LEFT_RADIUS),
        (-arm.WRIST_BEHIND, arm.PITCH_JOINT_RIGHT, arm.PITCH_JOINT_Z, arm.PITCH_JOINT_LEFT_RADIUS),
    ]
)
COVERED = 0.4  # of a thing's radius: the arm may reach so far into its disc


def in_sight(
    xy: tuple[float, float],
    radius: float,
    effector_xy: tuple[float, float],
    view: View = OFFICIAL,
) -> bool:
    """Whether the arm leaves a thing of this radius (metres) mostly to be seen."""
    thing, reach = _disc(np.array(xy), BLOCK_MIDDLE, radius, view)
    for place, up, ball in _balls(np.array(effector_xy)):
        middle, broad = _disc(place, up, ball, view)
        if np.hypot(*(thing - middle)) < broad + (1 - COVERED) * reach:
            return False
    return True


def _balls(
    effector: Float64[np.ndarray, "2"],
) -> list[tuple[Float64[np.ndarray, "2"], float, float]]:
    """Where each ball is on the board's plane, its height and its radius."""
    forward = effector / np.hypot(*effector)
    right = np.array([-forward[1], forward[0]])
    return [
        (effector + along * forward + across * right, float(up), float(radius))
        for along, across, up, radius in BALLS
    ]


def _disc(
    xy: Float64[np.ndarray, "2"], up: float, radius: float, view: View
) -> tuple[Float64[np.ndarray, "2"], float]:
    """Middle and radius in the picture, pixels."""
    middle = project(xy, up, view)
    edge = project(xy + radius * RIGHT[:2], up, view)
    return middle, float(np.hypot(*(edge - middle)))
