"""Tiles: every concept can be painted, named in every language, and told from the others."""

import numpy as np
import pytest
from jaxtyping import Float64
from PIL import Image

from sayact.envs.language_table.blocks import RGB
from sayact.schema.errors import UnknownNameError
from sayact.web.concept_words import (
    CATEGORIES,
    CONCEPT_WORDS,
    NAMED,
    concept_name,
    the_category,
    the_concept,
)
from sayact.web.concepts import CONCEPTS, PLATE, WORN, category_of, plate_color, worn_by
from sayact.web.faces import draw_face
from sayact.web.languages import LANGUAGES
from sayact.web.tiles import DRAWINGS, paint_tile

ALL = [concept for each in CONCEPTS.values() for concept in each]
SEEN = (15, 12)  # pixels of a tile's picture where rt2-nano sees it
EXAMPLES, QUESTIONS = 16, 3  # of each concept


@pytest.mark.parametrize("concept", ALL)
def test_a_concept_has_many_pictures(concept: str) -> None:
    rng = np.random.default_rng(0)
    pictures = [paint_tile(concept, rng) for _ in range(4)]
    assert len({picture.tobytes() for picture in pictures}) == 4
    assert pictures[0].shape == (64, 64, 3)
    again = np.random.default_rng(0)
    assert np.array_equal(paint_tile(concept, again), pictures[0])


def form(picture: np.ndarray) -> Float64[np.ndarray, "N"]:
    """What stands out from the ground where a network sees the tile; no colours, no frame."""
    small = np.asarray(Image.fromarray(picture).resize(SEEN, Image.Resampling.BOX), float)[
        1:-1, 1:-1
    ]
    off = np.linalg.norm(small - np.median(small.reshape(-1, 3), axis=0), axis=2)
    return (off / (np.linalg.norm(off) + 1e-6)).ravel()


def test_forms_are_told_apart_when_the_picture_is_shrunk() -> None:
    """By the nearest of a few examples, which knows nothing of digits or fish."""
    concepts = [c for c in ALL if category_of(c) not in ("person", PLATE)]
    known, new = np.random.default_rng(0), np.random.default_rng(1)
    examples = [(form(paint_tile(c, known)), c) for c in concepts for _ in range(EXAMPLES)]
    stack = np.stack([one for one, _ in examples])
    right = [
        examples[int(((stack - form(paint_tile(c, new))) ** 2).sum(1).argmin())][1] == c
        for c in concepts
        for _ in range(QUESTIONS)
    ]
    assert np.mean(right) > 0.88


@pytest.mark.parametrize("concept", CONCEPTS[PLATE])
def test_a_plain_plate_is_of_its_colour(concept: str) -> None:
    picture = paint_tile(concept, np.random.default_rng(0))
    middle = np.median(picture[20:44, 20:44].reshape(-1, 3), axis=0) / 255
    far = {color: float(np.abs(middle - np.array(rgb)).max()) for color, rgb in RGB.items()}
    assert min(far, key=far.__getitem__) == plate_color(concept)


@pytest.mark.parametrize(
    ("arrow", "low"), [("up", (1, 0)), ("down", (1, 1)), ("left", (0, 0)), ("right", (0, 1))]
)
def test_arrows_show_where_they_say(arrow: str, low: tuple[int, int]) -> None:
    """The half with the head has more ink. `low`: picture axis, and which end of it."""
    axis, end = low
    for seed in range(5):
        picture = paint_tile(f"{arrow} arrow", np.random.default_rng(seed)).astype(float)[
            8:-8, 8:-8
        ]
        ink = np.linalg.norm(picture - picture[2, 2], axis=2).sum(axis=axis)
        halves = ink[: len(ink) // 2].sum(), ink[len(ink) // 2 :].sum()
        assert halves[end] > halves[1 - end]


def test_people_have_what_their_concept_says() -> None:
    rng = np.random.default_rng(0)
    for concept in CONCEPTS["person"]:
        assert draw_face(rng, worn_by(concept)).worn == list(worn_by(concept))
    assert worn_by("person with glasses and a beard") == ("glasses", "beard")
    assert worn_by("apple") == ()


def test_what_is_not_drawn_is_refused() -> None:
    assert set(DRAWINGS) == set(NAMED)
    with pytest.raises(UnknownNameError, match="tile concept"):
        paint_tile("poem", np.random.default_rng(0))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_names_every_concept(language: str) -> None:
    words = CONCEPT_WORDS[language]
    assert set(words.concepts) == set(NAMED)
    assert set(words.categories) == {*CATEGORIES, PLATE}
    assert set(words.worn) == set(WORN)
    assert len({concept_name(language, concept) for concept in ALL}) == len(ALL)
    assert len({the_concept(language, concept) for concept in ALL}) == len(ALL)


@pytest.mark.parametrize(
    ("language", "concept", "bare", "meant"),
    [
        ("en", "3", "3", "the 3"),
        ("en", "person with a hat", "person with a hat", "the person with a hat"),
        ("de", "tree", "Baum", "der Baum"),
        ("de", "purple plate", "lila Platte", "die lila Platte"),
        ("fr", "bird", "oiseau", "l'oiseau"),
        ("fr", "green plate", "plaque verte", "la plaque verte"),
        ("es", "anchor", "ancla", "el ancla"),
        ("it", "umbrella", "ombrello", "l'ombrello"),
        ("it", "8", "8", "il numero 8"),
        ("pt", "apple", "maçã", "a maçã"),
        ("zh", "person with glasses", "戴眼镜的人", "戴眼镜的人"),
        ("ja", "red plate", "赤いプレート", "赤いプレート"),
    ],
)
def test_names_with_and_without_article(language: str, concept: str, bare: str, meant: str) -> None:
    assert (concept_name(language, concept), the_concept(language, concept)) == (bare, meant)


def test_categories_have_names() -> None:
    assert the_category("en", "digit") == "the number"
    assert the_category("fr", "animal") == "l'animal"
    assert the_category("de", "fruit") == "die Frucht"
