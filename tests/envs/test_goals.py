"""Given starts are played as given; tasks to fixed spots and in stages, and the oracle on them."""

import json
import pickle
from math import hypot

import numpy as np
import pytest

from sayact.envs.encoding import decode_instruction
from sayact.envs.language_table.blocks import BLOCK_MODES
from sayact.envs.language_table.env import LanguageTableEnv
from sayact.envs.language_table.goals import Block2Spot, Point2Spot, Stages, in_order
from sayact.envs.language_table.setting import Look, Setting, Tile
from sayact.envs.language_table.start import Start
from sayact.envs.language_table.state import Pose2D, TableState
from sayact.envs.language_table.task import Task
from sayact.envs.language_table.tasks import FAMILIES, Block2Block
from sayact.envs.language_table.workspace import INNER_HIGH, INNER_LOW
from sayact.schema.errors import SayactError, ShapeError, UnknownNameError

BLOCKS: dict[str, Pose2D] = {"red_moon": (0.45, 0.15, 0.5), "blue_cube": (0.30, -0.10, -1.0)}
TO_THE_3 = Block2Spot(
    instruction="push the red moon to the 3", pushed="red_moon", goal_xy=(0.3, 0.05)
)
TO_THE_HEART = Block2Spot(instruction="", pushed="blue_cube", goal_xy=(0.45, -0.05))
GO = Point2Spot(instruction="go to the arrow", goal_xy=(0.4, -0.15))
BOTH = in_order("the moon to the 3, then the cube to the heart", TO_THE_3, TO_THE_HEART)


@pytest.fixture(scope="module")
def env():
    table = LanguageTableEnv(render_observations=False, max_steps=None)
    yield table
    table.close()


def start(task: Task = TO_THE_3, blocks=BLOCKS, **options) -> Start:
    return Start(blocks=blocks, effector_xy=(0.3, 0.2), task=task, **options)


def state(moon, cube, effector=(0.3, 0.2)) -> TableState:
    blocks = {"red_moon": (*moon, 0.0), "blue_cube": (*cube, 0.0)}
    spot = np.array(effector)
    return TableState(blocks=blocks, effector_xy=spot, effector_target_xy=spot)


# --- starts ---


def test_a_start_is_played_as_given(env: LanguageTableEnv) -> None:
    observation, info = env.reset(options={"start": start()})
    assert list(env.state.blocks) == list(BLOCKS)
    for name, pose in BLOCKS.items():
        assert env.state.blocks[name] == pytest.approx(pose, abs=1e-12)
    assert env.state.effector_xy.tolist() == env.state.effector_target_xy.tolist() == [0.3, 0.2]
    assert env.task is TO_THE_3
    assert decode_instruction(observation["instruction"]) == TO_THE_3.instruction
    assert info == {
        "success": False,
        "family": "block2spot",
        "instruction": TO_THE_3.instruction,
        "out_of_reach": False,
    }


def test_the_setting_of_a_start_is_seen_until_the_next_reset() -> None:
    env = LanguageTableEnv(seed=0)
    tile = Tile(name="3", xy=(0.4, -0.2), picture=np.full((64, 64, 3), 255, np.uint8))
    setting = Setting(look=Look(board=(0.5, 0.2, 0.2)), tiles=(tile,))
    plain, _ = env.reset(options={"start": start()})
    varied, _ = env.reset(options={"start": start(setting=setting)})
    stepped, *_ = env.step([0.0, 0.0])
    for seen in (varied, stepped):
        assert (seen["rgb"] != plain["rgb"]).any(2).mean() > 0.4
    again, _ = env.reset(options={"start": start()})
    np.testing.assert_array_equal(again["rgb"], plain["rgb"])
    env.close()


def test_a_start_draws_nothing(env: LanguageTableEnv) -> None:
    """The next drawn episode is the same, with starts played before it or without."""
    env.reset(seed=3)
    env.reset()
    drawn = env.get_state()
    env.reset(seed=3)
    env.reset(options={"start": start()})
    env.reset()
    assert env.get_state() == drawn


def test_only_blocks_that_overlap_are_moved(env: LanguageTableEnv) -> None:
    touching = {"red_cube": (0.40, 0.0, 0.0), "blue_cube": (0.40, 0.0400, 0.0)}
    env.reset(options={"start": start(GO, touching)})
    assert not env.simulator.overlapping()
    assert env.state.blocks["blue_cube"] == pytest.approx(touching["blue_cube"], abs=1e-12)
    env.reset(options={"start": start(GO, touching | {"blue_cube": (0.40, 0.02, 0.0)})})
    assert hypot(*(env.state.xy("red_cube") - env.state.xy("blue_cube"))) > 0.037


def test_starts_may_say_what_they_like_of_the_seven_families(env: LanguageTableEnv) -> None:
    task = Block2Block(
        instruction="may the moon meet the cube",
        pushed="red_moon",
        target="blue_cube",
        tolerance=0.05,
    )
    _, info = env.reset(options={"start": start(task)})
    assert (info["family"], info["instruction"]) == ("block2block", task.instruction)
    assert solved_in(env) is not None


def test_starts_travel_between_processes(env: LanguageTableEnv) -> None:
    tile = Tile(name="3", xy=(0.4, -0.2), picture=np.zeros((64, 64, 3), np.uint8))
    there = pickle.loads(pickle.dumps(start(BOTH, setting=Setting(tiles=(tile,)))))
    assert there.task == BOTH
    env.reset(options={"start": there})


