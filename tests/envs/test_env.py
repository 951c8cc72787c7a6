"""The environment as Gymnasium sees it: spaces, seeds, limits, states from outside, errors."""

import json
from collections import Counter
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from sayact.envs import WORLDS, make_env, to_observation
from sayact.envs.encoding import decode_instruction, encode_instruction
from sayact.envs.language_table.blocks import BLOCK_MODES, BLOCKS
from sayact.envs.language_table.env import LanguageTableEnv
from sayact.envs.language_table.starts import draw_block_set, draw_poses
from sayact.envs.language_table.task import StartRejected
from sayact.envs.language_table.tasks import FAMILIES, Point2Block
from sayact.schema import LANGUAGE_TABLE
from sayact.schema.errors import (
    BadActionError,
    SayactError,
    ShapeError,
    UnknownNameError,
)


@pytest.fixture
def make():
    """Environments without pictures, unless asked for; closed at the end."""
    made = []

    def _make(**options) -> LanguageTableEnv:
        env = LanguageTableEnv(**{"render_observations": False, **options})
        made.append(env)
        return env

    yield _make
    for env in made:
        env.close()


CUBES = {"red_moon": (0.45, 0.15, 0.5), "blue_cube": (0.30, -0.10, -1.0)}


def assert_same(one: dict, other: dict) -> None:
    assert one.keys() == other.keys()
    for key in one:
        np.testing.assert_array_equal(one[key], other[key], err_msg=key)


# --- Gymnasium ---


def test_gymnasium_checks_it_and_knows_it() -> None:
    env = gymnasium.make("sayact/LanguageTable-v0", render_mode="rgb_array", family="separate")
    check_env(env.unwrapped)
    env.close()


def test_spaces_are_the_original_ones(make) -> None:
    env = make(seed=0, render_observations=True)
    observation, _ = env.reset()
    assert {key: (value.shape, value.dtype) for key, value in observation.items()} == {
        "rgb": ((180, 320, 3), np.uint8),
        "effector_translation": ((2,), np.float32),
        "effector_target_translation": ((2,), np.float32),
        "instruction": ((512,), np.int32),
    }
    assert env.observation_space.contains(observation)
    assert env.action_space == gymnasium.spaces.Box(-0.1, 0.1, (2,), np.float32)
    assert env.action_space_spec is LANGUAGE_TABLE
    assert observation["rgb"].std() > 20  # not blank
    assert decode_instruction(observation["instruction"]) == env.instruction


def test_to_observation(make) -> None:
    env = make(seed=0)
    raw, _ = env.reset()
    raw, *_ = env.step([0.02, 0.0])
    observation = to_observation(raw)
    assert observation.instruction == env.instruction
    assert observation.image is raw["rgb"]
    state = np.concatenate([env.state.effector_xy, env.state.effector_target_xy])
    np.testing.assert_array_equal(observation.state, state.astype(np.float32))


def test_instructions_survive_their_encoding() -> None:
    for text in ("", "push the red moon to the blue cube", "schieb den grünen Würfel nach links"):
        assert decode_instruction(encode_instruction(text)) == text
    with pytest.raises(ShapeError, match="512 bytes"):
        encode_instruction("é" * 257)


# --- one seed fixes everything ---


def rollout(env: LanguageTableEnv, seed: int | None, steps: int = 8) -> list:
    observation, info = env.reset(seed=seed)
    actions = np.random.default_rng(1).uniform(-0.05, 0.05, (steps, 2)).astype(np.float32)
    return [(observation, info), *((o, i) for o, *_, i in map(env.step, actions))]


def test_same_seed_same_pixels(make) -> None:
    options = {"render_observations": True, "family": tuple(FAMILIES)}
    first, second = make(**options), make(**options)
    rollout(second, 5)  # another history before it
    for (a, info_a), (b, info_b) in zip(rollout(first, 7), rollout(second, 7), strict=True):
        assert_same(a, b)
        assert info_a == info_b
    assert rollout(first, 8)[0][1] != rollout(first, 7)[0][1]


def test_the_seed_of_make_is_that_of_the_first_reset(make) -> None:
    env, other = make(seed=3), make()
    first = env.reset()[0]
    assert_same(first, other.reset(seed=3)[0])
    second = env.reset()[0]
    assert_same(second, other.reset()[0])
    assert not np.array_equal(first["effector_translation"], second["effector_translation"])


