"""Many robots on one set of weights: each is answered as if it were alone."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch

from sayact.models.rt1 import RT1
from sayact.policies.baselines import OraclePolicy, RandomPolicy, ZeroPolicy
from sayact.policies.engines import Engine, StreamlinedEngine, TorchEngine
from sayact.policies.engines.stand_in import draw_weights
from sayact.policies.many import many_robots
from sayact.policies.rt1 import RT1Policy
from sayact.policies.rt2 import PLAN_TOKENS, RT2Policy
from sayact.schema import LANGUAGE_TABLE, Action, Observation
from sayact.schema.errors import (
    BadActionError,
    BadObservationError,
    SayactError,
    ShapeError,
)
from sayact.testing import TINY_IMAGES, FixedPolicy, tiny_processor, tiny_rt1
from sayact.testing.tiny_rt2 import tiny_nano_vlm, tiny_text_processor

SENTENCES = ("push the red moon up", "separate the cubes", "go left")


def rt1(engine: Callable[[RT1], Engine] = TorchEngine):
    model = RT1(tiny_rt1())
    draw_weights(model, torch.Generator().manual_seed(1))
    return RT1Policy(engine(model.eval()), tiny_processor())


def rt2(plan_every=3):
    processor = tiny_text_processor()
    vlm = tiny_nano_vlm(processor)
    with torch.no_grad():  # as drawn it says nearly the same to all
        for weight in vlm.parameters():
            weight.mul_(5)
    return RT2Policy(vlm, processor, plan_every=plan_every)


def seen(rng, sentence=SENTENCES[0]):
    picture = rng.integers(0, 256, (*TINY_IMAGES.camera, 3), dtype=np.uint8)
    return Observation(image=picture, instruction=sentence)


def values(answer):
    assert isinstance(answer, Action)
    return tuple(answer.values)


def same(one, other):
    return (
        one.tokens.tolist() == other.tokens.tolist()
        and one.values.tolist() == other.values.tolist()
        and np.allclose(one.probabilities, other.probabilities, atol=1e-5)
        and one.plan == other.plan
    )


@pytest.mark.parametrize(
    "make",
    [rt1, lambda: rt1(StreamlinedEngine), rt2],
    ids=["rt1", "rt1 streamlined", "rt2 with plans"],
)
def test_each_is_answered_as_if_it_were_alone(make, rng):
    """Robots that begin at different times, so that windows and plans are of every age."""
    policy, robots = make(), 5
    many, memories = many_robots(policy), {}
    heard = {robot: [] for robot in range(robots)}
    answers = {robot: [] for robot in range(robots)}
    for step in range(7):
        here = [robot for robot in range(robots) if step >= robot]
        for robot in here:
            memories.setdefault(robot, many.begin())
            heard[robot].append(seen(rng, SENTENCES[(robot + step // 3) % 3]))
        acted = many.act_many([heard[r][-1] for r in here], [memories[r] for r in here])
        for robot, action in zip(here, acted, strict=True):
            answers[robot].append(action)
    for robot in range(robots):
        policy.reset()
        alone = [policy.act(observation) for observation in heard[robot]]
        assert all(same(*pair) for pair in zip(answers[robot], alone, strict=True)), robot
    told = {tuple(a.probabilities.round(4)) for actions in answers.values() for a in actions}
    assert len(told) > 12  # of 25; else this test compares nothing


@pytest.mark.parametrize("make", [rt1, rt2])
def test_one_bad_robot_is_told_and_the_others_act(make, rng):
    many = many_robots(make())
    good, memories = [seen(rng) for _ in range(3)], [many.begin() for _ in range(3)]
    many.act_many(good, memories)
    before = copy.deepcopy(memories[1])
    bad = Observation(image=np.zeros((8, 8, 3), np.uint8), instruction="")
    first, second, third = many.act_many([good[0], bad, good[2]], memories)
    assert isinstance(first, Action)
    assert isinstance(third, Action)
    assert isinstance(second, ShapeError)
    assert str(memories[1]) == str(before)


def test_all_bad(rng):
    many = many_robots(rt1())
    bad = Observation(image=np.zeros((8, 8, 3), np.uint8), instruction="")
    (answer,) = many.act_many([bad], [many.begin()])
    assert isinstance(answer, ShapeError)
    assert many.act_many([], []) == []


def test_a_sentence_too_long_for_one(rng):
    many = many_robots(rt2())
    talker = seen(rng, "push " * 100)
    first, second = many.act_many([talker, seen(rng)], [many.begin(), many.begin()])
    assert isinstance(first, BadObservationError)
    assert isinstance(second, Action)


def test_nobody_cuts_the_plan_of_another_short(rng):
    """A sentence that leaves little room for its plan stands beside a short one."""
    policy = rt2(plan_every=1)
    long = "push the moon " * 11
    assert policy._room_for_plan(long) < PLAN_TOKENS == policy._room_for_plan("up")
    observations = [seen(rng, long), seen(rng, "up")]
    many = many_robots(policy)
    together = many.act_many(observations, [many.begin(), many.begin()])
    for observation, action in zip(observations, together, strict=True):
        policy.reset()
        assert same(policy.act(observation), action)


@pytest.mark.parametrize("make", [rt1, rt2])
def test_a_broken_network_is_every_robots_answer(make, rng):
    policy = make()
    for parameter in (policy.engine.model if make is rt1 else policy.vlm).parameters():
        torch.nn.init.constant_(parameter, float("nan"))
    many = many_robots(policy)
    memories = [many.begin(), many.begin()]
    before = str(memories)
    answers = many.act_many([seen(rng), seen(rng)], memories)
    assert all(isinstance(answer, BadActionError) for answer in answers)
    assert str(memories) == before


def test_random_repeats_with_its_seed_and_robots_draw_apart(rng):
    many = many_robots(RandomPolicy())
    memories = [many.begin(1), many.begin(2), many.begin(1)]
    picture = Observation(image=np.zeros((3, 4, 3), np.uint8), instruction="")
    rows = [many.act_many([picture] * 3, memories) for _ in range(4)]
    one, two, again = ([values(row[robot]) for row in rows] for robot in range(3))
    assert one == again
    assert one != two
    assert many.action_space == LANGUAGE_TABLE
    assert many.picture is None


def test_zero_stays():
    many = many_robots(ZeroPolicy())
    picture = Observation(image=np.zeros((3, 4, 3), np.uint8), instruction="")
    (action,) = many.act_many([picture], [many.begin()])
    assert values(action) == (0, 0)


def test_who_cannot_act_for_many_says_why():
    with pytest.raises(SayactError, match="true state of the world"):
        many_robots(OraclePolicy())
    with pytest.raises(SayactError, match="write a ManyRobots"):
        many_robots(FixedPolicy(0, 0))


def test_the_picture_that_is_wanted():
    assert many_robots(rt1()).picture == TINY_IMAGES.camera
    assert many_robots(rt2()).picture == TINY_IMAGES.camera
