"""The push oracle solves every family, and is a smooth function of what it sees."""

import cmath
import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from sayact.envs.language_table.disturbance import Disturbance
from sayact.envs.language_table.env import LanguageTableEnv
from sayact.envs.language_table.oracle import LONGEST_STEP, PushOracle, demonstrate
from sayact.envs.language_table.planning import Disc, Sector, blocked_sectors, free_bearing, wrap
from sayact.envs.language_table.state import TableState
from sayact.envs.language_table.tasks import FAMILIES
from sayact.schema.errors import SayactError

FIRST_SEED = 100_000  # lower seeds are for evaluating policies

# The published oracle's success rate and mean steps under the official protocol: Language-Table,
# commit 5b7bf0e, measured in PyBullet 3.2.7, 50 episodes a family (point2block: a straight line).
PUBLISHED = {
    "block2block": (0.94, 67),
    "block2absolute": (0.84, 86),
    "block2relative": (1.00, 47),
    "block2block_relative": (0.88, 67),
    "separate": (1.00, 14),
    "point2block": (0.98, 5),
    "block1_to_corner": (0.94, 73),
}


def play(family: str, episodes: int, noise: float = 0.0) -> tuple[list[int], int]:
    """Steps of the solved episodes, and how many were not."""
    env = LanguageTableEnv(family=family, render_observations=False)
    oracle, disturbance = PushOracle(env), Disturbance(noise, np.random.default_rng(0))
    solved, failed = [], 0
    for episode in range(episodes):
        env.reset(seed=FIRST_SEED + episode)
        oracle.reset()
        done, success, steps = False, False, 0
        while not done:
            action = oracle.act().values + disturbance()
            _, _, success, truncated, _ = env.step(action)
            done, steps = success or truncated, steps + 1
        if success:
            solved.append(steps)
        else:
            failed += 1
    return solved, failed


@pytest.fixture(scope="module")
def env() -> Iterator[LanguageTableEnv]:
    table = LanguageTableEnv(family="block2block", render_observations=False)
    yield table
    table.close()


@pytest.mark.parametrize("family", FAMILIES)
def test_solves_every_family(family: str) -> None:
    solved, failed = play(family, 15)
    assert failed <= 1
    assert np.mean(solved) < 1.5 * PUBLISHED[family][1]


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_beats_the_published_oracle(family: str) -> None:
    episodes = 250
    solved, failed = play(family, episodes)
    success, steps = PUBLISHED[family]
    # At a true rate of 99 %, ten failures of 250 come up less than once in 2000 times.
    assert len(solved) / episodes >= max(success - 0.02, 0.96), f"{failed} failed"
    assert np.mean(solved) <= steps + 2


def test_recovers_from_disturbances() -> None:
    _, failed = play("block2block", 15, noise=0.1)
    assert failed <= 1


def test_act_depends_on_the_present_alone(env: LanguageTableEnv) -> None:
    env.reset(seed=FIRST_SEED + 1)
    oracle = PushOracle(env)
    for _ in range(20):
        env.step(oracle.act().values)
    np.testing.assert_array_equal(oracle.act().values, PushOracle(env).act().values)


@pytest.mark.parametrize("family", FAMILIES)
def test_answers_anywhere(family: str) -> None:
    """From scrambled states, beyond the board and inside blocks too: a sane step."""
    table = LanguageTableEnv(family=family, render_observations=False)
    table.reset(seed=FIRST_SEED)
    task, rng = table.task, np.random.default_rng(0)
    assert task is not None
    for trial in range(300):
        spots = rng.uniform((0.1, -0.36), (0.66, 0.36), (9, 2))
        if trial % 3 == 0:
            spots[8] = spots[trial % 8]  # the effector in the very centre of a block
        blocks = {name: (*spots[i], 0.0) for i, name in enumerate(table.state.blocks)}
        state = TableState(blocks=blocks, effector_xy=spots[8], effector_target_xy=spots[8])
        assert 0.009 <= abs(demonstrate(state, task)) <= LONGEST_STEP


def test_nearby_states_get_nearby_actions(env: LanguageTableEnv) -> None:
    """Along episodes, half a millimetre elsewhere rarely changes the heading by much."""
    rng, turns = np.random.default_rng(0), []
    oracle = PushOracle(env)
    for episode in range(5):
        env.reset(seed=FIRST_SEED + episode)
        task, done = env.task, False
        assert task is not None
        while not done:
            state = env.state
            beside = state.effector_target_xy + rng.normal(0, 0.0005, 2)
            there = demonstrate(replace(state, effector_target_xy=beside), task)
            turns.append(abs(cmath.phase(there / demonstrate(state, task))))
            _, _, success, truncated, _ = env.step(oracle.act().values)
            done = success or truncated
    assert np.median(turns) < 0.05
    assert np.mean(np.array(turns) > 0.5) < 0.05


def test_a_straight_push_goes_straight(env: LanguageTableEnv) -> None:
    env.set_state(
        blocks={"red_moon": (0.35, 0.0, 0.0), "blue_cube": (0.35, 0.15, 0.0)},
        effector_xy=(0.35, -0.06),
        instruction="push the red moon to the blue cube",
    )
    step = PushOracle(env).act().values
    assert step[0] == pytest.approx(0, abs=1e-6)
    assert 0.01 <= step[1] <= LONGEST_STEP


def test_needs_a_task(env: LanguageTableEnv) -> None:
    env.set_state(blocks={"red_moon": (0.35, 0, 0)}, effector_xy=(0.3, 0), instruction="sing")
    with pytest.raises(SayactError, match="names none"):
        PushOracle(env).act()


def test_blocked_sectors_are_the_tangents() -> None:
    (sector,) = blocked_sectors(0j, [Disc(0.1j, 0.05), Disc(1 + 0j, 0.05)], reach=0.2, widest=1.2)
    assert sector.bearing == pytest.approx(math.pi / 2)
    assert sector.half_width == pytest.approx(math.pi / 6)


def test_free_bearing_leaves_overlapping_sectors_together() -> None:
    sectors = [Sector(0.0, 0.5), Sector(0.8, 0.4), Sector(-3.0, 0.2)]
    assert free_bearing(0.1, sectors, leaning=0.1, most=2) == pytest.approx(-0.5)
    assert free_bearing(0.1, sectors, leaning=0.9, most=2) == pytest.approx(1.2)
    assert free_bearing(0.1, sectors, leaning=0.9, most=1) == pytest.approx(1.1)
    assert free_bearing(1.3, sectors, leaning=0.0, most=2) == pytest.approx(1.3)
    assert wrap(free_bearing(3.2, sectors, leaning=3.2, most=2)) == pytest.approx(3.083, abs=1e-3)