def test_families_are_drawn_uniformly(make) -> None:
    """`separate` declines a start in three and must not come up less for that."""
    env = make(family=("separate", "point2block"), block_mode="BLOCK_4", seed=0)
    drawn = Counter(env.reset()[1]["family"] for _ in range(120))
    assert abs(drawn["separate"] - 60) < 22  # four standard deviations


# --- starts ---


@pytest.mark.parametrize("mode", BLOCK_MODES)
def test_block_modes(make, mode: str) -> None:
    env = make(block_mode=mode, family="block2absolute", seed=0)
    env.reset()
    assert tuple(env.state.blocks) == BLOCK_MODES[mode]


def test_choose_k_draws_subsets_uniformly() -> None:
    rng = np.random.default_rng(0)
    sets = [draw_block_set("N_CHOOSE_K", rng) for _ in range(2_000)]
    for blocks in sets[:50]:
        assert list(blocks) == [block for block in BLOCKS if block in blocks]
    sizes = Counter(map(len, sets))
    assert set(sizes) == set(range(4, 11))
    # Of 57,954 subsets 12,870 have eight blocks and 8,008 have six or ten.
    assert abs(sizes[8] / 2_000 - 12_870 / 57_954) < 0.04
    assert abs(sizes[10] / 2_000 - 8_008 / 57_954) < 0.035


def test_choose_k_episodes(make) -> None:
    env = make(block_mode="N_CHOOSE_K", seed=1)
    counts = set()
    for _ in range(4):
        env.reset()
        counts.add(len(env.state.blocks))
        assert set(env.state.blocks) <= set(BLOCKS)
    assert len(counts) > 1


def test_start_poses() -> None:
    rng = np.random.default_rng(0)
    closest = []
    for _ in range(200):
        effector = rng.uniform((0.23, -0.2248), (0.52, 0.2248))
        poses = draw_poses(BLOCK_MODES["BLOCK_8"], effector, rng)
        assert poses is not None
        xy = np.array([pose[:2] for pose in poses.values()])
        assert (xy >= (0.23, -0.2248)).all()
        assert (xy <= (0.52, 0.2248)).all()
        assert np.linalg.norm(xy - effector, axis=1).min() > 0.06
        pairs = np.linalg.norm(xy[:, None] - xy[None], axis=2)[np.triu_indices(8, 1)]
        closest.append(pairs.min())
    assert 0.0175 < min(closest) < 0.025  # the threshold, and the original's: blocks may overlap


def test_settled_starts_look_like_the_originals(make) -> None:
    """Closest pairs there, over 200 resets: 29 mm at least; quartiles 40, 43, 50."""
    env = make(seed=0)
    closest = []
    for _ in range(150):
        env.reset()
        xy = np.array([pose[:2] for pose in env.state.blocks.values()])
        closest.append(np.linalg.norm(xy[:, None] - xy[None], axis=2)[np.triu_indices(8, 1)].min())
    assert min(closest) > 0.020
    np.testing.assert_allclose(
        np.percentile(closest, [25, 50, 75]), (0.040, 0.043, 0.050), atol=0.004
    )


def test_starts_are_at_rest(make) -> None:
    env = make(seed=0)
    for _ in range(5):
        env.reset()
        before = env.state
        env.step([0.0, 0.0])
        for block in before.blocks:
            assert np.hypot(*(env.state.xy(block) - before.xy(block))) < 1e-4


def test_a_family_that_declines_every_start_says_so(make, monkeypatch) -> None:
    monkeypatch.setattr(Point2Block, "draw", classmethod(lambda cls, state, rng: None))
    with pytest.raises(StartRejected, match="point2block declined 200 starts"):
        make(family="point2block", block_mode="BLOCK_1").reset(seed=0)


# --- steps ---


def test_the_set_point_moves_by_the_action_and_stays_in_bounds(make) -> None:
    env = make(seed=0)
    env.set_state(blocks={"red_moon": (0.2, 0.2, 0.0)}, effector_xy=(0.4, 0.0))
    observation, *_ = env.step([0.02, -0.01])
    np.testing.assert_allclose(observation["effector_target_translation"], (0.42, -0.01))
    # The effector follows with its lag: 91.5 % of the way after 0.1 s (measured in the original).
    np.testing.assert_allclose(env.state.effector_xy, (0.4183, -0.00915), atol=3e-4)
    # The original does not clip actions, only the set-point.
    observation, *_ = env.step([0.15, -0.02])
    np.testing.assert_allclose(observation["effector_target_translation"], (0.57, -0.03))
    for action, corner in (([5.0, 5.0], (0.60, 0.3048)), ([-5.0, -5.0], (0.15, -0.3048))):
        observation, *_ = env.step(action)
        np.testing.assert_allclose(observation["effector_target_translation"], corner)


