"""How references to things are said: "the 3", "the sum of two and one", "the plate nearest to …".

English has several ways for each, so that a model learns what is meant and not how it is said.
Other languages have one; what one of them has no words for is said in English.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from sayact.envs.language_table.task import pick
from sayact.web.concept_words import the_concept
from sayact.web.concepts import category_of

# Between what is pushed and where to.
TO_TILE = ("to", "to", "towards", "onto")
TO_BLOCK = ("to", "towards", "close to", "next to")

_DIGIT = ("the {}", "the {}", "the number {}", "number {}")
_LETTER = ("the {}", "the {}", "the letter {}", "letter {}")


def named(concept: str, rng: np.random.Generator, language: str) -> str:
    """ "the apple", "the 3", "the letter A", "the purple plate"."""
    ways = {"digit": _DIGIT, "letter": _LETTER}.get(category_of(concept))
    if language == "en" and ways is not None:
        return pick(ways, rng).format(concept)
    return the_concept(language, concept)


_SUM: Mapping[str, tuple[str, ...]] = {
    "en": (
        "the sum of {a} and {b}",
        "the sum of {a} plus {b}",
        "the number that is {a} plus {b}",
        "{a} plus {b}",
    ),
    "de": ("{a} plus {b}",),
    "fr": ("{a} plus {b}",),
    "es": ("{a} más {b}",),
    "it": ("{a} più {b}",),
    "pt": ("{a} mais {b}",),
    "zh": ("{a}加{b}",),
    "ja": ("{a}たす{b}",),
}


def sum_of(first: str, second: str, rng: np.random.Generator, language: str) -> str:
    return pick(_SUM[language], rng).format(a=first, b=second)


Kind = Literal["block", "tile"]
_SAME_COLOR: Mapping[str, Mapping[Kind, tuple[str, ...]]] = {
    "en": {
        "block": (
            "the block of the same color",
            "the block with the same color",
            "the other block of its color",
        ),
        "tile": (
            "the plate of the same color",
            "the plate with the same color",
            "the plate of its color",
        ),
    },
    "de": {"block": ("der Klotz der gleichen Farbe",), "tile": ("die Platte der gleichen Farbe",)},
    "fr": {"block": ("le bloc de la même couleur",), "tile": ("la plaque de la même couleur",)},
    "es": {"block": ("el bloque del mismo color",), "tile": ("la placa del mismo color",)},
    "it": {"block": ("il blocco dello stesso colore",), "tile": ("la placca dello stesso colore",)},
    "pt": {"block": ("o bloco da mesma cor",), "tile": ("a placa da mesma cor",)},
    "zh": {"block": ("相同颜色的积木",), "tile": ("相同颜色的牌子",)},
    "ja": {"block": ("同じ色のブロック",), "tile": ("同じ色のプレート",)},
}


def same_color(kind: Kind, rng: np.random.Generator, language: str) -> str:
    return pick(_SAME_COLOR[language][kind], rng)


_BY_SIZE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "smallest": {
        "en": ("the smallest plate",),
        "de": ("die kleinste Platte",),
        "fr": ("la plus petite plaque",),
        "es": ("la placa más pequeña",),
        "it": ("la placca più piccola",),
        "pt": ("a placa menor",),
        "zh": ("最小的牌子",),
        "ja": ("一番小さいプレート",),
    },
    "largest": {
        "en": ("the largest plate",),
        "de": ("die größte Platte",),
        "fr": ("la plus grande plaque",),
        "es": ("la placa más grande",),
        "it": ("la placca più grande",),
        "pt": ("a placa maior",),
        "zh": ("最大的牌子",),
        "ja": ("一番大きいプレート",),
    },
    "smallest_number": {
        "en": ("the smallest number",),
        "de": ("die kleinste Zahl",),
        "fr": ("le plus petit nombre",),
        "es": ("el número más pequeño",),
        "it": ("il numero più piccolo",),
        "pt": ("o número menor",),
        "zh": ("最小的数字",),
        "ja": ("一番小さい数字",),
    },
    "largest_number": {
        "en": ("the largest number",),
        "de": ("die größte Zahl",),
        "fr": ("le plus grand nombre",),
        "es": ("el número más grande",),
        "it": ("il numero più grande",),
        "pt": ("o número maior",),
        "zh": ("最大的数字",),
        "ja": ("一番大きい数字",),
    },
}


def by_size(kind: str, rng: np.random.Generator, language: str) -> str:
    return pick(_BY_SIZE[kind][language], rng)


_BY_DISTANCE = {
    "farthest": ("the {what} farthest from {a}", "the {what} furthest from {a}"),
    "nearest": ("the {what} nearest to {a}", "the {what} closest to {a}"),
}


def by_distance(name: str, kind: Kind, anchor: str, rng: np.random.Generator) -> str:
    """English alone."""
    what = "block" if kind == "block" else "plate"
    return pick(_BY_DISTANCE[name], rng).format(what=what, a=anchor)
