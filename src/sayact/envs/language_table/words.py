"""What the seven families say: every instruction of Language-Table, drawn, listed and understood.

A sentence is a `Phrase`: a string, `Joined` phrases in a row, or `Either` of several, picked
uniformly at each fork. One phrase serves three ways: `say` draws a sentence with a generator,
`spell_out` lists all of them, `understands` tells whether a sentence is among them.

    Joined(Either("push the", "move the"), "red moon", Either("to the", "next to the"), "blue cube")

Templates: Language-Table, commit 5b7bf0e; tests hold the counts of distinct sentences to those
measured there.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from sayact.schema.errors import UnknownNameError

# --- phrases ---------------------------------------------------------------------------------


@dataclass(frozen=True, init=False)
class Either:
    """One of several phrases, each as likely as the others."""

    options: tuple["Phrase", ...]

    def __init__(self, *options: "Phrase") -> None:
        object.__setattr__(self, "options", options)


@dataclass(frozen=True, init=False)
class Joined:
    """Phrases one after the other, a blank between them."""

    parts: tuple["Phrase", ...]

    def __init__(self, *parts: "Phrase") -> None:
        object.__setattr__(self, "parts", parts)


Phrase = str | Either | Joined


def say(phrase: Phrase, rng: np.random.Generator) -> str:
    """Draw one sentence."""
    if isinstance(phrase, str):
        return phrase
    if isinstance(phrase, Either):
        return say(phrase.options[rng.integers(len(phrase.options))], rng)
    return " ".join(say(part, rng) for part in phrase.parts)


def spell_out(phrase: Phrase) -> Iterator[str]:
    """Every sentence that `say` can draw."""
    if isinstance(phrase, str):
        yield phrase
    elif isinstance(phrase, Either):
        for option in phrase.options:
            yield from spell_out(option)
    elif len(phrase.parts) == 1:
        yield from spell_out(phrase.parts[0])
    else:
        endings = list(spell_out(Joined(*phrase.parts[1:])))
        for beginning in spell_out(phrase.parts[0]):
            yield from (f"{beginning} {ending}" for ending in endings)


def understands(phrase: Phrase, sentence: str) -> bool:
    """Whether `sentence` is one that `say` can draw."""
    return any(not rest for rest in _rests(phrase, sentence))


def _rests(phrase: Phrase, text: str) -> Iterator[str]:
    """What may be left of `text` once the phrase is read off its beginning."""
    if isinstance(phrase, str):
        if text == phrase:
            yield ""
        elif text.startswith(phrase + " "):
            yield text[len(phrase) + 1 :]
    elif isinstance(phrase, Either):
        for option in phrase.options:
            yield from _rests(option, text)
    elif not phrase.parts:
        yield text
    else:
        for rest in _rests(phrase.parts[0], text):
            yield from _rests(Joined(*phrase.parts[1:]), rest)


# --- vocabulary ------------------------------------------------------------------------------

PUSH_VERBS = ("push the", "move the", "slide the", "put the")
RELATIVE_VERBS = ("move the", "push the", "slide the")
PREPOSITIONS = ("to the", "towards the", "close to the", "next to the")
POINT_VERBS = (
    "point next to the",
    "point close to the",
    "point to the",
    "point at the",
    *(
        f"{move} {preposition}"
        for move in ("move the arm", "move your arm", "move")
        for preposition in ("next to the", "close to the", "to the")
    ),
)
PLACES = {
    "top": ("top side", "top", "towards your base"),
    "top_left": (
        "top left of the board",
        "top left",
        "upper left corner",
        "top left corner",
    ),
    "top_right": (
        "top right of the board",
        "top right",
        "upper right corner",
        "top right corner",
    ),
    "center": ("middle of the board", "center of the board", "center", "middle"),
    "center_left": ("left side of the board", "center left", "left side"),
    "center_right": ("right side of the board", "center right", "right side"),
    "bottom": ("bottom side", "bottom"),
    "bottom_left": (
        "bottom left of the board",
        "bottom left",
        "lower left corner",
        "bottom left corner",
    ),
    "bottom_right": (
        "bottom right of the board",
        "bottom right",
        "lower right corner",
        "bottom right corner",
    ),
}
CORNER_WORDS = ("bottom left of the board", "bottom left", "bottom left corner")
DIRECTIONS = ("up", "down", "left", "right", "up_left", "up_right", "down_left", "down_right")
STRAIGHT_WORDS = {
    "up": ("up", "upwards"),
    "down": ("down", "downwards"),
    "left": ("to the left", "left"),
    "right": ("to the right", "right"),
}
DISTANCES = ("near", "far")
SLIGHTLY = ("slightly", "a bit", "a little", "a little bit", "somewhat")
RELATIONS = {
    "up": ("above the", "to the top side of the", "to the top of the"),
    "down": ("below the", "to the bottom side of the", "to the bottom of the"),
    **{
        side: (
            f"just {side} of the",
            f"to the {side} of the",
            f"{side} of the",
            f"to the {side} side of the",
        )
        for side in ("left", "right")
    },
    **{
        f"{vertical}_{side}": (
            f"to the {edge} {side} side of the",
            f"to the {edge} {side} of the",
            f"diagonally {vertical} and to the {side} of the",
        )
        for vertical, edge in (("up", "top"), ("down", "bottom"))
        for side in ("left", "right")
    },
}
GROUP_WORDS = ("group", "clump", "group of blocks")

# From four neighbours on they are only ever called a group; three may be called either way.
LEAST_NEIGHBOURS_OF_A_GROUP = 4

# --- one phrase for each task ----------------------------------------------------------------

Blocks = Sequence[str]  # names of the blocks on the table, like "red_moon"


def block_names(block: str, blocks: Blocks) -> tuple[str, ...]:
    """All names of a block; colour or shape alone only where they are unique on the table."""
    color, shape = block.split("_")
    colors = Counter(other.split("_")[0] for other in blocks)
    shapes = Counter(other.split("_")[1] for other in blocks)
    names = (f"{color} {shape}",)
    if shapes[shape] == 1:
        names = (shape, *names)
    if colors[color] == 1:
        names = (f"{color} block", *names)
    return names


def _name(block: str, blocks: Blocks, ending: str = "") -> Either:
    return Either(*(name + ending for name in block_names(block, blocks)))


def block2block(blocks: Blocks, block: str, target: str) -> Phrase:
    return Joined(
        Either(*PUSH_VERBS), _name(block, blocks), Either(*PREPOSITIONS), _name(target, blocks)
    )


def block2absolute(blocks: Blocks, block: str, place: str) -> Phrase:
    return Joined(Either(*PUSH_VERBS), _name(block, blocks), "to the", Either(*PLACES[place]))


def block2relative(blocks: Blocks, block: str, direction: str, distance: str) -> Phrase:
    """Far says verb, block and direction; near adds a word for "slightly" in one of three spots."""
    verb, name, where = Either(*RELATIVE_VERBS), _name(block, blocks), _direction(direction)
    if distance == "far":
        return Joined(verb, name, where)
    slightly = Either(*SLIGHTLY)
    return Either(
        Joined("slightly", verb, name, where),
        Joined(verb, name, slightly, where),
        Joined(verb, name, where, slightly),
    )


def _direction(direction: str) -> Phrase:
    words = [Either(*STRAIGHT_WORDS[part]) for part in direction.split("_")]
    if len(words) == 1:
        return words[0]
    vertical, horizontal = words
    return Either(
        Joined(vertical, "and", horizontal),
        Joined(vertical, "and then", horizontal),
        Joined("diagonally", vertical, "and", horizontal),
        Joined(vertical, "and", horizontal, "diagonally"),
    )


def block2block_relative(blocks: Blocks, block: str, target: str, direction: str) -> Phrase:
    return Joined(
        Either(*PUSH_VERBS),
        _name(block, blocks),
        Either(*RELATIONS[direction]),
        _name(target, blocks),
    )


def separate(blocks: Blocks, block: str, neighbours: tuple[str, ...]) -> Phrase:
    name, others = _name(block, blocks), _neighbours(blocks, neighbours)
    return Either(
        Joined("pull the", name, "apart from the", others),
        Joined("move the", name, "away from the", others),
        Joined("separate the", name, "from the", others),
    )


def _neighbours(blocks: Blocks, neighbours: tuple[str, ...]) -> Phrase:
    group = Either(*GROUP_WORDS)
    if len(neighbours) >= LEAST_NEIGHBOURS_OF_A_GROUP:
        return group
    *before, last = neighbours
    if not before:
        return _name(last, blocks)
    if len(before) == 1:
        return Joined(_name(before[0], blocks), "and", _name(last, blocks))
    listed = Joined(*(_name(one, blocks, ",") for one in before), "and", _name(last, blocks))
    return Either(listed, group)


def point2block(blocks: Blocks, block: str) -> Phrase:
    return Joined(Either(*POINT_VERBS), _name(block, blocks))


def block1_to_corner(blocks: Blocks, block: str) -> Phrase:
    return Joined(Either(*PUSH_VERBS), _name(block, blocks), "to the", Either(*CORNER_WORDS))


# --- all tasks of a family, all sentences ----------------------------------------------------

Arguments = tuple[Any, ...]  # what a family's phrase function takes after `blocks`


@dataclass(frozen=True)
class Wording:
    """The phrase of a family's task, and the arguments of all its tasks on a table."""

    phrase: Callable[..., Phrase]
    arguments: Callable[[Blocks], Iterator[Arguments]]