@pytest.mark.parametrize(
    "action", [[np.nan, 0.0], [0.0, np.inf], [0.0], [0.0, 0.0, 0.0], [], np.zeros((2, 1))]
)
def test_bad_actions_are_named_and_change_nothing(make, action) -> None:
    env = make(seed=0)
    env.reset()
    before = env.get_state()
    with pytest.raises(BadActionError, match="action"):
        env.step(action)
    assert env.get_state() == before


def test_success_ends_the_episode_with_the_reward(make) -> None:
    env = make(seed=0)
    env.set_state(blocks=CUBES, effector_xy=(0.3, 0.0), instruction="point to the blue cube")
    _, reward, terminated, truncated, info = env.step([0.0, -0.04])
    assert (reward, terminated, truncated, info["success"]) == (0.0, False, False, False)
    _, reward, terminated, truncated, info = env.step([0.0, -0.02])
    assert (reward, terminated, truncated, info["success"]) == (100.0, True, False, True)
    assert info["family"] == "point2block"
    assert info["instruction"] == "point to the blue cube"


def test_a_push_to_success(make) -> None:
    env = make()
    env.set_state(
        blocks={"blue_cube": (0.35, 0.0, 0.0), "red_moon": (0.35, 0.2, 0.0)},
        effector_xy=(0.35, -0.06),
        instruction="move the blue block next to the moon",
    )
    steps = 0
    terminated = False
    while not terminated and steps < 60:
        _, _, terminated, _, _ = env.step([0.0, 0.01])
        steps += 1
    assert terminated
    assert 10 < steps < 40
    assert env.state.blocks["blue_cube"][1] > 0.1


def test_episodes_are_truncated(make) -> None:
    env = make(seed=0, max_steps=3)
    env.reset()
    assert [env.step([0.0, 0.0])[2:4] for _ in range(3)] == [(False, False)] * 2 + [(False, True)]
    env.reset()
    assert env.step([0.0, 0.0])[3] is False


def test_out_of_reach_ends_the_episode_only_if_asked(make) -> None:
    for ends in (False, True):
        env = make(fail_out_of_reach=ends)
        for y, lost in ((0.33, False), (0.34, True)):
            env.set_state(
                blocks={"red_moon": (0.4, y, 0.0), "blue_cube": (0.3, 0.0, 0.0)},
                effector_xy=(0.3, 0.1),
                instruction="push the moon to the cube",
            )
            _, reward, terminated, _, info = env.step([0.0, 0.0])
            assert info["out_of_reach"] is lost
            assert terminated is (ends and lost)
            assert reward == 0.0


def test_render_is_for_people(make) -> None:
    env = make(seed=0)
    raw, _ = env.reset()
    picture = env.render()
    assert picture.shape == (432, 640, 3)
    assert picture.dtype == np.uint8
    band = picture[:72]
    assert (band[-4:] == 255).all()
    assert 0.005 < (band < 128).mean() < 0.2  # there is something written
    assert picture[72:].std() > 20
    assert not raw["rgb"].any()  # rendering observations was turned off


# --- states from outside ---


def test_get_state_goes_through_set_state_and_json(make) -> None:
    for name in FAMILIES:
        env, other = make(seed=2, family=name), make(seed=9)
        env.reset()
        for _ in range(5):
            env.step([0.03, 0.03])
        state = json.loads(json.dumps(env.get_state()))
        other.set_state(**state)
        assert other.task == env.task
        assert json.loads(json.dumps(other.get_state())) == state
        np.testing.assert_array_equal(other.state.effector_xy, env.state.effector_xy)
        np.testing.assert_array_equal(other.state.effector_target_xy, env.state.effector_target_xy)


