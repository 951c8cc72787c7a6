"""References mean exactly one thing, or are not made; instructions say them."""

from collections.abc import Sequence

import numpy as np
import pytest

from sayact.envs.language_table.words import WORDINGS, instructions
from sayact.schema.errors import UnknownNameError
from sayact.web.concepts import CONCEPTS, category_of, worn_by
from sayact.web.instructions import KINDS, Reference, draw_reference, instruction
from sayact.web.languages import LANGUAGES
from sayact.web.placed import Placed, placed
from sayact.web.scenes import ROBOT_OBJECTS, draw_scene

BLOCKS = {"red_moon": (0.3, 0.0, 0.0), "red_star": (0.4, 0.1, 0.0), "blue_cube": (0.5, -0.25, 0.0)}


def tile(name: str, x: float, y: float, side: float = 0.08) -> Placed:
    return Placed(name=name, kind="tile", xy=(x, y), side=side)


TABLE = [
    *placed(BLOCKS),
    tile("3", 0.2, -0.2),
    tile("7", 0.5, 0.33),
    tile("A", 0.38, 0.18),
    tile("anchor", 0.45, -0.05, 0.11),
    tile("apple", 0.2, 0.1),
    tile("person with glasses and a hat", 0.55, 0.05, 0.05),
    tile("person with a hat", 0.55, 0.15),
    tile("red plate", 0.35, -0.1),
]


def found(
    kind: str, things: Sequence[Placed] = TABLE, *, pushed: str | None = "red_moon", language="en"
) -> set[tuple[str, str]]:
    """Words and target of what can be drawn."""
    rng = np.random.default_rng(0)
    drawn = (draw_reference(kind, things, rng, pushed=pushed, language=language) for _ in range(60))
    return {(one.words, one.target.name) for one in drawn if one is not None}


@pytest.mark.parametrize(
    ("kind", "words", "target"),
    [
        ("digit", "the 3", "3"),
        ("digit", "number 7", "7"),
        ("letter", "the letter A", "A"),
        ("symbol", "the anchor", "anchor"),
        ("thing", "the apple", "apple"),
        ("category", "the fruit", "apple"),
        ("category", "the letter", "A"),
        ("sum", "the sum of two and one", "3"),
        ("sum", "four plus three", "7"),
        ("same_color", "the block of the same color", "red_star"),
        ("same_color_plate", "the plate of the same color", "red plate"),
        ("smallest", "the smallest plate", "person with glasses and a hat"),
        ("largest", "the largest plate", "anchor"),
        ("smallest_number", "the smallest number", "3"),
        ("largest_number", "the largest number", "7"),
        ("farthest", "the plate farthest from the blue cube", "7"),
        ("nearest", "the plate nearest to the red star", "A"),
        ("person", "the person with glasses", "person with glasses and a hat"),
        ("color_plate", "the red plate", "red plate"),
    ],
)
def test_references(kind: str, words: str, target: str) -> None:
    assert (words, target) in found(kind)


def test_what_two_things_fit_is_not_said() -> None:
    assert {words for words, _ in found("person")} == {"the person with glasses"}
    assert not any("person" in words for words, _ in found("category"))
    twice = [*TABLE, tile("3", 0.4, 0.25), tile("banana", 0.25, 0.25), tile("blue plate", 0.5, 0.0)]
    assert {target for _, target in found("digit", twice)} == {"7"}
    assert not any(words == "the fruit" for words, _ in found("category", twice))
    assert not found("smallest_number", twice)
    alike = [tile("1", 0.2, 0.0, 0.08), tile("2", 0.4, 0.0, 0.075)]
    assert not found("smallest", alike) | found("largest", alike)


def test_the_pushed_block_is_never_the_target() -> None:
    for kind in KINDS:
        for pushed in BLOCKS:
            assert pushed not in {target for _, target in found(kind, pushed=pushed)}
    assert not found("same_color", pushed="blue_cube")
    assert not found("same_color", pushed=None)


def test_a_block_s_shape_is_not_taken_for_a_symbol() -> None:
    signs = [*TABLE, tile("moon", 0.25, 0.25), tile("sun", 0.35, 0.25)]
    assert {target for _, target in found("symbol", signs)} == {"anchor", "sun"}


def test_every_kind_is_known() -> None:
    with pytest.raises(UnknownNameError, match="kind of reference"):
        draw_reference("rhyme", TABLE, np.random.default_rng(0))


def reference(words: str, target: Placed, language: str = "en") -> Reference:
    return Reference(kind="digit", words=words, target=target, language=language)


def test_instructions() -> None:
    rng = np.random.default_rng(0)

    def said(pushed: str | None, meant: Reference) -> set[str]:
        return {instruction(pushed, meant, rng) for _ in range(100)}

    assert "push the red moon to the 3" in said("red_moon", reference("the 3", TABLE[3]))
    assert "put the red moon onto the 3" in said("red_moon", reference("the 3", TABLE[3]))
    beside = said("red_moon", reference("the block of the same color", TABLE[1]))
    assert "slide the red moon next to the block of the same color" in beside
    assert not any("onto" in sentence for sentence in beside)
    assert "point to the 3" in said(None, reference("the 3", TABLE[3]))
    assert said("red_moon", reference("le 3", TABLE[3], "fr")) == {"pousse la lune rouge vers le 3"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages(language: str) -> None:
    """What a language has no words for is said, and marked, as English."""
    rng = np.random.default_rng(0)
    spoken = set()
    for kind in KINDS:
        for _ in range(20):
            one = draw_reference(kind, TABLE, rng, pushed="red_moon", language=language)
            if one is not None:
                assert one.language == ("en" if kind in ("farthest", "nearest") else language)
                assert instruction("red_moon", one, rng)
                spoken.add(kind)
    assert spoken == set(KINDS)


def test_drawn_tables_have_every_kind() -> None:
    """And on each of them the target is the only one that fits."""
    rng = np.random.default_rng(0)
    kinds = set()
    for index in range(80):
        scene = draw_scene(np.random.default_rng([8, index]), tiles=1.0)
        lying = scene.placed
        pushed = next(iter(scene.things))
        for kind in KINDS:
            one = draw_reference(kind, lying, rng, pushed=pushed)
            if one is None:
                continue
            kinds.add(kind)
            tiles = [thing for thing in lying if thing.kind == "tile"]
            if kind == "category":
                assert [t.category for t in tiles].count(one.target.category) == 1
            elif kind == "person":
                worn = next(w for w in ("glasses", "hat", "beard") if w in one.words)
                assert [worn in worn_by(t.name) for t in tiles].count(True) == 1
            elif kind == "smallest":
                assert one.target.side == min(t.side for t in tiles)
            elif kind == "same_color_plate":
                assert one.target.color == pushed.split("_")[0]
            elif kind in ("digit", "letter", "symbol"):
                assert category_of(one.target.name) == kind
    assert kinds == set(KINDS)


def test_no_robot_sentence_says_any_of_it() -> None:
    robot = {
        word
        for family in WORDINGS
        for sentence in instructions(family, ROBOT_OBJECTS)
        for word in sentence.replace(",", "").split()
    }
    news = {"plate", "number", "letter", "fruit", "animal", "person", "sum", "plus", "color"}
    news |= {"smallest", "largest", "farthest", "furthest", "nearest", "closest", "onto"}
    assert robot.isdisjoint(news)
    concepts = {*CONCEPTS["symbol"], *CONCEPTS["fruit"], *CONCEPTS["animal"]}
    assert concepts & robot == {"moon", "star"}  # whose tiles lie on no table with such a block
