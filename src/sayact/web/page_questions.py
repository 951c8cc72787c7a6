"""Questions about drawn pages: symbols, numbers and people.

Points as in `questions`; there is no arm, so that <p0> is never named.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sayact.envs.language_table.task import pick
from sayact.web import page_wordings as wordings
from sayact.web.concepts import WORN, with_article
from sayact.web.faces import Face
from sayact.web.glyphs import foreign_names
from sayact.web.languages import LANGUAGES
from sayact.web.question import Question, draw_language, reading_order
from sayact.web.questions import MOST_LISTED
from sayact.web.scenes import ALL_SHAPES
from sayact.web.wordings import POINTING

COUNT = 6  # questions a page
TRIES = 5  # for each of them


@dataclass(frozen=True, kw_only=True)
class Item:
    """Something on a page. `place` in 0…1 of the picture; `noun` is English, or a number."""

    noun: str
    place: tuple[float, float]
    color: str | None = None
    face: Face | None = None

    @property
    def name(self) -> str:
        return self.noun if self.color is None else f"{self.color} {self.noun}"


Maker = Callable[[Sequence[Item], np.random.Generator], Question | None]


def page_questions(kind: str, items: Sequence[Item], rng: np.random.Generator) -> list[Question]:
    """A few questions, all different."""
    makers = MAKERS[kind]
    found: dict[tuple[object, ...], Question] = {}
    for _ in range(COUNT * TRIES):
        if len(found) == COUNT:
            break
        question = pick(makers, rng)(items, rng)
        if question is not None:
            found.setdefault(question.asked, question)
    return list(found.values())


def _question(
    question: str, answer: str, about: str, *items: Item | None, language: str = "en"
) -> Question:
    points = [None if item is None else item.place for item in items]
    return Question(
        question=question,
        answer=answer,
        about=about,
        language=language,
        points=(None, *points, *([None] * (2 - len(points)))),
    )


def _foreign(item: Item, language: str) -> str | None:
    """What an item is called in another language, its colour left out."""
    words = LANGUAGES[language]
    if item.noun in ALL_SHAPES:
        return words.shapes[item.noun][0]
    if item.noun.isdigit():
        return item.noun
    return foreign_names(language).get(item.noun)


def point(items: Sequence[Item], rng: np.random.Generator) -> Question | None:
    """Where is a thing, by noun where it is the only one, else with its colour?"""
    item, language = pick(items, rng), draw_language(rng)
    alone = Counter(other.noun for other in items)[item.noun] == 1
    foreign = None if language == "en" else _foreign(item, language)
    if foreign is not None and alone:
        question = pick(wordings.NAMED[language], rng).format(a=foreign)
        return _question(question, "<p1>", "pointing", item, language=language)
    called = f"number {item.noun}" if item.noun.isdigit() else item.noun
    if item.color is not None and (not alone or (rng.random() < 0.5 and not item.noun.isdigit())):
        called = f"{item.color} {called}"
    return _question(pick(POINTING["en"], rng).format(a=f"the {called}"), "<p1>", "pointing", item)


def what(items: Sequence[Item], rng: np.random.Generator) -> Question | None:
    item, language = pick(items, rng), draw_language(rng)
    foreign = None if language == "en" else _foreign(item, language)
    if foreign is None:
        answer = item.noun if item.noun.isdigit() else item.name
        return _question(pick(wordings.WHAT_AT["en"], rng), answer, "naming", item)
    return _question(
        pick(wordings.WHAT_AT[language], rng), foreign, "naming", item, language=language
    )


def color(items: Sequence[Item], rng: np.random.Generator) -> Question | None:
    item = pick(items, rng)
    if item.color is None:
        return None
    return _question(pick(wordings.COLOR_AT, rng), item.color, "attribute", item)


def everything(items: Sequence[Item], rng: np.random.Generator) -> Question | None:
    if len(items) > MOST_LISTED:
        return None
    ordered = sorted(items, key=lambda one: reading_order(*one.place))
    names = [one.noun if one.noun.isdigit() else one.name for one in ordered]
    answer = ", ".join(f"<p{3 + i}> {name}" for i, name in enumerate(names))
    return _question(pick(wordings.LIST_ALL, rng), answer, "listing", None, None, *ordered)


def how_many(items: Sequence[Item], rng: np.random.Generator) -> Question | None:
    return _question(pick(wordings.HOW_MANY, rng), str(len(items)), "counting")


def sum_all(items: Sequence[Item], rng: np.random.Generator) -> Question | None:
    return _question(pick(wordings.SUM_ALL, rng), str(sum(int(one.noun) for one in items)), "sum")


def sum_places(items: Sequence[Item], rng: np.random.Generator) -> Question | None:
    """Two numbers in the picture, meant by their places."""
    if len(items) < 2:
        return None
    first, second = (items[i] for i in rng.choice(len(items), size=2, replace=False))
    question = pick(wordings.SUM_TWO, rng).format(a="<p1>", b="<p2>")
    return _question(question, str(int(first.noun) + int(second.noun)), "sum", first, second)


def sum_words(items: Sequence[Item], rng: np.random.Generator) -> Question | None:
    """Two numbers in words; the picture does not matter."""
    language = draw_language(rng)
    first, second = (int(one) for one in rng.integers(0, 11, size=2))
    numbers = LANGUAGES[language].numbers
    question = pick(wordings.SUM_WORDS[language], rng).format(a=numbers[first], b=numbers[second])
    return _question(question, str(first + second), "sum", language=language)


def result(items: Sequence[Item], rng: np.random.Generator) -> Question | None:
    """Which number in the picture is a sum given in words?"""
    item = pick(items, rng)
    first = int(rng.integers(int(item.noun) + 1))
    names = LANGUAGES["en"].numbers
    asked = pick(wordings.RESULT_OF, rng).format(a=names[first], b=names[int(item.noun) - first])
    return _question(asked, f"{item.noun} <p1>", "sum", item)


def utmost(items: Sequence[Item], rng: np.random.Generator) -> Question | None:
    if len(items) < 2:
        return None
    largest = bool(rng.random() < 0.5)
    item = (max if largest else min)(items, key=lambda one: int(one.noun))
    asked = pick(wordings.LARGEST if largest else wordings.SMALLEST, rng)
    return _question(asked, f"{item.noun} <p1>", "relation", item)


def person(items: Sequence[Item], rng: np.random.Generator) -> Question | None:
    """The only one with an attribute."""
    attribute = pick(WORN, rng)
    having = [one for one in items if one.face is not None and attribute in one.face.worn]
    if len(having) != 1:
        return None
    called = f"the person with {with_article(attribute)}"
    return _question(pick(POINTING["en"], rng).format(a=called), "<p1>", "pointing", having[0])


def wears(items: Sequence[Item], rng: np.random.Generator) -> Question | None:
    item = pick(items, rng)
    if item.face is None:
        return None
    answer = " and ".join(with_article(one) for one in item.face.worn) or "nothing"
    return _question(pick(wordings.WEARS, rng), answer, "attribute", item)


def mood(items: Sequence[Item], rng: np.random.Generator) -> Question | None:
    item = pick(items, rng)
    if item.face is None:
        return None
    return _question(
        pick(wordings.MOOD, rng), "yes" if item.face.smile else "no", "attribute", item
    )


def hair(items: Sequence[Item], rng: np.random.Generator) -> Question | None:
    item = pick(items, rng)
    if item.face is None:
        return None
    return _question(pick(wordings.HAIR, rng), item.face.hair, "attribute", item)


def how_many_with(items: Sequence[Item], rng: np.random.Generator) -> Question | None:
    attribute = pick(WORN, rng)
    count = sum(one.face is not None and attribute in one.face.worn for one in items)
    asked = pick(wordings.HOW_MANY_WITH, rng).format(what=with_article(attribute))
    return _question(asked, str(count), "counting")


# A maker that stands here more than once is drawn more often.
MAKERS: Mapping[str, tuple[Maker, ...]] = {
    "things": (point, point, point, what, what, color, everything, how_many),
    "numbers": (point, what, sum_all, sum_places, sum_words, result, utmost),
    "faces": (person, person, wears, wears, mood, hair, how_many_with),
}
