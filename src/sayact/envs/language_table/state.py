"""What is where on the table: the privileged state that tasks, rewards and the oracle read."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

Pose2D = tuple[float, float, float]  # x, y in metres, yaw in radians


@dataclass(frozen=True, kw_only=True)
class TableState:
    """Poses in the board frame: origin at the robot base, x away from it, y to the picture's right.

    `blocks` holds the blocks in play only. `effector_target_xy` is the set-point that actions move;
    `effector_xy` follows it with a lag of 40 ms.
    """

    blocks: dict[str, Pose2D]
    effector_xy: Float64[np.ndarray, "2"]
    effector_target_xy: Float64[np.ndarray, "2"]

    def xy(self, block: str) -> Float64[np.ndarray, "2"]:
        """Centre of a block, metres."""
        return np.array(self.blocks[block][:2])
