"""What holds for every suite: repeatable starts, playable tables, names, means, streams."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from sayact.envs.encoding import encode_instruction
from sayact.envs.language_table.goals import Stages
from sayact.envs.language_table.start import Start
from sayact.envs.language_table.task import gap
from sayact.envs.language_table.workspace import INNER_HIGH, INNER_LOW
from sayact.evals.rollouts import episode_seed
from sayact.evals.suites.catalogue import SUITES, chosen
from sayact.evals.suites.digest import digest, plain
from sayact.evals.suites.laying import EFFECTOR_CLEAR, reach, state_of
from sayact.evals.suites.means import MEANS, means_of
from sayact.evals.suites.sight import in_sight
from sayact.evals.suites.suite import GROUPS, Suite, starts, stream
from sayact.schema.errors import UnknownNameError

every_suite = pytest.mark.parametrize("suite", SUITES.values(), ids=lambda suite: suite.name)


@cache
def looked_at(name: str) -> list[Start]:
    return starts(SUITES[name], seed=0, episodes=6)


@every_suite
def test_a_start_depends_on_seed_name_and_index_alone(suite: Suite) -> None:
    first = [plain(start) for start in looked_at(suite.name)[:2]]
    assert [plain(start) for start in starts(suite, seed=0, episodes=2)] == first
    assert plain(suite.start(1)) == first[1]
    assert plain(suite.start(0, seed=1)) not in first


@every_suite
def test_nothing_overlaps_and_something_is_to_be_done(suite: Suite) -> None:
    for start in looked_at(suite.name):
        state = state_of(start.blocks, start.effector_xy)
        assert not start.task.success(state)
        assert len(encode_instruction(start.task.instruction))
        circles = [((x, y), reach(block)) for block, (x, y, _) in start.blocks.items()]
        circles += [(tile.xy, tile.side / 2) for tile in start.setting.tiles]
        for index, (xy, radius) in enumerate(circles):
            assert all(xy >= INNER_LOW)
            assert all(xy <= INNER_HIGH)
            assert all(gap(xy, other) > radius + room for other, room in circles[:index])
        assert all(
            gap(start.effector_xy, (x, y)) > EFFECTOR_CLEAR for x, y, _ in start.blocks.values()
        )


@every_suite
def test_the_arm_hides_nothing_that_the_sentence_is_about(suite: Suite) -> None:
    for start in looked_at(suite.name):
        stages = start.task.stages if isinstance(start.task, Stages) else (start.task,)
        about = {block for stage in stages for block in stage.blocks()}
        things = [(start.blocks[block][:2], reach(block)) for block in about]
        things += [(tile.xy, tile.side / 2) for tile in start.setting.tiles]
        view = start.setting.view
        assert all(in_sight(xy, far, start.effector_xy, view) for xy, far in things)


def test_the_column_of_the_arm_hides_what_lies_behind_it() -> None:
    def seen(x: float, y: float) -> bool:
        return in_sight((x, y), 0.02, (0.40, 0.0))

    assert not seen(0.28, 0.0)
    assert not seen(0.38, 0.0)
    assert seen(0.45, 0.0)
    assert seen(0.28, 0.15)


def test_families_take_turns() -> None:
    families = [start.task.family for start in looked_at("seen")]
    assert families == ["block2block", "block2absolute", "block2relative"] * 2


def test_suites_stand_in_the_order_of_their_groups() -> None:
    order = [GROUPS.index(suite.group) for suite in SUITES.values()]
    assert order == sorted(order)
    assert set(order) == set(range(len(GROUPS)))
    assert all(len(suite.title) <= 20 for suite in SUITES.values()), "too wide for a table"


def test_suites_are_chosen_by_name_group_and_set() -> None:
    assert chosen(["people", "seen", "people"]) == ("seen", "people")
    assert chosen(["reasoning"]) == ("matching", "sums", "relations", "categories")
    assert {*chosen(["generalisation"]), *chosen(["emergent"])} == set(chosen(["all"]))
    assert not {*chosen(["generalisation"])} & {*chosen(["emergent"])}
    with pytest.raises(UnknownNameError, match=r"suite 'sum'.*sums"):
        chosen(["sum"])


def test_means_are_of_suites_there_are_and_sum_to_one() -> None:
    for mean in MEANS:
        assert set(mean.weights) <= set(SUITES)
        assert sum(mean.weights.values()) == pytest.approx(1)
        order = [tuple(SUITES).index(name) for name in mean.weights]
        assert order == sorted(order), "its place in tables is behind its last suite"
    assert [mean.name for mean in means_of(chosen(["emergent"]))] == ["reasoning", "emergent"]
    assert means_of(("seen", "sums")) == []


def test_no_stream_of_a_start_is_one_of_the_web_or_of_demonstrations() -> None:
    def state(rng: np.random.Generator) -> str:
        return str(rng.bit_generator.state["state"])

    count, seeds = 40, range(3)
    ours = {state(stream(s, name, i)) for s in seeds for name in SUITES for i in range(count)}
    assert len(ours) == len(seeds) * len(SUITES) * count
    # The web draws from (seed, split, kind, index), demonstrations from (seed, index, attempt), the
    # official protocol from a hash of (seed, family, index).
    web = {
        state(np.random.default_rng([s, split, kind, i]))
        for s in seeds
        for split in range(2)
        for kind in range(2)
        for i in range(count)
    }
    robot = {
        state(np.random.default_rng([s, i, attempt]))
        for s in seeds
        for i in range(count)
        for attempt in range(3)
    }
    official = {
        state(np.random.default_rng(episode_seed(s, name, i)))
        for s in seeds
        for name in SUITES
        for i in range(count)
    }
    assert not ours & (web | robot | official)


def test_a_digest_tells_one_list_from_another() -> None:
    suite = SUITES["seen"]

    def later(rng: np.random.Generator, index: int) -> Start:
        return suite.draw(rng, index + 1)

    def same(rng: np.random.Generator, index: int) -> Start:
        return suite.draw(rng, index)

    assert digest(replace(suite, draw=same)) == digest(suite)
    assert digest(replace(suite, draw=later)) != digest(suite)


def test_a_digest_knows_the_pictures_of_plates() -> None:
    start = looked_at("symbols")[0]
    tile = start.setting.tiles[0]
    other = tile.picture.copy()
    other[0, 0, 0] ^= 1
    changed = replace(start.setting, tiles=(replace(tile, picture=other),))
    same = replace(start.setting, tiles=(replace(tile, picture=tile.picture.copy()),))
    assert plain(replace(start, setting=same)) != plain(replace(start, setting=changed))
    assert plain(replace(start, setting=same)) == plain(
        replace(start, setting=replace(start.setting, tiles=(tile,)))
    )
