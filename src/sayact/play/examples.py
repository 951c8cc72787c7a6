"""Sentences to try on the table as it lies: about blocks that are there, in several languages.

The world understands English templates; for the others it is told what they mean.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sayact.envs.language_table.state import TableState
from sayact.envs.language_table.task import movable
from sayact.envs.language_table.tasks import FAMILIES
from sayact.envs.language_table.words import Arguments, say, understand
from sayact.evals.suites.instructions import OTHERS, TRANSLATED, new_wording, translated

OWN = ("block2block", "block2relative")  # families said in the robot's own words
MOST_LETTERS = 33  # that fit a button; longer sentences are drawn again
TRIES = 30  # draws of a sentence; after these a long one will do
REWORDED = "block2absolute"  # the family said in words that no demonstration has


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """A task of the world: a family, and the arguments of its phrase (see `words.understand`)."""

    family: str
    arguments: Arguments


@dataclass(frozen=True, kw_only=True)
class Example:
    """A sentence, its language and what it means."""

    language: str
    sentence: str
    meaning: Meaning


def draw_examples(state: TableState, rng: np.random.Generator, foreign: int) -> list[Example]:
    """The robot's own words, new English ones, and so many sentences in other languages.

    Fewer where a family has no task for this table.
    """
    languages = [OTHERS[index] for index in sorted(rng.permutation(len(OTHERS))[:foreign])]
    drawn = [
        *(_short(lambda family=family: _own(state, family, rng)) for family in OWN),
        _short(lambda: _reworded(state, rng)),
        *(
            _short(lambda language=language: _foreign(state, language, rng))
            for language in languages
        ),
    ]
    return [example for example in drawn if example is not None]


def _short(draw: Callable[[], Example | None]) -> Example | None:
    """One that can be read on a button, if there is any; else the shortest drawn."""
    found: Example | None = None
    for _ in range(TRIES):
        example = draw()
        if example is not None and (found is None or len(example.sentence) < len(found.sentence)):
            found = example
        if found is not None and len(found.sentence) <= MOST_LETTERS:
            break
    return found


def _own(state: TableState, family: str, rng: np.random.Generator) -> Example | None:
    drawn = _draw(state, family, rng)
    return None if drawn is None else Example(language="en", sentence=drawn[0], meaning=drawn[1])


def _reworded(state: TableState, rng: np.random.Generator) -> Example | None:
    drawn = _draw(state, REWORDED, rng)
    if drawn is None:
        return None
    sentence = say(new_wording(REWORDED, drawn[1].arguments), rng)
    return Example(language="en", sentence=sentence, meaning=drawn[1])


def _foreign(state: TableState, language: str, rng: np.random.Generator) -> Example | None:
    drawn = _draw(state, TRANSLATED[int(rng.integers(len(TRANSLATED)))], rng)
    if drawn is None:
        return None
    meaning = drawn[1]
    sentence = translated(meaning.family, meaning.arguments, language, rng)
    return Example(language=language, sentence=sentence, meaning=meaning)


def _draw(state: TableState, family: str, rng: np.random.Generator) -> tuple[str, Meaning] | None:
    """A task for this table in the world's own words, and what they mean."""
    blocks = movable(state)
    if len(blocks) < FAMILIES[family].least_blocks:
        return None
    task = FAMILIES[family].draw(state, rng)
    understood = None if task is None else understand(task.instruction, blocks, (family,))
    if task is None or understood is None:
        return None
    return task.instruction, Meaning(family=understood[0], arguments=understood[1])
