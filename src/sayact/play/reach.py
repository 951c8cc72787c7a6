"""Where a block can be put by hand: inside the bounds, in no other block, off the effector."""

import numpy as np
from jaxtyping import Float64

from sayact.envs.language_table.blocks import outline, shape_of
from sayact.envs.language_table.scene import EFFECTOR_RADIUS
from sayact.envs.language_table.simulator import Simulator
from sayact.envs.language_table.state import TableState
from sayact.envs.language_table.workspace import clip_to_bounds

STEP = 0.004  # metres between the places that are tried, a tenth of a block
FINGER = 0.001  # metres that are left between a block and the effector


def nearest_free(
    simulator: Simulator, state: TableState, block: str, xy: tuple[float, float]
) -> tuple[float, float]:
    """The free place nearest to `xy` on the straight way back to where the block is now.

    A block is lifted over others, as a hand would, and never set down in them. The simulator is
    left as the last try placed it: place the answer before anything else.
    """
    here, wanted = state.xy(block), clip_to_bounds(np.array(xy, np.float64))
    tries = 1 + int(np.ceil(np.linalg.norm(wanted - here) / STEP))
    for place in np.linspace(wanted, here, tries, endpoint=False):
        if _clear_of_effector(block, place, state) and _free(simulator, state, block, place):
            return float(place[0]), float(place[1])
    return float(here[0]), float(here[1])


def _clear_of_effector(block: str, place: Float64[np.ndarray, "2"], state: TableState) -> bool:
    """By the circle around the block: a person's finger has room there too."""
    radius = np.linalg.norm(outline(shape_of(block)), axis=1).max()
    gap = np.linalg.norm(place - state.effector_xy)
    return bool(gap > radius + EFFECTOR_RADIUS + FINGER)


def _free(
    simulator: Simulator, state: TableState, block: str, place: Float64[np.ndarray, "2"]
) -> bool:
    """Whether the block stands in no other one there."""
    x, y = place
    poses = {**state.blocks, block: (float(x), float(y), state.blocks[block][2])}
    simulator.place(poses, state.effector_xy)
    return not simulator.overlapping()