def test_coming_back_to_the_table_of_a_start(env: LanguageTableEnv) -> None:
    """Blocks and words come back; a task that no family says does not."""
    for task in (TO_THE_3, BOTH):
        env.reset(options={"start": start(task)})
        there = json.loads(json.dumps(env.get_state()))
        env.set_state(**there)
        assert env.task is None
        assert json.loads(json.dumps(env.get_state())) == there


def test_starts_that_cannot_be(env: LanguageTableEnv) -> None:
    with pytest.raises(UnknownNameError, match="blue_cube"):
        start(BOTH, {"red_moon": (0.4, 0.0, 0.0)})
    with pytest.raises(UnknownNameError, match="start"):
        env.reset(options={"begin": start()})
    with pytest.raises(SayactError, match="got dict"):
        env.reset(options={"start": {"blocks": BLOCKS}})
    with pytest.raises(ShapeError, match="512 bytes"):
        env.reset(options={"start": start(Point2Spot(instruction="go " * 200, goal_xy=(0.3, 0)))})
    with pytest.raises(SayactError, match="pushed"):
        Block2Spot(instruction="push it there", goal_xy=(0.3, 0.0))
    with pytest.raises(SayactError, match="at least one"):
        in_order("nothing")


# --- tasks ---


def test_spots_are_reached_within_five_centimetres() -> None:
    assert not TO_THE_3.success(state((0.3, 0.101), (0.5, 0.2)))
    assert TO_THE_3.success(state((0.3, 0.099), (0.5, 0.2)))
    assert not GO.success(state((0.4, -0.15), (0.5, 0.2)))
    assert GO.success(state((0.4, 0.2), (0.5, 0.2), effector=(0.41, -0.11)))


def test_stages_are_done_in_order() -> None:
    moon_there, cube_there, neither = (0.3, 0.05), (0.45, -0.05), (0.5, 0.2)
    first = BOTH.advanced(state(neither, cube_there))
    assert first is BOTH
    assert not first.success(state(neither, cube_there))
    second = first.advanced(state(moon_there, neither))
    assert (second.on, second.pushed, BOTH.pushed) == (1, "blue_cube", "red_moon")
    assert second.instruction == BOTH.instruction
    assert second.now is TO_THE_HEART
    assert not second.success(state(moon_there, neither))
    # What was done stays done.
    assert second.advanced(state(neither, cube_there)) is second
    assert second.success(state(neither, cube_there))


def test_the_environment_goes_through_the_stages(env: LanguageTableEnv) -> None:
    near: dict[str, Pose2D] = {"red_moon": (0.3, 0.05, 0.0), "blue_cube": (0.45, -0.05, 0.0)}
    env.reset(options={"start": start(in_order("both", TO_THE_3, GO, TO_THE_HEART), near)})
    _, reward, terminated, _, _ = env.step([0.0, 0.0])
    assert isinstance(env.task, Stages)
    assert (env.task.on, reward, terminated) == (1, 0.0, False)
    assert solved_in(env) is not None
    assert env.task.on == 2
    # The cube was at the heart all along; it counted once the effector had been at its spot.
    assert GO.success(env.state)


# --- the oracle ---


def solved_in(env: LanguageTableEnv, most: int = 200) -> int | None:
    """Steps that the oracle took, None where it did not get there."""
    oracle = env.oracle()
    for step in range(most):
        *_, terminated, _, _ = env.step(oracle.act().values)
        if terminated:
            return step + 1
    return None


def drawn_start(kind: str, rng: np.random.Generator) -> Start:
    """Eight blocks, effector and goals, all at least 6 cm from each other."""
    names, spots = BLOCK_MODES["BLOCK_8"], []
    while len(spots) < len(names) + 3:
        spot = rng.uniform(INNER_LOW, INNER_HIGH)
        if all(hypot(*(spot - other)) > 0.06 for other in spots):
            spots.append(spot)
    *there, effector, goal, other = [(float(x), float(y)) for x, y in spots]
    blocks = {name: (*xy, float(rng.uniform(-3, 3))) for name, xy in zip(names, there, strict=True)}
    first = Block2Spot(instruction="", pushed=names[0], goal_xy=goal)
    tasks: dict[str, Task] = {
        "block2spot": first,
        "point2spot": Point2Spot(instruction="", goal_xy=goal),
        "stages": in_order("", first, Block2Spot(instruction="", pushed=names[1], goal_xy=other)),
    }
    return Start(blocks=blocks, effector_xy=effector, task=tasks[kind])


@pytest.mark.parametrize(
    ("kind", "median"), [("block2spot", 40), ("point2spot", 9), ("stages", 80)]
)
def test_the_oracle_solves_them(env: LanguageTableEnv, kind: str, median: int) -> None:
    rng, steps = np.random.default_rng(0), []
    for _ in range(15):
        env.reset(options={"start": drawn_start(kind, rng)})
        steps.append(solved_in(env))
    assert steps.count(None) <= 1
    assert np.median([one for one in steps if one]) < median


def test_the_families_of_sentences_are_still_seven() -> None:
    assert len(FAMILIES) == 7
    assert not {"block2spot", "point2spot", "stages"} & set(FAMILIES)