def test_set_state_begins_an_episode_in_gymnasiums_wrappers_too() -> None:
    env = gymnasium.make("sayact/LanguageTable-v0", disable_env_checker=True)
    table: Any = env.unwrapped
    table.set_state(blocks=CUBES, effector_xy=(0.4, 0.1))
    _, _, terminated, _, _ = env.step(np.array([0.01, 0.0], np.float32))
    assert not terminated
    assert table.get_state()["effector_target_xy"] == pytest.approx((0.41, 0.1))
    env.close()


def test_set_state_is_exact(make) -> None:
    env = make(render_observations=True)
    observation = env.set_state(blocks=CUBES, effector_xy=(0.4, 0.1), instruction="hello")
    for name, pose in CUBES.items():
        assert env.state.blocks[name] == pytest.approx(pose, abs=1e-12)
    assert env.state.effector_xy.tolist() == [0.4, 0.1]
    assert (env.task, env.instruction) == (None, "hello")
    assert_same(
        observation, env.set_state(blocks=CUBES, effector_xy=(0.4, 0.1), instruction="hello")
    )
    _, reward, terminated, _, info = env.step([0.0, 0.0])
    assert (reward, terminated, info["family"]) == (0.0, False, None)


def test_set_state_finds_the_task_in_the_words(make) -> None:
    env = make()
    for instruction, family in (
        ("slide the moon somewhat to the left", "block2relative"),
        ("put the cube to the top left corner", "block2absolute"),
        ("push the red block above the blue block", "block2block_relative"),
        ("separate the moon from the cube", "separate"),
        ("put the cube to the bottom left", "block2absolute"),
    ):
        env.set_state(blocks=CUBES, effector_xy=(0.4, 0.1), instruction=instruction)
        assert env.task is not None
        assert env.task.family == family
    # Two families can say this.
    env.set_state(
        blocks=CUBES, effector_xy=(0.4, 0.1), instruction=instruction, family="block1_to_corner"
    )
    assert env.task is not None
    assert env.task.family == "block1_to_corner"
    # A group needs members.
    env.set_state(
        blocks=CUBES, effector_xy=(0.4, 0.1), instruction="separate the moon from the group"
    )
    assert env.task is None


def test_set_state_refuses_nonsense(make) -> None:
    env = make()
    with pytest.raises(UnknownNameError, match="red_moon"):
        env.set_state(blocks={"red_mon": (0.3, 0.0, 0.0)}, effector_xy=(0.4, 0.1))
    with pytest.raises(ShapeError, match="red_moon takes 3 finite"):
        env.set_state(blocks={"red_moon": (0.3, 0.0)}, effector_xy=(0.4, 0.1))
    with pytest.raises(ShapeError, match="red_moon takes 3 finite"):
        env.set_state(blocks={"red_moon": ("here", 0.0, 0.0)}, effector_xy=(0.4, 0.1))
    with pytest.raises(ShapeError, match="effector_xy takes 2 finite"):
        env.set_state(blocks=CUBES, effector_xy=(0.4, np.nan))
    with pytest.raises(UnknownNameError, match="separate"):
        env.set_state(blocks=CUBES, effector_xy=(0.4, 0.1), family="seperate")


# --- errors ---


def test_unknown_names_list_the_valid_ones() -> None:
    with pytest.raises(UnknownNameError, match=r"language_table.*Did you mean"):
        make_env("languagetable")
    with pytest.raises(UnknownNameError, match="block2block_relative"):
        make_env("language_table", family="block2blok")
    with pytest.raises(UnknownNameError, match=r"BLOCK_8.*N_CHOOSE_K"):
        make_env("language_table", block_mode="BLOCK_9")
    with pytest.raises(UnknownNameError, match="rgb_array"):
        make_env("language_table", render_mode="human")
    with pytest.raises(SayactError, match="needs 2 blocks"):
        make_env("language_table", block_mode="BLOCK_1", family=["point2block", "block2block"])
    with pytest.raises(SayactError, match="no family"):
        make_env("language_table", family=[])
    with pytest.raises(SayactError, match="max_steps is at least 1"):
        make_env("language_table", max_steps=0)


def test_an_empty_table_says_what_to_do(make) -> None:
    with pytest.raises(SayactError, match="call reset"):
        make().step([0.0, 0.0])


def test_worlds_are_registered_by_name() -> None:
    for name, (gym_id, _) in WORLDS.items():
        assert gym_id in gymnasium.registry
        make_env(name).close()
