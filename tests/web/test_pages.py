"""Drawn pages: every glyph is in the font, and what is asked is what is drawn."""

import re

import numpy as np
import pytest
from PIL import Image, ImageDraw

from sayact.web.faces import Face
from sayact.web.glyphs import SYMBOLS, font, foreign_names
from sayact.web.languages import LANGUAGES
from sayact.web.page import draw_page
from sayact.web.page_questions import MAKERS, Item, page_questions

PLAIN = {"smile": True, "hair": "black", "skin": (255, 219, 172), "hat_color": (0, 0, 0)}


def number(value: int, x: float) -> Item:
    return Item(noun=str(value), place=(x, 0.5), color="red")


def person(x: float, **worn: bool) -> Item:
    face = Face(**({"glasses": False, "hat": False, "beard": False} | worn), **PLAIN)
    return Item(noun="person", place=(x, 0.5), face=face)


def answers(kind: str, *items: Item) -> set[tuple[str, str]]:
    rng = np.random.default_rng(0)
    return {(q.question, q.answer) for _ in range(200) for q in page_questions(kind, items, rng)}


def test_the_font_has_every_symbol() -> None:
    """What a font lacks it draws as one and the same box."""

    def drawn(glyph: str) -> bytes:
        canvas = Image.new("L", (64, 64))
        ImageDraw.Draw(canvas).text((8, 8), glyph, fill=255, font=font(40))
        return canvas.tobytes()

    box, blank = drawn("\U0010fffd"), drawn(" ")
    for name, glyph in SYMBOLS.items():
        assert drawn(glyph) not in (box, blank), name


def test_symbols_have_foreign_names() -> None:
    assert foreign_names("de")["anchor"] == "anker"
    assert foreign_names("ja")["scissors"] == "はさみ"
    for language in LANGUAGES:
        if language != "en":
            assert len(foreign_names(language)) > 40


def test_pages_differ_and_ask_of_what_is_there() -> None:
    kinds = set()
    for index in range(40):
        picture, questions = draw_page(np.random.default_rng([0, index]))
        assert picture.shape == (180, 320, 3)
        assert questions
        for question in questions:
            kinds.add(question.about)
            for place in re.findall(r"<p(\d+)>", question.question + question.answer):
                x, y = question.points[int(place)] or (-1, -1)
                assert 0 < x < 1
                assert 0 < y < 1
                ground = np.median(picture.reshape(-1, 3), axis=0)
                row, column = int(y * 180), int(x * 320)
                around = picture[max(row - 14, 0) : row + 15, max(column - 14, 0) : column + 15]
                assert np.abs(around.astype(float) - ground).max() > 40, "nothing is drawn there"
    assert kinds >= {"pointing", "naming", "sum", "counting", "listing", "attribute", "relation"}


def test_sums_are_right() -> None:
    found = answers("numbers", number(3, 0.2), number(9, 0.6))
    assert ("what is the sum of the numbers?", "12") in found
    assert ("find the largest number", "9 <p1>") in found
    sums = [(q, a) for q, a in found if "plus" in q and "<" not in q + a]
    words = LANGUAGES["en"].numbers
    checked = 0
    for question, answer in sums:
        terms = re.search(r"(\w+) plus (\w+)", question)
        if terms and terms[1] in words and terms[2] in words:
            assert words.index(terms[1]) + words.index(terms[2]) == int(answer)
            checked += 1
    assert checked > 20


def test_people_are_told_apart() -> None:
    found = answers(
        "faces", person(0.2, glasses=True, hat=True), person(0.5, hat=True), person(0.8)
    )
    assert ("where is the person with glasses?", "<p1>") in found
    assert not any("person with a hat" in question for question, _ in found)
    assert ("how many people have a hat?", "2") in found
    assert ("describe the person at <p1>", "glasses and a hat") in found
    assert ("describe the person at <p1>", "nothing") in found


@pytest.mark.parametrize("kind", MAKERS)
def test_an_item_alone_is_enough(kind: str) -> None:
    item = {"numbers": number(5, 0.5), "faces": person(0.5)}.get(
        kind, Item(noun="anchor", place=(0.5, 0.5), color="blue")
    )
    assert answers(kind, item)
