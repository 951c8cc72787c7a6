"""The whole action space at work: arm, base and mode, from the oracle to a closed loop."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from sayact.codecs import EdgeBins, UniformBins
from sayact.data.dataset import Dataset
from sayact.data.windows import WindowSampler
from sayact.envs import to_observation
from sayact.evals.collect import collect_with
from sayact.evals.rollouts import run_episode
from sayact.models.checkpoint import Checkpoint, read_checkpoint
from sayact.models.rt1 import RT1
from sayact.policies.baselines import OraclePolicy, RandomPolicy
from sayact.policies.controller import Controller
from sayact.policies.engines import TorchEngine
from sayact.policies.policy import Policy
from sayact.policies.rt1 import RT1Policy
from sayact.schema import RT1 as RT1_SPACE
from sayact.schema import RT1_X, Action, Observation
from sayact.schema.errors import ActionSpaceMismatchError
from sayact.testing import FixedPolicy, MobileToyWorld
from sayact.testing.mobile import HOME, MODE, to_pixels
from sayact.testing.mobile_demonstrations import (
    MOBILE_RT1,
    MOBILE_SPEC,
    MobileToyPlayer,
    locate_mobile,
    mobile_processor,
    mobile_store,
)
from sayact.train import TrainConfig, train

CODECS = pytest.mark.parametrize(
    "codec",
    [
        UniformBins(action_space=RT1_SPACE),
        UniformBins(action_space=RT1_SPACE, bins=64),
        EdgeBins(action_space=RT1_SPACE),
    ],
    ids=["uniform", "uniform of 64", "edges"],
)


def play(policy, index=0, world=None, watch=None):
    world = world or MobileToyWorld()
    return run_episode(world, policy, family="bring", index=index, seed=0, watch=watch)


class Oracle(OraclePolicy):
    """The oracle's actions after a way through tokens and back."""

    def __init__(self, codec):
        self.codec = codec

    def act(self, observation):
        ids = self.codec.encode(super().act(observation).values)
        return Action(values=self.codec.decode(ids), tokens=ids)


def moving(mode):
    """Everything moves but the fingers, which close."""
    values = np.full(11, 0.5, np.float32)
    values[0], values[7] = MODE[mode], 1
    return values


def test_frames_tell_apart() -> None:
    world, pictures = MobileToyWorld(), []
    raw, info = world.reset(seed=0)
    oracle, ended = world.oracle(), False
    while not ended:
        pictures.append(raw["rgb"].tobytes())
        raw, _, ended, _, info = world.step(oracle.act().values)
    assert info["success"]
    assert len(set(pictures)) == len(pictures)
    assert to_observation(raw).instruction == world.instruction
    assert to_observation(raw).image.shape == (32, 32, 3)


def test_the_picture_shows_base_hand_gripper_and_objects() -> None:
    world = MobileToyWorld()
    before = world.reset(seed=0)[0]["rgb"]
    assert before.dtype == np.uint8
    column, row = to_pixels(np.array(HOME)).astype(int)
    for mode, value, place in ((1, 1.0, (row, column)), (1, -1.0, (row, column))):
        values = np.zeros(11, np.float32)
        values[0], values[7] = mode, value
        after = world.step(values)[0]["rgb"]
        assert (before[place] != after[place]).any() == (value > 0)  # closes, opens again
    for name, channel in (("red", 0), ("blue", 2)):
        column, row = to_pixels(world.seen(name)).astype(int)
        assert before[row, column].argmax() == channel


def test_worlds_repeat_with_their_seed() -> None:
    one, other = (MobileToyWorld().reset(seed=5)[0]["rgb"] for _ in range(2))
    assert (one == other).all()
    assert (one != MobileToyWorld().reset(seed=6)[0]["rgb"]).any()


def test_the_oracle_always_succeeds_and_uses_every_mode() -> None:
    used = set()
    for index in range(20):
        moments = []
        result = play(OraclePolicy(), index, watch=moments.append)
        assert result.success
        assert result.ended_by_policy
        used |= {int(m.action.values[0]) for m in moments if m.action}
    assert used == set(MODE.values())


