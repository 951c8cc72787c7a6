"""What a tile can show, by category; the English names are those that answers say.

    digit 3   letter K   symbol anchor   fruit apple   animal fish
    person "person with glasses"   plate "purple plate" (one colour, nothing on it)

Few enough, and unlike enough, that they are told apart on a plate of 8 cm when the camera's picture
is shrunk to 152 × 84: a plate is then 15 × 12 pixels.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations

from sayact.schema.errors import UnknownNameError

PERSON, PLATE = "person", "plate"
WORN = ("glasses", "hat", "beard")  # what "the person with …" can name
MOST_WORN = 2


def person(worn: Sequence[str]) -> str:
    """The concept of a person who has these: "person with glasses and a hat"."""
    if not worn:
        return PERSON
    return f"{PERSON} with " + " and ".join(with_article(one) for one in worn)


def with_article(attribute: str) -> str:
    return attribute if attribute == "glasses" else f"a {attribute}"


CONCEPTS: Mapping[str, tuple[str, ...]] = {
    "digit": tuple("0123456789"),
    # Without those that are taken for a digit or for one another (B O S I Z; F G Q R W …).
    "letter": tuple("ACEHKLMPTUXY"),
    "symbol": (
        "heart",
        "star",
        "moon",
        "sun",
        "up arrow",
        "down arrow",
        "left arrow",
        "right arrow",
        "smiley",
        "cloud",
        "umbrella",
        "note",
        "anchor",
        "flower",
        "lightning",
        "house",
        "tree",
    ),
    "fruit": ("apple", "banana", "pear", "cherry", "grapes", "watermelon"),
    "animal": ("fish", "bird", "cat", "rabbit", "mouse", "butterfly", "turtle"),
    PERSON: tuple(
        person(worn) for count in range(MOST_WORN + 1) for worn in combinations(WORN, count)
    ),
    # Not white, black or grey: grounds of other plates, and the board, are near these.
    PLATE: tuple(
        f"{color} {PLATE}"
        for color in (
            "red",
            "blue",
            "green",
            "yellow",
            "purple",
            "orange",
            "pink",
            "cyan",
            "brown",
        )
    ),
}
_CATEGORIES = {concept: category for category, each in CONCEPTS.items() for concept in each}


def category_of(concept: str) -> str:
    if concept not in _CATEGORIES:
        raise UnknownNameError("tile concept", concept, _CATEGORIES)
    return _CATEGORIES[concept]


def worn_by(concept: str) -> tuple[str, ...]:
    """What the person on a tile has, in the order of `WORN`."""
    if category_of(concept) != PERSON:
        return ()
    words = concept.split()
    return tuple(one for one in WORN if one in words)


def plate_color(concept: str) -> str | None:
    """The colour of a plate that shows nothing else."""
    return concept.split()[0] if category_of(concept) == PLATE else None
