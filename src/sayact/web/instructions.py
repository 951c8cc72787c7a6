"""Instructions that name their goal by what the web alone knows: "push the red moon to the fruit".

    what lies there ── draw_reference(kind) ──▶ Reference ── instruction ──▶ sentence
                                                  └ target: the one thing that is meant

The one place for these words: the web asks with them, suites of `evals` measure with them, robot
data says none of them. A reference is only drawn where exactly one thing fits it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from typing import Literal

import numpy as np

from sayact.envs.language_table.blocks import color_of, shape_of
from sayact.envs.language_table.task import pick
from sayact.envs.language_table.words import POINT_VERBS, PUSH_VERBS
from sayact.schema.errors import UnknownNameError
from sayact.web import reference_words as words
from sayact.web.concept_words import CATEGORIES, the_category, the_person_with
from sayact.web.concepts import PERSON, PLATE, WORN, worn_by
from sayact.web.languages import LANGUAGES
from sayact.web.lexicon import the_name
from sayact.web.placed import Placed
from sayact.web.wordings import POINT_AT, TO_BLOCK

CLEARLY_SMALLER = 0.8  # of the next one's side
CLEARLY_NEARER = 0.05  # metres; plates are 0.08 wide


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A phrase with its article, "the 3", and the one thing that it means."""

    kind: str
    words: str
    target: Placed
    language: str = "en"


Things = Sequence[Placed]
Drawer = Callable[[Things, str | None, np.random.Generator, str], Reference | None]


def draw_reference(
    kind: str,
    scene: Things,
    rng: np.random.Generator,
    *,
    pushed: str | None = None,
    language: str = "en",
) -> Reference | None:
    """A reference of this kind to one thing of the scene; None where there is none.

    `pushed` is the block to be moved, which is never the target. Where a language has no words for
    the kind, the reference is English (`Reference.language`).
    """
    if kind not in KINDS:
        raise UnknownNameError("kind of reference", kind, KINDS)
    return _DRAWERS[kind](scene, pushed, rng, language)


def instruction(pushed: str | None, reference: Reference, rng: np.random.Generator) -> str:
    """ "push the red moon to the 3", in the reference's language; None: the arm shall go there."""
    language = reference.language
    if pushed is None:
        if language != "en":
            return pick(POINT_AT[language], rng).format(a=reference.words)
        return f"{pick(POINT_VERBS, rng).removesuffix(' the')} {reference.words}"
    moved = the_name(language, pushed, moved=True)
    if language != "en":
        return pick(TO_BLOCK[language], rng).format(a=moved, b=reference.words)
    verb = pick(PUSH_VERBS, rng).removesuffix(" the")
    ways = words.TO_TILE if reference.target.kind == "tile" else words.TO_BLOCK
    return f"{verb} {moved} {pick(ways, rng)} {reference.words}"


# --- the kinds -------------------------------------------------------------------------------


def _by_name(kind: str, *categories: str) -> Drawer:
    """ "the 3", "the anchor": the only tile of its name, and no block is of this shape."""

    def draw(
        scene: Things, pushed: str | None, rng: np.random.Generator, language: str
    ) -> Reference | None:
        tiles = [one for one in scene if one.kind == "tile"]
        shapes = {shape_of(one.name) for one in scene if one.kind == "block"}
        names = [one.name for one in tiles]
        options = [
            one
            for one in tiles
            if one.category in categories and names.count(one.name) == 1 and one.name not in shapes
        ]
        if not options:
            return None
        target = pick(options, rng)
        return _said(kind, target, words.named(target.name, rng, language), language)

    return draw


def _category(
    scene: Things, pushed: str | None, rng: np.random.Generator, language: str
) -> Reference | None:
    """ "the fruit": the only one."""
    present = [one.category for one in scene]
    options = [
        one for one in scene if one.category in CATEGORIES and present.count(one.category) == 1
    ]
    if not options:
        return None
    target = pick(options, rng)
    return _said("category", target, the_category(language, target.category), language)


def _sum(
    scene: Things, pushed: str | None, rng: np.random.Generator, language: str
) -> Reference | None:
    """ "the sum of two plus one": both at least one."""
    digits = [one for one in scene if one.category == "digit"]
    names = [one.name for one in digits]
    options = [one for one in digits if int(one.name) >= 2 and names.count(one.name) == 1]
    if not options:
        return None
    target = pick(options, rng)
    first = int(rng.integers(1, int(target.name)))
    numbers = LANGUAGES[language].numbers
    phrase = words.sum_of(numbers[first], numbers[int(target.name) - first], rng, language)
    return _said("sum", target, phrase, language)


