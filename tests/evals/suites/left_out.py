"""Which sentences no demonstration may say, read from their words alone."""

from sayact.envs.language_table.words import understand
from sayact.evals.suites.laying import HELD_OUT_PAIRS, PUSHES, ROBOT_BLOCKS


def held_out(instruction: str) -> bool:
    """Is this sentence about one of the pairs?"""
    understood = understand(instruction, ROBOT_BLOCKS, PUSHES)
    return understood is not None and (understood[0], understood[1][0]) in HELD_OUT_PAIRS
