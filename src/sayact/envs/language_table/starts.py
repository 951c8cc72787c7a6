"""Start states: where blocks and effector stand when an episode begins.

Rules: Language-Table, commit 5b7bf0e. One deviation: when a family declines a start and the blocks
are drawn anew, the original still keeps them clear of the positions of all earlier draws (it never
empties its list), so that its second and later draws come out sparser; here they do not.
"""

from math import comb, hypot

import numpy as np
from jaxtyping import Float64

from sayact.envs.language_table.blocks import BLOCK_MODES, BLOCKS, N_CHOOSE_K, SUBSET_SIZES
from sayact.envs.language_table.simulator import Simulator
from sayact.envs.language_table.state import Pose2D
from sayact.envs.language_table.task import DrawnTask, StartRejected
from sayact.envs.language_table.workspace import INNER_HIGH, INNER_LOW
from sayact.schema.errors import UnknownNameError

# Smaller than a block: two may start overlapping, and physics pushes them apart.
LEAST_BLOCK_DISTANCE = 0.0175
LEAST_EFFECTOR_DISTANCE = 0.06
DRAWS_PER_BLOCK = 21

SETTLE_SECONDS = 200 / 240  # 200 steps of the original's physics

# Far beyond need: the pickiest family, "separate", declines one start in three.
MOST_STARTS = 200


def draw_block_set(block_mode: str, rng: np.random.Generator) -> tuple[str, ...]:
    """The blocks of one episode. N_CHOOSE_K: all subsets of 4 to 10 of the 16 equally likely."""
    if block_mode in BLOCK_MODES:
        return BLOCK_MODES[block_mode]
    if block_mode != N_CHOOSE_K:
        raise UnknownNameError("block mode", block_mode, (*BLOCK_MODES, N_CHOOSE_K))
    subsets = np.array([comb(len(BLOCKS), size) for size in SUBSET_SIZES])
    size = rng.choice(SUBSET_SIZES, p=subsets / subsets.sum())
    chosen = rng.choice(len(BLOCKS), size=size, replace=False)
    return tuple(BLOCKS[i] for i in sorted(chosen))


def draw_start(
    simulator: Simulator, blocks: tuple[str, ...], family: type[DrawnTask], rng: np.random.Generator
) -> DrawnTask:
    """Places everything, lets it settle and draws the task; anew until the family accepts.

    The effector is drawn once; only the blocks are drawn again.
    """
    effector_xy = rng.uniform(INNER_LOW, INNER_HIGH)
    for _ in range(MOST_STARTS):
        poses = draw_poses(blocks, effector_xy, rng)
        if poses is None:
            continue
        simulator.place(poses, effector_xy)
        simulator.settle(SETTLE_SECONDS)
        task = family.draw(simulator.state(), rng)
        if task is not None:
            return task
    raise StartRejected(
        f"{family.family} declined {MOST_STARTS} starts in a row with the blocks "
        f"{', '.join(blocks)}; choose another block mode or family."
    )


def draw_poses(
    blocks: tuple[str, ...], effector_xy: Float64[np.ndarray, "2"], rng: np.random.Generator
) -> dict[str, Pose2D] | None:
    """Uniform poses, blocks clear of the effector and a little of each other; None if crowded."""
    poses: dict[str, Pose2D] = {}
    for block in blocks:
        for _ in range(DRAWS_PER_BLOCK):
            x, y = rng.uniform(INNER_LOW, INNER_HIGH)
            yaw = rng.uniform(0.0, 2 * np.pi)
            if hypot(x - effector_xy[0], y - effector_xy[1]) > LEAST_EFFECTOR_DISTANCE and all(
                hypot(x - other[0], y - other[1]) > LEAST_BLOCK_DISTANCE for other in poses.values()
            ):
                poses[block] = (float(x), float(y), float(yaw))
                break
        else:
            return None
    return poses