@CODECS
def test_the_oracle_succeeds_through_tokens(codec) -> None:
    assert all(play(Oracle(codec), index).success for index in range(10))


@CODECS
def test_actions_survive_the_codec(codec, rng) -> None:
    actions = rng.uniform(RT1_SPACE.low, RT1_SPACE.high, (500, 11)).astype(np.float32)
    actions[:, 0] = rng.integers(3, size=500)
    ids = codec.encode(actions)
    decoded = codec.decode(ids)
    assert (decoded[:, 0] == actions[:, 0]).all()
    assert (ids[:, 0] == actions[:, 0]).all()
    # UniformBins answers the centre of a bin, EdgeBins the lower edge.
    worst = 1.0 if isinstance(codec, EdgeBins) else 0.5
    assert (np.abs(decoded - actions) <= worst * codec.width + 1e-5)[:, 1:].all()


def test_in_base_mode_only_the_base_moves_and_in_arm_mode_only_the_arm() -> None:
    for mode in ("base", "arm"):
        world = MobileToyWorld()
        world.reset(seed=0)
        base, hand, wrist, yaw = world.base, world.hand, world.wrist, world.yaw
        world.step(Controller(RT1_SPACE)(Action(values=moving(mode))).values)
        assert (world.base != base).any() == (mode == "base")
        assert (world.yaw != yaw) == (mode == "base")
        assert (world.hand != hand).any() == (mode == "arm")
        assert (world.wrist != wrist).any() == (mode == "arm")
        assert world.closed == (mode == "arm")


def test_without_a_controller_everything_would_move() -> None:
    world = MobileToyWorld()
    world.reset(seed=0)
    base, hand = world.base, world.hand
    world.step(moving("base"))
    assert (world.base != base).all()
    assert (world.hand != hand).all()


def test_saying_done_is_not_being_done() -> None:
    result = play(FixedPolicy(*moving("terminate").tolist(), space=RT1_SPACE))
    assert (result.success, result.ended_by_policy, result.steps) == (False, True, 1)


def test_terminating_moves_nothing() -> None:
    world = MobileToyWorld()
    play(FixedPolicy(*moving("terminate").tolist(), space=RT1_SPACE), world=world)
    assert world.hand.tolist() == list(HOME)
    assert not world.closed


def test_never_saying_done_is_no_success() -> None:
    class Hesitant(OraclePolicy):
        def act(self, observation):
            action = super().act(observation)
            hold = np.zeros(11, np.float32)
            hold[0] = MODE["arm"]
            return Action(values=hold) if action.values[0] == MODE["terminate"] else action

    world = MobileToyWorld()
    result = play(Hesitant(), world=world)
    assert world.held == world.named
    assert (result.success, result.ended_by_policy, result.steps) == (False, False, 30)


def test_a_policy_of_other_bounds_is_refused() -> None:
    with pytest.raises(ActionSpaceMismatchError, match=r"delta_x -2\.\.2 .* in mode arm here"):
        play(FixedPolicy(*moving("arm").tolist(), space=RT1_X))


def test_episodes_survive_the_dataset(tmp_path) -> None:
    collect_with(MobileToyPlayer, MOBILE_SPEC, out=tmp_path, episodes=2, workers=0, progress=False)
    dataset = Dataset.open(tmp_path)
    assert dataset.action_space == RT1_SPACE
    for index in range(2):
        told, _ = MobileToyPlayer().play(index)
        read = dataset.episode(index)
        assert np.array_equal(read.actions, told.actions)
        assert read.executed is not None
        assert read.executed.tolist() == np.asarray(told.executed).tolist()
        assert read.instruction == told.instruction


@pytest.fixture(scope="module")
def store():
    return mobile_store(300, seed=1)


def sampler_of(store):
    return WindowSampler(store, mobile_processor(), seed=0, locate=locate_mobile)


