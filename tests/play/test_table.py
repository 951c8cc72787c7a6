"""A table without a browser: told, judged, disturbed, and stopped by what fails."""

import numpy as np
import pytest
from odd_policies import Breaking, Endless, Sure

from sayact.envs.language_table import LanguageTableEnv
from sayact.envs.language_table.workspace import HIGH, LOW
from sayact.play.examples import Meaning, draw_examples
from sayact.play.table import MOST_STEPS, PlayTable, network_picture
from sayact.policies import load_policy
from sayact.policies.baselines import OraclePolicy, RandomPolicy, ZeroPolicy
from sayact.schema.errors import ShapeError, UnknownNameError


def oracle(seed: int = 0, **options: str) -> PlayTable:
    table = PlayTable("oracle", OraclePolicy(), **options)
    table.lay(seed)
    return table


def play(table: PlayTable) -> None:
    """Until it rests."""
    for _ in range(MOST_STEPS + 1):
        table.step()


def test_the_worlds_own_sentence_is_played_judged_and_counted() -> None:
    table = oracle()
    before = table.view
    play(table)
    after = table.view
    assert before.judged
    assert (before.tally.tried, after.tally.done, after.tally.tried) == (0, 1, 1)
    assert after.status == "done"
    assert 0 < after.steps < MOST_STEPS
    assert len(after.trace) == min(after.steps + 1, 100)
    assert after.version > before.version


def test_two_tables_of_one_seed_start_alike() -> None:
    first, second, other = oracle(3).view, oracle(3).view, oracle(4).view
    assert first.state.blocks == second.state.blocks
    assert first.instruction == second.instruction
    np.testing.assert_array_equal(first.picture, second.picture)
    assert first.state.blocks != other.state.blocks


@pytest.mark.parametrize(
    "sentence",
    ["push the blue cube to the red moon", "Push the blue  cube to the red moon."],
)
def test_a_typed_sentence_of_the_world_is_judged_whatever_its_capitals(sentence: str) -> None:
    table = oracle()
    table.say(sentence)
    assert table.view.judged
    assert table.view.instruction == sentence
    play(table)
    assert table.view.status == "done"


def test_a_free_sentence_is_played_and_not_judged() -> None:
    table = PlayTable("random", RandomPolicy())
    table.lay(0)
    table.say("bring me a cup of tea")
    play(table)
    view = table.view
    assert not view.judged
    assert view.goal is None
    assert (view.status, view.steps, view.tally.tried) == ("resting", MOST_STEPS, 0)


def test_the_oracle_says_that_it_reads_no_free_sentences() -> None:
    table = oracle()
    table.say("bring me a cup of tea")
    table.step()
    assert table.view.status == "resting"
    assert "oracle" in table.view.note
    table.say("push the blue cube to the red moon")
    table.step()
    assert (table.view.status, table.view.note, table.view.steps) == ("playing", "", 1)


def test_another_language_is_judged_where_its_meaning_is_told() -> None:
    table = oracle()
    meaning = Meaning(family="block2block", arguments=("blue_cube", "red_moon"))
    table.say("schiebe den blauen Würfel zu: der rote Mond", meaning)
    assert table.view.judged
    play(table)
    assert table.view.status == "done"


def test_examples_are_about_this_table_and_the_oracle_can_do_them() -> None:
    table = oracle(seed=1, block_mode="BLOCK_4")
    examples = draw_examples(table.view.state, np.random.default_rng(0), foreign=3)
    assert len({example.language for example in examples}) == 4
    assert len(examples) == 6
    for example in examples:
        assert set(example.meaning.arguments) & set(table.view.state.blocks)
        table.lay(1)
        table.say(example.sentence, example.meaning)
        play(table)
        assert table.view.status == "done", example


def test_examples_of_one_block_leave_out_what_needs_two() -> None:
    table = PlayTable("zero", ZeroPolicy(), family="block2absolute", block_mode="BLOCK_1")
    table.lay(0)
    examples = draw_examples(table.view.state, np.random.default_rng(0), foreign=2)
    assert "block2block" not in {example.meaning.family for example in examples}


def test_a_sentence_that_fits_no_observation_is_refused_and_changes_nothing() -> None:
    table = oracle()
    before = table.view
    with pytest.raises(ShapeError, match="512 bytes"):
        table.say("ü" * 300)
    assert table.view.instruction == before.instruction
    assert table.view.state.blocks == before.state.blocks


