"""The floor and the ceiling."""

import numpy as np
import pytest

from sayact.policies import load_policy
from sayact.policies.baselines import OraclePolicy, RandomPolicy, ZeroPolicy
from sayact.schema import LANGUAGE_TABLE, RT1, ActionSpace, Observation
from sayact.schema.errors import SayactError, UnknownNameError
from sayact.testing import ToyWorld

NOTHING = Observation(image=np.zeros((4, 4, 3), np.uint8), instruction="")


def world(space: ActionSpace = LANGUAGE_TABLE) -> ToyWorld:
    made = ToyWorld()
    made.action_space_spec = space
    return made


def test_zero_stays_where_it_is() -> None:
    policy = ZeroPolicy()
    policy.attach(world(RT1))
    assert policy.act(NOTHING).values.tolist() == [0.0] * 11


def test_random_fills_its_part_of_the_box_and_no_more() -> None:
    policy = RandomPolicy()
    policy.attach(world())
    drawn = np.array([policy.act(NOTHING).values for _ in range(2000)])
    assert np.abs(drawn).max() <= 0.03
    assert np.abs(drawn).max(0) == pytest.approx([0.03, 0.03], abs=1e-3)
    assert drawn.mean(0) == pytest.approx([0, 0], abs=2e-3)


def test_random_uses_every_value_of_a_discrete_dimension() -> None:
    policy = RandomPolicy()
    policy.attach(world(RT1))
    assert {policy.act(NOTHING).values[0] for _ in range(100)} == {0.0, 1.0, 2.0}


def test_random_repeats_itself_with_its_seed() -> None:
    policy = RandomPolicy(seed=3)
    policy.attach(world())
    first = policy.act(NOTHING).values
    policy.seed(3)
    assert np.array_equal(policy.act(NOTHING).values, first)
    assert not np.array_equal(policy.act(NOTHING).values, first)


def test_the_oracle_asks_its_world() -> None:
    policy = OraclePolicy()
    policy.attach(world())
    policy.reset()
    assert policy.act(NOTHING).values.tolist() == pytest.approx([0.1, 0.0])


@pytest.mark.parametrize("name", ["zero", "random", "oracle"])
def test_without_a_world_they_say_what_is_missing(name: str) -> None:
    with pytest.raises(SayactError, match="attach"):
        load_policy(name).act(NOTHING)


def test_unknown_names_list_the_known() -> None:
    with pytest.raises(UnknownNameError, match="oracle, random"):
        load_policy("rt7")
