"""What the robot is about, in words, from privileged truth: the plans that RT-2 learns to write.

    push the red moon up             red moon <p1> to up <p2>
    point at the blue cube           arm <p1> to blue cube <p2>

The same few words as in the embedded web's questions about plans (`sayact.web.plans`): what is
moved, where it is, and where it must get to.
"""

from functools import lru_cache

import numpy as np
from jaxtyping import Float32

from sayact.data.frames import FrameStore
from sayact.envs.language_table.blocks import BLOCK_MODES
from sayact.envs.language_table.words import understand
from sayact.web.plans import APART, ARM, CORNER, direction_words

SENTENCES = 50_000  # remembered; there are 34,736 about eight blocks


def plan_task(store: FrameStore, row: int, points: Float32[np.ndarray, "3 2"]) -> str | None:
    """The plan in a frame of an episode; None where its sentence is no task that we know."""
    episode = store.episode_index[row]
    info = store.infos[episode]
    read = moved_and_goal(store.tasks[episode], info.get("family", ""), info.get("block_mode", ""))
    if read is None:
        return None
    moved, goal = read
    if goal is None:
        way = store.privileged["goal_xy"][row] - store.privileged["pushed_xy"][row]
        goal = direction_words(way)
    return f"{moved} <p1> to {goal} <p2>"


@lru_cache(SENTENCES)
def moved_and_goal(sentence: str, family: str, block_mode: str) -> tuple[str, str | None] | None:
    """What a sentence moves, and where to; None: a direction, to be seen in the frame."""
    blocks = BLOCK_MODES.get(block_mode, ())
    task = understand(sentence, blocks, (family,)) if blocks and family else None
    if task is None:
        return None
    first, *others = task[1]
    block = first.replace("_", " ")
    match family:
        case "point2block":
            return ARM, block
        case "block2block":
            return block, others[0].replace("_", " ")
        case "block2absolute":
            return block, others[0].replace("_", " ")
        case "block2block_relative":
            target, side = others
            return block, f"{side} of {target}".replace("_", " ")
        case "separate":
            return block, APART
        case "block1_to_corner":
            return block, CORNER
        case _:
            return block, None