@pytest.mark.parametrize("xy", [(0.35, 0.0), (9.0, 9.0), (0.15, -0.3), (-5.0, 0.1)])
def test_a_moved_block_lies_inside_in_nothing_and_the_rest_stays(xy: tuple[float, float]) -> None:
    table = oracle()
    for block in table.view.state.blocks:
        before = table.view.state
        table.move(block, xy)
        after = table.view.state
        assert np.all(after.xy(block) >= LOW)
        assert np.all(after.xy(block) <= HIGH)
        assert not table.env.simulator.overlapping()
        assert np.linalg.norm(after.xy(block) - after.effector_xy) > 0.03
        assert {**after.blocks, block: 0} == {**before.blocks, block: 0}
        np.testing.assert_array_equal(after.effector_xy, before.effector_xy)


def test_a_block_goes_where_it_is_put_over_others_on_the_way() -> None:
    table = oracle()
    there = (0.52, -0.25)
    table.move("red_moon", there)
    assert table.view.state.blocks["red_moon"][:2] == pytest.approx(there)
    onto = table.view.state.xy("blue_cube")
    table.move("red_moon", tuple(onto))
    gap = np.linalg.norm(table.view.state.xy("red_moon") - onto)
    assert 0.02 < gap < 0.06  # beside it, on this side


def test_a_block_that_is_not_there_any_more_moves_nothing() -> None:
    table = oracle(block_mode="BLOCK_4")
    before = table.view.state.blocks
    table.move("red_pentagon", (0.4, 0.0))
    assert table.view.state.blocks == before


def test_moving_keeps_sentence_task_and_steps_and_the_robot_recovers() -> None:
    table = oracle()
    table.say("push the blue cube to the red moon")
    for _ in range(5):
        table.step()
    task = table.env.task
    table.move("blue_cube", (0.3, 0.25))
    assert table.env.task is task
    assert (table.view.steps, table.view.instruction) == (5, "push the blue cube to the red moon")
    play(table)
    assert table.view.status == "done"


def test_undoing_a_robots_work_sets_it_to_work_again() -> None:
    table = oracle()
    table.say("push the blue cube to the red moon")
    play(table)
    assert table.view.status == "done"
    away = next(
        xy
        for xy in ((0.25, -0.2), (0.25, 0.2), (0.5, 0.2))
        if np.linalg.norm(np.array(xy) - table.view.state.xy("red_moon")) > 0.2
    )
    table.move("blue_cube", away)
    assert table.view.status == "playing"
    play(table)
    assert (table.view.status, table.view.tally.done) == ("done", 2)


def test_a_policy_that_raises_is_named_and_heard_again_at_the_next_sentence() -> None:
    policy = Breaking()
    table = PlayTable("breaking", policy)
    table.lay(0)
    play(table)
    view = table.view
    assert (view.status, view.steps, view.tally.tried) == ("failed", 2, 0)
    assert view.note == "ZeroDivisionError: <b>no more</b>"
    assert policy.calls == 3
    policy.calls = 0
    table.say("push the blue cube to the red moon")
    table.step()
    assert (table.view.status, table.view.steps) == ("playing", 1)


def test_rate_and_latency_are_told_by_a_clock() -> None:
    table = PlayTable("slow", Endless(0.02))
    table.lay(0)
    for _ in range(8):
        table.step()
    assert 20 < table.view.acting_ms < 100
    assert 5 < table.view.hz < 50


def test_the_view_holds_what_a_language_model_says() -> None:
    table = PlayTable("sure", Sure())
    table.lay(0)
    table.step()
    action = table.view.action
    assert action is not None
    assert action.plan == "push <i>it</i>"


def test_the_networks_picture_is_the_one_it_gets() -> None:
    policy = load_policy("rt1-nano")
    table = PlayTable("rt1-nano", policy)
    table.lay(0)
    view = table.view
    assert view.seen is not None
    assert view.seen.shape == (84, 152, 3)
    np.testing.assert_array_equal(
        view.seen.transpose(2, 0, 1),
        policy.processor.images.look(view.picture),  # type: ignore[attr-defined]
    )
    assert network_picture(ZeroPolicy(), view.picture) is None


def test_an_unknown_family_is_refused_at_once() -> None:
    with pytest.raises(UnknownNameError, match="family"):
        PlayTable("zero", ZeroPolicy(), family="block2blok")
    assert LanguageTableEnv(family="separate")
