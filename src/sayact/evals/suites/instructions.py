"""Unseen instructions: other words for known pushes, pairs left out of training, typing errors,
other languages (RT-1, table 2: unseen instructions; RT-2, table 8: multilingual).

The table is the robot's own; only the sentence is one that no demonstration says.
"""

import numpy as np

from sayact.envs.language_table import words
from sayact.envs.language_table.start import Start
from sayact.envs.language_table.task import pick
from sayact.envs.language_table.words import Arguments, Either, Joined, Phrase
from sayact.evals.suites.laying import (
    HELD_OUT_PAIRS,
    PUSHES,
    ROBOT_BLOCKS,
    push_start,
    template,
)
from sayact.evals.suites.suite import Suite
from sayact.web import wordings
from sayact.web.languages import LANGUAGES
from sayact.web.lexicon import the_name
from sayact.web.typing_errors import mistyped

# --- other words -----------------------------------------------------------------------------

# None of these stands in the templates of the robot's seven families, and each alone tells
# what is to be done.
NEW_VERBS = ("shove", "nudge", "drag", "bring", "shift", "take", "transport", "get")
NEW_WAYS_TO_BLOCK = ("over to the", "up against the", "beside the", "right by the", "near the")
NEW_PLACES = {
    "top": ("the upper edge", "the upper end of the table", "the edge nearest to the robot"),
    "top_left": ("the upper left part of the table", "the corner at the upper left"),
    "top_right": ("the upper right part of the table", "the corner at the upper right"),
    "center": ("the middle of the table", "the central area"),
    "center_left": ("the left edge", "the left end of the table"),
    "center_right": ("the right edge", "the right end of the table"),
    "bottom": ("the lower edge", "the lower end of the table"),
    "bottom_left": ("the lower left part of the table", "the corner at the lower left"),
    "bottom_right": ("the lower right part of the table", "the corner at the lower right"),
}
NEW_STRAIGHT = {
    "up": ("away from the camera", "further up"),
    "down": ("towards the camera", "further down"),
    "left": ("leftwards", "further left"),
    "right": ("rightwards", "further right"),
}
NEW_AMOUNTS = {"near": ("a tad", "by a small step"), "far": ("quite far", "by a long way")}


def new_wording(family: str, arguments: Arguments) -> Phrase:
    """All new sentences for a push."""
    block, *rest = arguments
    opening = Joined(
        Either(*NEW_VERBS, *(f"please {verb}" for verb in NEW_VERBS)), "the", _name(block)
    )
    match family:
        case "block2block":
            return Joined(opening, Either(*NEW_WAYS_TO_BLOCK), _name(rest[0]))
        case "block2absolute":
            return Joined(opening, Either("over to", "into", "all the way to"), _place(rest[0]))
        case _:
            direction, distance = rest
            ways = (Either(*NEW_STRAIGHT[part]) for part in direction.split("_"))
            return Joined(opening, _and(*ways), Either(*NEW_AMOUNTS[distance]))


def _name(block: str) -> str:
    return block.replace("_", " ")


def _place(place: str) -> Phrase:
    return Either(*NEW_PLACES[place])


def _and(first: Phrase, *second: Phrase) -> Phrase:
    return Joined(first, "and", *second) if second else first


def _new_words(rng: np.random.Generator, index: int) -> Start:
    def say(family: str, arguments: Arguments, rng: np.random.Generator) -> str:
        return words.say(new_wording(family, arguments), rng)

    return push_start(ROBOT_BLOCKS, PUSHES[index % len(PUSHES)], rng, say=say)


# --- pairs left out of training --------------------------------------------------------------


def _pairs(rng: np.random.Generator, index: int) -> Start:
    family, block = HELD_OUT_PAIRS[index % len(HELD_OUT_PAIRS)]
    return push_start(ROBOT_BLOCKS, family, rng, pushable=(block,))


# --- typing errors ---------------------------------------------------------------------------


def _typos(rng: np.random.Generator, index: int) -> Start:
    def say(family: str, arguments: Arguments, rng: np.random.Generator) -> str:
        return mistyped(template(family, arguments, rng), rng)

    return push_start(ROBOT_BLOCKS, PUSHES[index % len(PUSHES)], rng, say=say)


# --- other languages -------------------------------------------------------------------------

OTHERS = tuple(language for language in LANGUAGES if language != "en")
TRANSLATED = ("block2block", "block2absolute")


def translated(family: str, arguments: Arguments, language: str, rng: np.random.Generator) -> str:
    """A push to a block or a place, in another language."""
    block, goal = arguments
    moved = the_name(language, block, moved=True)
    if family == "block2block":
        return pick(wordings.TO_BLOCK[language], rng).format(a=moved, b=the_name(language, goal))
    place = LANGUAGES[language].places[goal]
    return pick(wordings.TO_PLACE[language], rng).format(a=moved, what=place)


def _languages(rng: np.random.Generator, index: int) -> Start:
    """Languages take turns, and the two families after every round of them."""
    language = OTHERS[index % len(OTHERS)]
    family = TRANSLATED[index // len(OTHERS) % len(TRANSLATED)]

    def say(family: str, arguments: Arguments, rng: np.random.Generator) -> str:
        return translated(family, arguments, language, rng)

    return push_start(ROBOT_BLOCKS, family, rng, say=say)


INSTRUCTIONS = (
    Suite(
        name="wordings",
        title="new wordings",
        group="instructions",
        about="verbs, places and turns of phrase that no demonstration says",
        draw=_new_words,
    ),
    Suite(
        name="pairs",
        title="new pairs",
        group="instructions",
        about="six pairs of skill and block that an experiment leaves out of its demonstrations",
        draw=_pairs,
    ),
    Suite(
        name="typos",
        title="typing errors",
        group="instructions",
        about="the robot's sentences with one or two words mistyped",
        draw=_typos,
    ),
    Suite(
        name="languages",
        title="languages",
        group="languages",
        about=f"seven other languages in turns: {', '.join(OTHERS)}",
        draw=_languages,
    ),
)