def _separate_arguments(blocks: Blocks) -> Iterator[Arguments]:
    """A block and its neighbours, nearest first; any four stand for all larger groups."""
    for block in blocks:
        others = [other for other in blocks if other != block]
        for count in range(1, LEAST_NEIGHBOURS_OF_A_GROUP):
            yield from ((block, neighbours) for neighbours in permutations(others, count))
        if len(others) >= LEAST_NEIGHBOURS_OF_A_GROUP:
            yield block, tuple(others[:LEAST_NEIGHBOURS_OF_A_GROUP])


def _singles(blocks: Blocks) -> Iterator[Arguments]:
    return ((block,) for block in blocks)


WORDINGS = {
    "block2block": Wording(block2block, lambda blocks: permutations(blocks, 2)),
    "block2absolute": Wording(
        block2absolute, lambda blocks: ((block, place) for block in blocks for place in PLACES)
    ),
    "block2relative": Wording(
        block2relative,
        lambda blocks: ((b, d, far) for b in blocks for d in DIRECTIONS for far in DISTANCES),
    ),
    "block2block_relative": Wording(
        block2block_relative,
        lambda blocks: ((b, t, d) for b, t in permutations(blocks, 2) for d in DIRECTIONS),
    ),
    "separate": Wording(separate, _separate_arguments),
    "point2block": Wording(point2block, _singles),
    "block1_to_corner": Wording(block1_to_corner, _singles),
}


def instructions(family: str, blocks: Blocks) -> list[str]:
    """Every distinct sentence the family can say about these blocks (34,736 in all for BLOCK_8)."""
    if family not in WORDINGS:
        raise UnknownNameError("family", family, WORDINGS)
    wording = WORDINGS[family]
    phrases = (wording.phrase(blocks, *arguments) for arguments in wording.arguments(blocks))
    return list(dict.fromkeys(sentence for phrase in phrases for sentence in spell_out(phrase)))


def understand(
    instruction: str, blocks: Blocks, families: Sequence[str] = tuple(WORDINGS)
) -> tuple[str, Arguments] | None:
    """The family and the arguments of the task that an instruction names, if it names one.

    Two thirds of what `block1_to_corner` says, `block2absolute` says too; the first family wins.
    """
    # By far the most tasks are those of "separate": look there last.
    for family in sorted(families, key=lambda family: family == "separate"):
        wording = WORDINGS[family]
        for arguments in wording.arguments(blocks):
            if understands(wording.phrase(blocks, *arguments), instruction):
                return family, arguments
    return None
