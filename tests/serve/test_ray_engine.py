"""Lanes and replicas, with Ray's part played by a stand-in; test_ray.py has Ray itself."""

import gc
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from sayact.policies.loading import load_policy
from sayact.policies.many import many_robots
from sayact.schema import LANGUAGE_TABLE, Action, Observation
from sayact.schema.errors import HistoryLostError, MissingExtraError, ServerBusyError
from sayact.serve.client import connect
from sayact.serve.lanes import Lanes
from sayact.serve.ray_engine import Lane, Replica, ray_robots
from sayact.serve.server import start_in_thread

SEEN = Observation(image=np.zeros((9, 16, 3), np.uint8), instruction="push")


@dataclass
class Call:
    """What `handle.method.remote(...)` gives."""

    handle: "Handle"
    method: str
    given: tuple[Any, ...]

    def result(self, timeout_s: float) -> Any:
        if self.handle.away:
            raise TimeoutError
        time.sleep(self.handle.seconds)
        return getattr(self.handle.replica, self.method)(*self.given)


@dataclass
class Method:
    handle: "Handle"
    name: str

    def remote(self, *given: Any) -> Call:
        return Call(self.handle, self.name, given)


@dataclass
class Handle:
    """A replica that is called as Ray Serve's handle calls it; `random` remembers its draws."""

    away: bool = False
    seconds: float = 0.0
    replica: Replica = field(default_factory=lambda: Replica("random", "cpu"))

    def __getattr__(self, name: str) -> Method:
        return Method(self, name)

    def die(self) -> None:
        self.replica = Replica("random", "cpu")


@pytest.fixture
def handles(monkeypatch: pytest.MonkeyPatch) -> list[Handle]:
    monkeypatch.setattr("sayact.serve.ray_engine._replica_failures", lambda: (TimeoutError,))
    return [Handle(), Handle()]


def fleet_of(handles: list[Handle]) -> Lanes:
    return Lanes([Lane(handle) for handle in handles])


def alone(seed: int, steps: int) -> list[np.ndarray]:
    robots = many_robots(load_policy("random"))
    memory = robots.begin(seed)
    return [values(robots.act_many([SEEN], [memory])[0]) for _ in range(steps)]


def values(answer: object) -> np.ndarray:
    assert isinstance(answer, Action), answer
    return answer.values


def test_robots_of_a_fleet_act_as_they_would_alone(handles: list[Handle]) -> None:
    fleet = fleet_of(handles)
    assert fleet.action_space == LANGUAGE_TABLE
    memories = [fleet.begin(seed) for seed in range(4)]
    acted = [fleet.act_many([SEEN] * 4, memories) for _ in range(3)]
    for robot in range(4):
        for step, expected in enumerate(alone(robot, 3)):
            np.testing.assert_array_equal(values(acted[step][robot]), expected)


def test_new_episodes_go_where_the_fewest_are(handles: list[Handle]) -> None:
    fleet = fleet_of(handles)
    memories = [fleet.begin() for _ in range(4)]
    assert [memory.lane for memory in memories] == [0, 1, 0, 1]
    memories = [memory for memory in memories if memory.lane]
    gc.collect()
    assert fleet.begin().lane == 0


def test_a_dropped_episode_is_forgotten_by_its_replica(handles: list[Handle]) -> None:
    lane = Lane(handles[0])
    kept, dropped = lane.begin(), lane.begin()
    lane.act_many([SEEN, SEEN], [kept, dropped])
    assert lane.episodes() == 2
    del dropped
    gc.collect()
    lane.act_many([SEEN], [kept])
    assert lane.episodes() == 1


def test_robots_of_a_dead_replica_are_told_once_and_others_notice_nothing(
    handles: list[Handle],
) -> None:
    fleet = fleet_of(handles)
    memories = [fleet.begin(7), fleet.begin(8)]
    fleet.act_many([SEEN] * 2, memories)
    handles[0].die()
    lost, unharmed = fleet.act_many([SEEN] * 2, memories)
    assert isinstance(lost, HistoryLostError)
    np.testing.assert_array_equal(values(unharmed), alone(8, 2)[1])
    again, further = fleet.act_many([SEEN] * 2, memories)
    np.testing.assert_array_equal(values(again), alone(7, 1)[0])  # from an empty history
    np.testing.assert_array_equal(values(further), alone(8, 3)[2])


def test_a_replica_that_does_not_answer_has_lost_what_it_held(handles: list[Handle]) -> None:
    """It may act on the step after all: then it must not act on the next with that in mind."""
    lane = Lane(handles[0])
    begun, new = lane.begin(7), lane.begin(8)
    lane.act_many([SEEN], [begun])
    handles[0].away = True
    assert [type(x) for x in lane.act_many([SEEN] * 2, [begun, new])] == [
        HistoryLostError,
        ServerBusyError,
    ]
    handles[0].away = False
    acted = lane.act_many([SEEN] * 2, [begun, new])
    np.testing.assert_array_equal(values(acted[0]), alone(7, 1)[0])
    np.testing.assert_array_equal(values(acted[1]), alone(8, 1)[0])


def test_a_slow_lane_holds_up_nobody_but_its_own_robots(handles: list[Handle]) -> None:
    lanes = fleet_of(handles)
    with start_in_thread(lanes) as server, ExitStack() as leaving:
        robots = [leaving.enter_context(connect(server.url)) for _ in range(2)]
        for robot in robots:
            robot.act(SEEN)
        slow = threading.Thread(target=robots[0].act, args=(SEEN,))
        handles[0].seconds = 3.0
        began = time.monotonic()
        slow.start()
        robots[1].act(SEEN)
        assert time.monotonic() - began < 2.0
        assert slow.is_alive()
        slow.join()


def test_the_robots_of_a_dead_replica_are_told_over_the_wire(handles: list[Handle]) -> None:
    with start_in_thread(fleet_of(handles)) as server, connect(server.url) as robot:
        robot.episode_start(seed=7)
        np.testing.assert_array_equal(robot.act(SEEN).values, alone(7, 1)[0])
        for handle in handles:
            handle.die()
        # The client asks again by itself, and counts what was lost.
        np.testing.assert_array_equal(robot.act(SEEN).values, alone(7, 1)[0])
        assert robot.history_lost == 1


def test_without_ray_one_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"sayact\[ray\]"), ray_robots("zero", 2):
        pass
