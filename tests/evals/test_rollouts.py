"""One episode: outcomes, refused actions, refused policies, seeds."""

from dataclasses import replace

import numpy as np
import pytest

from sayact.evals.rollouts import Moment, check_action, episode_seed, run_episode
from sayact.policies.baselines import OraclePolicy, RandomPolicy, ZeroPolicy
from sayact.schema import LANGUAGE_TABLE, RT1, Action, Observation
from sayact.schema.errors import ActionSpaceMismatchError, BadActionError
from sayact.testing import FixedPolicy, ToyWorld

SLOWER = replace(LANGUAGE_TABLE, rate_hz=3.0)


def play(policy, index=0, seed=0, watch=None):
    return run_episode(ToyWorld(), policy, family="walk", index=index, seed=seed, watch=watch)


def test_success_ends_the_episode() -> None:
    policy = FixedPolicy(0.1, 0.0)
    result = play(policy)
    assert result.success
    assert result.steps == 3
    assert policy.resets == 1
    assert result.error is None
    assert result.acting_seconds > 0


def test_time_runs_out() -> None:
    result = play(ZeroPolicy())
    assert (result.success, result.steps) == (False, 10)


def test_the_oracle_is_asked_and_random_walks() -> None:
    assert play(OraclePolicy()).success
    assert not play(RandomPolicy()).success


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ((np.nan, 0.0), "delta_x is nan"),
        ((0.0, -np.inf), "delta_y is -inf"),
        ((0.0, 0.11), "delta_y is 0.11 m, outside -0.1 to 0.1"),
        ((0.0, 0.0, 0.0), "has 2 numbers"),
    ],
)
def test_a_bad_action_ends_the_episode_by_name(values: tuple[float, ...], what: str) -> None:
    result = play(FixedPolicy(*values))
    assert not result.success
    assert result.steps == 0
    assert result.error is not None
    assert result.error.startswith("BadActionError: ")
    assert what in result.error


def test_a_policy_that_notices_itself_ends_the_episode_too() -> None:
    class Broken(ZeroPolicy):
        def act(self, observation: Observation) -> Action:
            raise BadActionError("the network's logits hold NaN")

    result = play(Broken())
    assert (result.success, result.steps) == (False, 0)
    assert result.error == "BadActionError: the network's logits hold NaN"


def test_the_edge_of_the_box_is_inside() -> None:
    check_action(Action(values=np.array([0.1, -0.1], np.float32)), LANGUAGE_TABLE)
    with pytest.raises(BadActionError):
        check_action(Action(values=np.array([0.1001, 0], np.float32)), LANGUAGE_TABLE)


@pytest.mark.parametrize("space", [SLOWER, RT1])
def test_a_policy_of_another_action_space_is_refused_with_both_printed(space) -> None:
    with pytest.raises(ActionSpaceMismatchError) as caught:
        play(FixedPolicy(0.1, 0.0, space=space))
    text = str(caught.value)
    assert "3 Hz" in text
    assert "10 Hz" in text
    assert "'language_table'" in text


def test_watching_sees_every_step_and_the_end() -> None:
    seen: list[Moment] = []
    result = play(FixedPolicy(0.1, 0.0), watch=seen.append)
    assert len(seen) == result.steps + 1
    assert [m.action is None for m in seen] == [False, False, False, True]
    assert seen[-1].success
    assert seen[0].instruction == result.instruction
    assert [int(m.picture[0, 0, 0]) for m in seen] == [40, 50, 60, 70]


def test_seeds_depend_on_all_three_and_repeat() -> None:
    seeds = {
        episode_seed(seed, family, index)
        for seed in range(3)
        for family in ("a", "b")
        for index in range(50)
    }
    assert len(seeds) == 300
    assert play(RandomPolicy(), index=4).instruction == play(ZeroPolicy(), index=4).instruction
    assert play(ZeroPolicy(), index=4).instruction != play(ZeroPolicy(), index=5).instruction


def test_a_drawing_policy_repeats_itself_whatever_it_did_before() -> None:
    policy, seen, again = RandomPolicy(), [], []
    play(policy, index=1, watch=seen.append)
    play(policy, index=2)
    play(policy, index=1, watch=again.append)
    first = [m.action.values for m in seen if m.action]
    assert np.array_equal(first, [m.action.values for m in again if m.action])


def test_what_a_language_model_says_beside_its_actions_is_summed() -> None:
    class Speaks(FixedPolicy):
        steps = 0

        def act(self, observation: Observation) -> Action:
            self.steps += 1
            illegal = np.array([0.0, 0.1 * self.steps], np.float32)
            plan = "first" if self.steps < 3 else "then"
            return replace(super().act(observation), illegal=illegal, plan=plan)

    result = play(Speaks(0.1, 0.0))
    assert result.steps == 3
    assert result.illegal == pytest.approx(0.1)
    assert result.plans == 2
    assert play(FixedPolicy(0.1, 0.0)).illegal is None
