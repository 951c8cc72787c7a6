"""The adapter, with a stand-in of LeRobot's interface (lerobot 0.6: `robots/robot.py`)."""

from typing import Any

import numpy as np
import pytest

from sayact.robots.lerobot import LeRobotRobot
from sayact.robots.loop import ControlLoop
from sayact.robots.robot import Robot
from sayact.schema import LANGUAGE_TABLE, ActionSpace, Dimension
from sayact.schema.errors import SayactError
from sayact.testing.toy_robot import ScriptedPolicy

MOTORS = ("shoulder_pan.pos", "gripper.pos")


class StandInArm:
    """Names, set-points and a camera; it sags by 1 under what it was told."""

    def __init__(self) -> None:
        self.is_connected = False
        self.sent: list[dict[str, Any]] = []
        self.place: dict[str, float] = dict.fromkeys(MOTORS, 10.0)

    @property
    def observation_features(self) -> dict[str, Any]:
        return {**self.action_features, "front": (18, 32, 3)}

    @property
    def action_features(self) -> dict[str, Any]:
        return dict.fromkeys(MOTORS, float)

    def connect(self) -> None:
        self.is_connected = True

    def disconnect(self) -> None:
        self.is_connected = False

    def get_observation(self) -> dict[str, Any]:
        assert self.is_connected
        return {**self.place, "front": np.full((18, 32, 3), 90, np.uint8)}

    def send_action(self, action: dict[str, Any]) -> dict[str, Any]:
        assert self.is_connected
        self.sent.append(action)
        self.place = {name: value - 1 for name, value in action.items()}
        return action


def joints(delta: bool) -> ActionSpace:
    names = [name.removesuffix(".pos") for name in MOTORS]
    return ActionSpace(
        name="so101",
        dimensions=tuple(Dimension(name=n, low=-100.0, high=100.0, unit="%") for n in names),
        rate_hz=20.0,
        frame="joint",
        delta=delta,
    )


def wrapped(arm: StandInArm, delta: bool) -> LeRobotRobot:
    features = {name.removesuffix(".pos"): name for name in MOTORS}
    return LeRobotRobot(arm, joints(delta), camera="front", features=features)


def test_it_is_a_robot_and_connects_when_first_used() -> None:
    arm = StandInArm()
    robot = wrapped(arm, delta=False)
    assert isinstance(robot, Robot)
    assert not arm.is_connected
    seen = robot.observe()
    assert arm.is_connected
    assert seen.image.shape == (18, 32, 3)
    assert seen.state is not None
    assert seen.state.tolist() == [10, 10]
    assert robot.state_names == MOTORS
    robot.close()
    assert not arm.is_connected


def test_set_points_are_passed_on_by_name() -> None:
    arm = StandInArm()
    wrapped(arm, delta=False).apply(np.array([5, -3], np.float32))
    assert arm.sent == [{"shoulder_pan.pos": 5.0, "gripper.pos": -3.0}]


def test_displacements_are_counted_from_the_last_set_point_not_from_where_it_sags() -> None:
    arm = StandInArm()
    robot = wrapped(arm, delta=True)
    for _ in range(3):
        robot.apply(np.array([2, 0], np.float32))
    assert [sent["shoulder_pan.pos"] for sent in arm.sent] == [12, 14, 16]
    assert [sent["gripper.pos"] for sent in arm.sent] == [10, 10, 10]


def test_stop_holds_the_arm_where_it_is_and_lets_nothing_fall() -> None:
    arm = StandInArm()
    robot = wrapped(arm, delta=False)
    robot.stop()
    assert not arm.sent, "an arm that was never connected is left alone"
    robot.apply(np.array([50, 0], np.float32))
    robot.stop()
    assert arm.sent[-1] == {"shoulder_pan.pos": 49, "gripper.pos": -1}
    assert arm.is_connected


def test_it_runs_in_a_loop() -> None:
    arm = StandInArm()
    space = joints(True)
    report = ControlLoop(
        wrapped(arm, delta=True), ScriptedPolicy(lambda _: [1.0, 0.0], space), 20
    ).run("wave", steps=4)
    assert report.counts.steps == 4
    assert max(sent["shoulder_pan.pos"] for sent in arm.sent) == 14


def test_names_that_the_arm_does_not_have_are_refused() -> None:
    with pytest.raises(SayactError, match=r"delta_x.*shoulder_pan\.pos"):
        LeRobotRobot(StandInArm(), LANGUAGE_TABLE, camera="front")
    features = {name.removesuffix(".pos"): name for name in MOTORS}
    with pytest.raises(SayactError, match=r"side.*front"):
        LeRobotRobot(StandInArm(), joints(True), camera="side", features=features)