def test_every_dimension_is_trained_in_every_mode(store) -> None:
    """As the released code does: no dimension is left out because the mode does not use it."""
    torch.manual_seed(0)
    model = RT1(replace(MOBILE_RT1, soft_bins=0.0, points=0)).eval()
    batch = sampler_of(store)((0, 16, 2))
    logits, ids = model(batch.pixels, batch.instruction)[batch.valid], batch.action_ids[batch.valid]
    assert set(ids[:, 0].tolist()) == {0, 1, 2}
    each = [torch.nn.functional.cross_entropy(logits[:, a], ids[:, a]) for a in range(11)]
    assert model.loss(batch).parts["action"].item() == pytest.approx(
        torch.stack(each).mean().item()
    )

    # The gradient at the base's logits of frames in arm mode is that of cross-entropy, not zero.
    logits = logits.detach().requires_grad_()
    torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids.flatten()).backward()
    in_arm_mode = ids[:, 0] == MODE["arm"]
    assert (logits.grad[in_arm_mode][:, 8:].abs().sum((1, 2)) > 0).all()


def trained(store, steps, out) -> RT1Policy:
    """The tiny RT-1 after `steps` of the one training loop, from the checkpoint it leaves."""
    processor = mobile_processor()
    torch.manual_seed(0)
    model = RT1(MOBILE_RT1)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.1  # the original's 0.01 would remember the first of so few steps
    config = TrainConfig(
        steps=steps,
        frames_a_step=64,
        learning_rate=4e-3,
        warmup_steps=20,
        ema_decay=0.95,
        precision="float32",
        threads=1,
        checkpoint_every=steps,
    )
    describe = partial(Checkpoint, config={}, action_space=RT1_SPACE, processor=processor.to_json())
    folder = train(
        config,
        model,
        sampler_of(store),
        out=out,
        describe=lambda weights: describe(weights=weights),
    )
    learned = RT1(MOBILE_RT1)
    learned.load_state_dict(read_checkpoint(folder).weights)
    return RT1Policy(TorchEngine(learned), processor)


def episodes(policy: Policy, count: int):
    """Results of `count` new starts, and how often each mode was chosen."""
    moments = []
    results = [play(policy, index, watch=moments.append) for index in range(count)]
    chosen = [int(m.action.values[0]) for m in moments if m.action]
    return results, {name: chosen.count(value) for name, value in MODE.items()}


class Finishing(OraclePolicy):
    """The oracle until it holds something; from then on the learner, who has seen every frame."""

    def __init__(self, learner):
        self.learner = learner

    def reset(self):
        super().reset()
        self.learner.reset()

    def act(self, observation):
        learned = self.learner.act(observation)
        assert isinstance(self.world, MobileToyWorld)
        return learned if self.world.held else super().act(observation)


def test_a_short_training_learns_when_to_drive_to_grasp_and_to_end(store, tmp_path) -> None:
    """Seconds on one core: alone it succeeds in 6 of 20 starts yet, but it knows its modes."""
    policy = trained(store, 250, tmp_path)
    right, asked = dict.fromkeys(MODE.values(), 0), dict.fromkeys(MODE.values(), 0)
    for index in range(20):
        episode, _ = MobileToyPlayer(seed=2).play(index)
        policy.reset()
        for image, label in zip(episode.images, episode.actions, strict=True):
            seen = Observation(image=image, instruction=episode.instruction)
            asked[int(label[0])] += 1
            right[int(label[0])] += policy.act(seen).values[0] == label[0]
    assert all(right[mode] / asked[mode] > 0.7 for mode in asked)
    results, _ = episodes(Finishing(policy), 10)
    assert sum(result.success and result.ended_by_policy for result in results) >= 7
    alone, modes = episodes(policy, 20)
    assert any(result.success and result.ended_by_policy for result in alone)
    assert min(modes.values()) > 0


@pytest.mark.slow
def test_a_trained_policy_drives_grasps_and_says_when_it_is_done(tmp_path) -> None:
    """600 steps of seed 0 on 800 demonstrations of seed 1, then 50 starts of seed 0.

    Measured: 32 successes, 37 ends by the policy itself; random: none, and all 50 of its ends.
    """
    policy = trained(mobile_store(800, seed=1), 600, tmp_path)
    results, modes = episodes(policy, 50)
    random, _ = episodes(RandomPolicy(), 50)
    successes = sum(result.success for result in results)
    assert sum(result.success for result in random) <= 1
    assert successes >= 20
    assert all(result.ended_by_policy for result in results if result.success)
    assert min(modes.values()) >= successes