def _same_color(kind: Literal["block", "tile"]) -> Drawer:
    """ "the block of the same color": as the pushed block."""

    def draw(
        scene: Things, pushed: str | None, rng: np.random.Generator, language: str
    ) -> Reference | None:
        if pushed is None:
            return None
        alike = [
            one
            for one in scene
            if one.kind == kind and one.color == color_of(pushed) and one.name != pushed
        ]
        if len(alike) != 1:
            return None
        name = "same_color" if kind == "block" else "same_color_plate"
        return _said(name, alike[0], words.same_color(kind, rng, language), language)

    return draw


def _by_size(largest: bool) -> Drawer:
    """ "the smallest plate"."""

    def draw(
        scene: Things, pushed: str | None, rng: np.random.Generator, language: str
    ) -> Reference | None:
        tiles = sorted((one for one in scene if one.kind == "tile"), key=lambda one: one.side)
        if largest:
            tiles.reverse()
        if len(tiles) < 2:
            return None
        sides = sorted((tiles[0].side, tiles[1].side))
        if sides[0] > CLEARLY_SMALLER * sides[1]:
            return None
        kind = "largest" if largest else "smallest"
        return _said(kind, tiles[0], words.by_size(kind, rng, language), language)

    return draw


def _by_number(largest: bool) -> Drawer:
    """ "the smallest number"."""

    def draw(
        scene: Things, pushed: str | None, rng: np.random.Generator, language: str
    ) -> Reference | None:
        digits = sorted(
            (one for one in scene if one.category == "digit"), key=lambda one: int(one.name)
        )
        if largest:
            digits.reverse()
        if len(digits) < 2 or digits[0].name == digits[1].name:
            return None
        kind = "largest_number" if largest else "smallest_number"
        return _said(kind, digits[0], words.by_size(kind, rng, language), language)

    return draw


def _by_distance(farthest: bool) -> Drawer:
    """ "the plate nearest to the blue cube", "the block furthest from the blue cube"."""

    def draw(
        scene: Things, pushed: str | None, rng: np.random.Generator, language: str
    ) -> Reference | None:
        anchors = [one for one in scene if one.kind == "block" and one.name != pushed]
        if not anchors:
            return None
        anchor, kind = pick(anchors, rng), pick(("block", "tile"), rng)
        others = sorted(
            (hypot(one.xy[0] - anchor.xy[0], one.xy[1] - anchor.xy[1]), index)
            for index, one in enumerate(scene)
            if one.kind == kind and one is not anchor
        )
        if farthest:
            others.reverse()
        if len(others) < 2 or abs(others[0][0] - others[1][0]) < CLEARLY_NEARER:
            return None
        target = scene[others[0][1]]
        if target.name == pushed:
            return None
        name = "farthest" if farthest else "nearest"
        phrase = words.by_distance(name, kind, the_name("en", anchor.name), rng)
        return _said(name, target, phrase, "en")

    return draw


def _person(
    scene: Things, pushed: str | None, rng: np.random.Generator, language: str
) -> Reference | None:
    """ "the person with glasses": the only one who has them."""
    having = {
        worn: [one for one in scene if one.kind == "tile" and worn in worn_by(one.name)]
        for worn in WORN
    }
    options = [(worn, found[0]) for worn, found in having.items() if len(found) == 1]
    if not options:
        return None
    worn, target = pick(options, rng)
    return _said(PERSON, target, the_person_with(language, worn), language)


KINDS = (
    "digit",
    "letter",
    "symbol",
    "thing",
    "category",
    "sum",
    "same_color",
    "same_color_plate",
    "smallest",
    "largest",
    "smallest_number",
    "largest_number",
    "farthest",
    "nearest",
    "person",
    "color_plate",
)
_DRAWERS: Mapping[str, Drawer] = {
    "digit": _by_name("digit", "digit"),
    "letter": _by_name("letter", "letter"),
    "symbol": _by_name("symbol", "symbol"),
    "thing": _by_name("thing", "fruit", "animal"),
    "category": _category,
    "sum": _sum,
    "same_color": _same_color("block"),
    "same_color_plate": _same_color("tile"),
    "smallest": _by_size(largest=False),
    "largest": _by_size(largest=True),
    "smallest_number": _by_number(largest=False),
    "largest_number": _by_number(largest=True),
    "farthest": _by_distance(farthest=True),
    "nearest": _by_distance(farthest=False),
    "person": _person,
    "color_plate": _by_name("color_plate", PLATE),
}


def _said(kind: str, target: Placed, phrase: str, language: str) -> Reference:
    return Reference(kind=kind, words=phrase, target=target, language=language)
