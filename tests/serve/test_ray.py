"""`sayact serve --engine ray`, with Ray itself, in an environment that has it beside ours."""

import os
import signal
import time
import uuid
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from foreign import interpreter
from sayact.policies.loading import load_policy
from sayact.schema import Action, Observation
from sayact.schema.errors import ServerBusyError
from sayact.serve.client import PolicyClient, connect
from sayact.serve.process import ServerProcess, running

pytestmark = pytest.mark.slow
RAY = "ray[serve]==2.60.0"
ROBOTS, REPLICAS = 4, 2
BACK_S = 60.0  # for a replica to be started again on a busy machine
MARK = "SAYACT_TEST_FLEET"


@dataclass
class Fleet:
    """A running fleet; its processes all inherit a mark."""

    server: ServerProcess
    mark: str

    def replicas(self) -> set[int]:
        """Numbers of the processes that Ray Serve runs replicas in."""
        found: set[int] = set()
        for process in Path("/proc").iterdir():
            try:
                title = (process / "cmdline").read_bytes()
                ours = f"{MARK}={self.mark}".encode() in (process / "environ").read_bytes()
            except OSError:  # no process, or gone
                continue
            if b"ServeReplica:sayact-" in title and ours:
                found.add(int(process.name))
        return found


@pytest.fixture(scope="module")
def fleet(request: pytest.FixtureRequest) -> Generator[Fleet, None, None]:
    python = interpreter(request.config.cache, RAY, beside_us=True)
    command = (str(python), "-m", "sayact.cli", "serve")
    mark = uuid.uuid4().hex
    arguments = ("rt1-nano", "--engine", "ray", "--replicas", str(REPLICAS))
    # A machine that runs other tests takes longer to start Ray than Ray waits.
    environment = {MARK: mark, "RAY_raylet_start_wait_time_s": "120"}
    with running(*arguments, command=command, environment=environment) as server:
        yield Fleet(server, mark)


def episode(seed: int) -> list[Observation]:
    images = np.random.default_rng(seed).integers(0, 256, (4, 180, 320, 3), dtype=np.uint8)
    return [Observation(image=image, instruction=f"push block {seed}") for image in images]


def assert_same(played: Action, expected: Action) -> None:
    assert played.tokens is not None
    assert expected.tokens is not None
    np.testing.assert_array_equal(played.tokens, expected.tokens)
    np.testing.assert_allclose(chances(played), chances(expected), atol=1e-5)


def chances(action: Action) -> np.ndarray:
    assert action.probabilities is not None
    return action.probabilities


def act_once_back(robot: PolicyClient, seen: Observation) -> Action:
    """Ask until the replica has been started again."""
    end = time.monotonic() + BACK_S
    while True:
        try:
            return robot.act(seen)
        except ServerBusyError:
            assert time.monotonic() < end, "the replica did not come back"
            time.sleep(0.2)


def test_a_dead_replica_costs_its_own_robots_their_history_and_nobody_else(fleet: Fleet) -> None:
    episodes, policy = [episode(seed) for seed in range(ROBOTS)], load_policy("rt1-nano")
    robots = [connect(fleet.server.url, timeout_s=30) for _ in episodes]
    alone: list[list[Action]] = []
    for seen in episodes:
        policy.reset()
        alone.append([policy.act(moment) for moment in seen])
    for step in range(2):
        for robot, seen, expected in zip(robots, episodes, alone, strict=True):
            assert_same(robot.act(seen[step]), expected[step])

    before = fleet.replicas()
    assert len(before) == REPLICAS
    victim = min(before)
    os.kill(victim, signal.SIGKILL)
    for number, (robot, seen) in enumerate(zip(robots, episodes, strict=True)):
        began = time.monotonic()
        action = act_once_back(robot, seen[2])
        if not robot.history_lost:
            assert_same(action, alone[number][2])
            assert time.monotonic() - began < 3.0, "this robot has waited for another's replica"
    lost = [number for number, robot in enumerate(robots) if robot.history_lost]
    assert len(lost) == ROBOTS // REPLICAS
    for number in lost:
        policy.reset()
        policy.act(episodes[number][2])  # the first of what it remembers
        expected = policy.act(episodes[number][3])
        assert_same(robots[number].act(episodes[number][3]), expected)
    for number in set(range(ROBOTS)) - set(lost):
        assert_same(robots[number].act(episodes[number][3]), alone[number][3])
    after = fleet.replicas()
    assert len(after) == REPLICAS
    assert victim not in after
    for robot in robots:
        robot.close()
