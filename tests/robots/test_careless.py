"""Robots whose owners were careless, and moments at which everything comes at once."""

import ctypes
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import Float32

from sayact.cli import main
from sayact.data.check import check
from sayact.data.dataset import Dataset
from sayact.robots.desk import Desk
from sayact.robots.loop import ControlLoop
from sayact.robots.recording import Recording
from sayact.robots.watchdog import Guard
from sayact.schema import LANGUAGE_TABLE, Observation
from sayact.testing.toy_robot import ScriptedPolicy, ToyRobot

HZ = 20
STEP = [0.01, 0.0]
MILLIMETRES = 1000

FAILS = '''
"""A robot whose camera fails in the middle of its second episode."""
from sayact.testing.toy_robot import ToyRobot

def MyArm():
    def fail(name):
        if name == "observe" and arm.count("observe") == 9:
            raise ConnectionError("the camera is gone")
    arm = ToyRobot(before=fail)
    return arm
'''


class Careless(ToyRobot):
    """Gives the same buffer for every picture, and computes in the numbers that it was handed."""

    def __init__(self) -> None:
        super().__init__()
        self._buffer = np.zeros((18, 32, 3), np.uint8)

    def observe(self) -> Observation:
        self._buffer[:] = super().observe().image
        return Observation(image=self._buffer, instruction="", state=self.place)

    def apply(self, values: Float32[np.ndarray, "A"]) -> None:
        self._note("apply", values.copy())
        self.place += values
        values *= MILLIMETRES


def test_what_a_robot_does_with_its_numbers_afterwards_changes_no_recording(tmp_path: Path) -> None:
    record = Recording(
        directory=tmp_path / "a", action_space=LANGUAGE_TABLE, hz=HZ, robot_type="careless"
    )
    policy = ScriptedPolicy(lambda _: STEP)
    ControlLoop(Careless(), policy, HZ).run("walk", steps=6, record=record)
    record.close()
    episode = Dataset.open(tmp_path / "a").episode(0)
    assert episode.executed is not None
    assert np.allclose(episode.executed, STEP), "metres, as they were applied"
    assert len({int(image[0, 0, 0]) // 5 for image in episode.images}) == 6, "each its own picture"
    assert np.allclose(np.diff(episode.states[:, 0]), STEP[0])


def test_nothing_is_applied_after_a_stop_however_much_was_said_before_it() -> None:
    """All of it comes while the loop is late."""
    desk = Desk()

    def busy(name: str) -> None:
        if name == "observe" and robot.count("observe") == 5:
            for word in ("up", "down", "left", "right"):
                desk.say(word)
            desk.stop("the red button")
            time.sleep(2 / HZ)

    robot = ToyRobot(before=busy)
    policy = ScriptedPolicy(lambda _: STEP)
    report = ControlLoop(robot, policy, HZ, hold_seconds=2, desk=desk).run("walk")
    assert report.reason == "the red button"
    names = [call.name for call in robot.calls]
    assert "apply" not in names[names.index("observe") :][8:], names


def test_a_stop_between_the_last_look_at_the_desk_and_the_motors_counts() -> None:
    desk = Desk()

    def answer(step: int) -> list[float]:
        return STEP

    robot = ToyRobot()
    loop = ControlLoop(robot, ScriptedPolicy(answer), HZ, desk=desk)
    loop._setup.limits._inside = lambda values, state: (  # type: ignore[method-assign]
        desk.stop("just now") if robot.count("apply") == 3 else None,
        values,
    )[1]
    report = loop.run("walk")
    assert (report.outcome, report.reason, robot.count("apply")) == ("stopped", "just now", 3)


def test_a_program_that_stood_still_as_a_whole_is_not_the_robots_fault() -> None:
    """A network that wakes may keep the interpreter to itself; nothing has moved yet."""

    def script(step: int) -> list[float]:
        if step == 0:
            ctypes.PyDLL(None).usleep(700_000)  # keeps Python's lock, as an import in C does
        return STEP

    robot = ToyRobot()
    report = ControlLoop(robot, ScriptedPolicy(script), HZ, hold_seconds=0.3).run("walk", steps=3)
    assert (report.outcome, report.counts.steps) == ("time is up", 3), report.reason


def test_a_guard_that_was_starved_still_acts_when_the_loop_stays_away() -> None:
    stopped = threading.Event()
    with Guard(stopped.set, Desk(), hang_seconds=0.3):
        ctypes.PyDLL(None).usleep(500_000)
        assert not stopped.is_set()
        assert stopped.wait(2)


def test_episodes_before_an_error_are_a_whole_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "failing.py").write_text(FAILS)
    monkeypatch.chdir(tmp_path)
    arguments = ["failing.py:MyArm", "--policy", "random", "--instruction", "walk", "--steps", "6"]
    more = ["--hold-seconds", "3", "--episodes", "2", "--record", "rec"]
    assert main(["run", *arguments, *more]) == 2
    assert check(tmp_path / "rec", progress=False).problems == ()
    assert len(Dataset.open(tmp_path / "rec")) == 1
