"""Questions about tables with tiles: true, and about tiles often enough to learn them."""

import re
from collections import Counter
from functools import cache

import numpy as np
import pytest

from sayact.envs.language_table.blocks import RGB, color_of
from sayact.envs.language_table.setting import Setting, Tile
from sayact.web import plans as plans_of_tasks
from sayact.web.concepts import CONCEPTS
from sayact.web.plans import staged_plan
from sayact.web.question import Question
from sayact.web.questions import table_questions
from sayact.web.scenes import Scene, draw_scene
from sayact.web.tile_questions import REFERRING
from sayact.web.tiles import paint_tile


def tile(name: str, x: float, y: float) -> Tile:
    return Tile(name=name, xy=(x, y), picture=paint_tile(name, np.random.default_rng(0)))


def scene_of(*tiles: Tile, **things: tuple[float, float, float]) -> Scene:
    return Scene(
        things=things,
        effector_xy=np.array((0.5, 0.1)),
        colors={thing: RGB[color_of(thing)] for thing in things},
        setting=Setting(tiles=tiles),
    )


TABLE = scene_of(
    tile("3", 0.25, -0.2),
    tile("apple", 0.25, 0.2),
    tile("person with glasses", 0.5, -0.2),
    red_moon=(0.35, 0.0, 0.0),
    blue_cube=(0.55, 0.25, 0.0),
)


def asked(kind: str, count: int = 300) -> list[Question]:
    rng = np.random.default_rng(0)
    drawn = (REFERRING[kind](TABLE, rng, "en") for _ in range(count))
    return [one for one in drawn if one is not None]


def place_of(name: str) -> np.ndarray:
    (xy,) = [one.xy for one in TABLE.placed if one.name == name]
    return TABLE.in_picture(np.array(xy))


def test_plans_name_the_goal_and_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans_of_tasks, "MISTYPED", 0.0)
    plans = {question.question: question for question in asked("plan", 600)}
    for ending, goal in (
        (" the 3", "3"),
        (" the fruit", "apple"),
        (" the sum of one and two", "3"),
        (" one plus two", "3"),
    ):
        meant = [one for sentence, one in plans.items() if sentence.endswith(ending)]
        assert meant
        for one in meant:
            assert one.answer.endswith(f" <p1> to {goal} <p2>")
            assert one.points[2] == pytest.approx(place_of(goal), abs=1e-3)
            moved = one.answer.split(" <p1>")[0]
            assert moved == "arm" or f" the {moved} " in f" {one.question}"
    people = [one for text, one in plans.items() if "person with glasses" in text]
    assert people
    for one in people:
        assert one.answer.endswith("to person <p2>")
        assert one.points[2] == pytest.approx(place_of("person with glasses"), abs=1e-3)
    arms = [one for one in plans.values() if one.answer.startswith("arm <p1> to ")]
    assert arms
    assert all(one.points[1] == one.points[0] for one in arms)


def test_what_has_to_be_thought_about_is_named_first() -> None:
    answers = {question.question: question.answer for question in asked("pointing")}
    assert answers["where is the 3?"] == "<p1>"
    assert answers["where is the apple?"] == "<p1>"
    assert answers["where is the fruit?"] == "apple <p1>"
    sums = {answer for question, answer in answers.items() if "two plus one" in question}
    assert sums == {"3 <p1>"}


def test_tiles_are_named_and_listed() -> None:
    named = {(q.answer, q.points[1]) for q in asked("naming")}
    assert {answer for answer, _ in named} == {"3", "apple", "person with glasses"}
    for answer, point in named:
        assert point == pytest.approx(place_of(answer), abs=1e-3)
    listed = asked("listing")[0]
    assert listed.answer == "<p3> 3, <p4> apple, <p5> person with glasses"
    assert listed.points[3] == pytest.approx(place_of("3"), abs=1e-3)


@cache
def drawn(tiles: float, count: int = 60) -> list[tuple[Scene, Question]]:
    found = []
    for index in range(count):
        rng = np.random.default_rng([4, index])
        scene = draw_scene(rng, tiles=tiles)
        found += [(scene, question) for question in table_questions(scene, rng)]
    return found


def test_a_table_with_tiles_is_asked_about_them() -> None:
    shares = Counter()
    for scene, question in drawn(1.0):
        assert "{" not in question.question + question.answer
        places = [scene.in_picture(np.array(one.xy)) for one in scene.setting.tiles]
        of_tile = any(
            point is not None and np.abs(np.array(point) - place).max() < 1e-3
            for point in question.points[1:3]
            for place in places
        )
        shares[question.about, of_tile] += 1
    for kind in ("pointing", "plan"):
        assert shares[kind, True] > shares[kind, False]
    plans = shares["plan", True] + shares["plan", False]
    assert plans / sum(shares.values()) > 0.25


def test_without_tiles_no_word_of_them_is_said() -> None:
    words = {
        word
        for _, question in drawn(0.0)
        if question.language == "en"
        for word in f"{question.question} {question.answer}".replace("?", "").split()
    }
    assert words.isdisjoint({"plate", "plates", "person", "fruit", "animal"})
    assert words.isdisjoint({*CONCEPTS["fruit"], *CONCEPTS["animal"], *CONCEPTS["letter"]} - {"A"})
    assert any("of the same color" in question.question for _, question in drawn(0.0))


def test_of_two_things_in_order_the_first_that_is_not_done_is_to_be_done() -> None:
    scene = scene_of(
        red_moon=(0.3, 0.0, 0.0), blue_cube=(0.34, 0.0, 0.0), green_star=(0.5, -0.2, 0.0)
    )
    rng = np.random.default_rng(0)
    later = earlier = 0
    for _ in range(300):
        question = staged_plan(scene, rng)
        if question is None:
            continue
        first, second = re.split(r", then | and after that ", question.question)
        moved = question.answer.split(" <p1>")[0].split()
        pushed = " ".join(second.split()[:4])  # "push the red moon …", "push the moon to …"
        later += any(word in pushed for word in moved)
        earlier += any(word in " ".join(first.split()[:5]) for word in moved)
    assert later > 10
    assert earlier > 10
