"""Sentences as hurried people type them."""

from collections.abc import Iterator

import numpy as np

from sayact.envs.language_table.task import pick

SHORTEST_MISTYPED = 4  # letters; "red" or "up" would no longer be told from other words
MOST_MISTYPED = 2  # words of a sentence
# Slips of "then", "slide" and "three" that would be other words of the robot's, or on a plate.
ALSO_WORDS = {"the", "side", "tree"}
KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def mistyped(sentence: str, rng: np.random.Generator) -> str:
    """One or two of its longer words with one slip of a finger each."""
    parts = sentence.split(" ")
    long = [i for i, word in enumerate(parts) if len(word) >= SHORTEST_MISTYPED]
    count = min(len(long), int(rng.integers(1, MOST_MISTYPED + 1)))
    for i in rng.choice(long, size=count, replace=False):
        parts[i] = pick(sorted(_slips(parts[i])), rng)
    return " ".join(parts)


def _slips(word: str) -> set[str]:
    """A letter left out, doubled, swapped with the next, or its neighbour's key; not the first."""
    found = set[str]()
    for i in range(1, len(word)):
        before, letter, after = word[:i], word[i], word[i + 1 :]
        found |= {before + after, before + letter * 2 + after}
        found |= {before + near + after for near in _neighbours(letter)}
        found.add(word[: i - 1] + letter + word[i - 1] + after if i > 1 else word)
    return found - {word} - ALSO_WORDS


def _neighbours(letter: str) -> Iterator[str]:
    for row in KEYS:
        at = row.find(letter)
        if at >= 0:
            yield from row[max(0, at - 1) : at] + row[at + 1 : at + 2]
