"""All that the robot's demonstrations say: the sentences of seven families about eight blocks."""

import re
from functools import cache

from sayact.envs.language_table.blocks import BLOCK_MODES
from sayact.envs.language_table.words import WORDINGS, instructions

ROBOT_BLOCKS = BLOCK_MODES["BLOCK_8"]


@cache
def robot_sentences() -> frozenset[str]:
    return frozenset(s for family in WORDINGS for s in instructions(family, ROBOT_BLOCKS))


@cache
def robot_words() -> frozenset[str]:
    return frozenset(word for sentence in robot_sentences() for word in words_of(sentence))


def words_of(sentence: str) -> list[str]:
    """Its words; those of Chinese and Japanese stand together."""
    return re.findall(r"\w+", sentence)
