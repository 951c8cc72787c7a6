"""What emergent suites ask is known from the embedded web, and from no demonstration.

For every suite: its sentences are none of the robot's; what they say beyond the robot's words, the
web says; what its plates show, the web shows, and the robot's table has no plates at all.
"""

from functools import cache

import numpy as np
import pytest
from robot_words import ROBOT_BLOCKS, robot_sentences, robot_words, words_of

from sayact.envs.language_table.env import LanguageTableEnv
from sayact.envs.language_table.goals import Block2Spot, Stages
from sayact.envs.language_table.setting import PLAIN
from sayact.envs.language_table.start import Start
from sayact.envs.language_table.tasks import EVAL_FAMILIES
from sayact.evals.suites.catalogue import SUITES, chosen
from sayact.evals.suites.suite import starts
from sayact.web.concepts import CONCEPTS, category_of, worn_by
from sayact.web.questions import table_questions
from sayact.web.scenes import draw_scene

EMERGENT = chosen(["emergent"])
WITH_PLATES = [name for name in EMERGENT if name != "stages"]
EPISODES = 24
SCENES = 300  # of the web: each concept is on some ten of them


@cache
def some(name: str) -> list[Start]:
    return starts(SUITES[name], seed=0, episodes=EPISODES)


@cache
def web() -> tuple[frozenset[str], frozenset[str], tuple[float, float]]:
    """Words of the web's instructions, concepts on its plates, their least and greatest side."""
    said, shown, sides = set[str](), set[str](), list[float]()
    for index in range(SCENES):
        rng = np.random.default_rng([0, 0, 0, index])  # as `web.shards` draws its training tables
        scene = draw_scene(rng, "all", 1.0)
        shown |= {tile.name for tile in scene.setting.tiles}
        sides += [tile.side for tile in scene.setting.tiles]
        for question in table_questions(scene, rng, kinds=("plan",)):
            if question.language == "en":
                said |= {*words_of(question.question), *words_of(question.answer)}
    return frozenset(said), frozenset(shown), (min(sides), max(sides))


@pytest.mark.parametrize("name", EMERGENT)
def test_no_sentence_is_the_robot_s(name: str) -> None:
    assert not {start.task.instruction for start in some(name)} & robot_sentences()


@pytest.mark.parametrize("name", WITH_PLATES)
def test_what_names_the_goal_is_no_word_of_the_robot_s(name: str) -> None:
    for start in some(name):
        assert set(words_of(start.task.instruction)) - robot_words(), start.task.instruction


@pytest.mark.parametrize("name", EMERGENT)
def test_every_word_is_the_robot_s_or_the_web_s(name: str) -> None:
    said, _, _ = web()
    for start in some(name):
        assert set(words_of(start.task.instruction)) <= robot_words() | said


@pytest.mark.parametrize("name", WITH_PLATES)
def test_every_plate_is_shown_by_the_web(name: str) -> None:
    _, shown, (least, most) = web()
    for start in some(name):
        for tile in start.setting.tiles:
            assert tile.name in shown
            assert least <= tile.side <= most


def test_the_web_shows_every_concept() -> None:
    _, shown, _ = web()
    assert shown == {concept for category in CONCEPTS.values() for concept in category}


@pytest.mark.parametrize("name", EMERGENT)
def test_only_blocks_of_the_robot_s_are_pushed_in_its_own_world(name: str) -> None:
    for start in some(name):
        assert set(start.blocks) <= set(ROBOT_BLOCKS)
        assert start.setting.look == PLAIN.look
        assert start.setting.view == PLAIN.view


def test_the_robot_s_own_starts_have_no_plates() -> None:
    """Demonstrations are played from a reset without options, which lays nothing but blocks."""
    env = LanguageTableEnv(family=EVAL_FAMILIES)
    plated, _ = env.reset(options={"start": some("symbols")[0]})
    seen, _ = env.reset(seed=0)
    blocks, effector_xy = env.state.blocks, env.state.effector_xy
    env.simulator.place(blocks, effector_xy, PLAIN)
    bare = env.simulator.render()
    env.close()
    assert (np.abs(seen["rgb"].astype(int) - bare).max(2) > 8).mean() < 0.001
    assert (np.abs(plated["rgb"].astype(int) - bare).max(2) > 8).mean() > 0.05


# --- that the answer is right, and the only one ---


def plate_at_goal(start: Start) -> str:
    assert isinstance(start.task, Block2Spot)
    (name,) = (tile.name for tile in start.setting.tiles if tile.xy == start.task.goal_xy)
    return name


def test_sums_are_right_and_nowhere_else() -> None:
    numbers = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    for start in some("sums"):
        total = sum(numbers.index(w) for w in words_of(start.task.instruction) if w in numbers)
        assert plate_at_goal(start) == str(total)
        assert [tile.name for tile in start.setting.tiles].count(str(total)) == 1


def test_symbols_lie_among_others_of_their_kind() -> None:
    for index, start in enumerate(some("symbols")):
        kinds = {category_of(tile.name) for tile in start.setting.tiles}
        assert kinds == {("digit", "letter", "symbol")[index % 3]}
        assert start.task.instruction.endswith(f" {plate_at_goal(start)}")


def test_the_only_fruit_or_animal_is_meant() -> None:
    asked = set[str]()
    for start in some("categories"):
        category = start.task.instruction.split()[-1]
        assert category_of(plate_at_goal(start)) == category
        assert sum(category_of(tile.name) == category for tile in start.setting.tiles) == 1
        asked.add(category)
    assert asked == {"fruit", "animal"}


def test_one_person_alone_has_what_is_asked_for() -> None:
    for start in some("people"):
        worn = start.task.instruction.split()[-1]
        having = [tile.name for tile in start.setting.tiles if worn in worn_by(tile.name)]
        assert having == [plate_at_goal(start)]


def test_the_smallest_and_the_largest_plate_are_clearly_so() -> None:
    for start in some("relations")[::4] + some("relations")[1::4]:
        sides = sorted(tile.side for tile in start.setting.tiles)
        (goal,) = (t.side for t in start.setting.tiles if t.name == plate_at_goal(start))
        smallest = "smallest" in start.task.instruction
        assert goal == (sides[0] if smallest else sides[-1])
        assert sides[0] < 0.7 * sides[1] if smallest else sides[-2] < 0.7 * sides[-1]


def test_the_colour_that_matches_is_the_pushed_block_s() -> None:
    for start in some("matching"):
        task = start.task
        goal = task.target or plate_at_goal(start)
        assert task.pushed is not None
        color = task.pushed.split("_")[0]
        assert goal.replace("_", " ").split()[0] == color
        assert color not in words_of(task.instruction)[5:], "the goal's colour is not said"


def test_two_stages_are_about_two_blocks_in_the_order_of_the_sentence() -> None:
    for start in some("stages"):
        assert isinstance(start.task, Stages)
        first, second = start.task.stages
        assert first.instruction in robot_sentences()
        assert second.instruction in robot_sentences()
        said = start.task.instruction
        assert said.index(first.instruction) < said.rindex(second.instruction)
        assert second.pushed not in (first.pushed, first.target)
