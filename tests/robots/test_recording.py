"""What a robot did, as a dataset that is sound and can be trained on."""

from pathlib import Path

import numpy as np
import pytest

from sayact.cli import main
from sayact.data.check import check
from sayact.data.dataset import Dataset
from sayact.data.frames import FrameStore
from sayact.experiments.runs import knows_places
from sayact.robots.desk import Desk
from sayact.robots.gym_robot import GymRobot
from sayact.robots.limits import Limits
from sayact.robots.loop import ControlLoop
from sayact.robots.recording import NO_TOKEN, Recording
from sayact.robots.report import Status
from sayact.schema import LANGUAGE_TABLE, Action, Observation
from sayact.schema.errors import SayactError
from sayact.testing.toy import ToyWorld
from sayact.testing.toy_robot import ScriptedPolicy, ToyRobot

HZ = 20


class Numbered(ScriptedPolicy):
    """With tokens, as a network has."""

    def act(self, observation: Observation) -> Action:
        tokens = np.array([self.step, 255], np.int64)
        action = super().act(observation)
        return Action(values=action.values, tokens=tokens)


def recording(folder: Path, hz: float = HZ) -> Recording:
    return Recording(
        directory=folder,
        action_space=LANGUAGE_TABLE,
        hz=hz,
        robot_type="toy",
        state_names=("x", "y"),
        about={"policy": "numbered"},
    )


def forward(_: int) -> list[float]:
    return [0.02, 0.2]


def test_an_episode_is_written_as_it_was(tmp_path: Path) -> None:
    robot, record = ToyRobot(), recording(tmp_path / "a")
    limits = Limits(LANGUAGE_TABLE, HZ)
    report = ControlLoop(robot, Numbered(forward), HZ, limits=limits).run(
        "walk", steps=6, record=record
    )
    record.close()
    dataset = Dataset.open(tmp_path / "a")
    assert check(tmp_path / "a", progress=False).problems == ()
    assert report.recorded == (0,)
    episode = dataset.episode(0)
    assert (episode.instruction, len(episode), dataset.fps) == ("walk", 6, HZ)
    assert np.allclose(episode.actions, [0.02, 0.2]), "what the policy said"
    assert episode.executed is not None
    assert np.allclose(episode.executed, robot.applied()), "what was left after the limits"
    assert episode.privileged["tokens"].tolist() == [[n, 255] for n in range(6)]
    assert (episode.privileged["latency_ms"] > 0).all()
    # The robot stood at the sum of what it had been told by then.
    assert np.allclose(episode.states[1:], np.cumsum(robot.applied(), 0)[:-1], atol=1e-6)
    assert not episode.success
    assert episode.info == {"judged": False, "outcome": "time is up"}
    assert dataset.action_space is not None
    assert dataset.action_space.rate_hz == HZ, "displacements of 20 Hz are no others'"


def test_pictures_are_those_that_the_actions_answered(tmp_path: Path) -> None:
    record = recording(tmp_path)
    ControlLoop(ToyRobot(), Numbered(forward), HZ).run("walk", steps=5, record=record)
    shades = Dataset.open(tmp_path).episode(0).images.mean((1, 2, 3))
    assert np.all(np.diff(shades) > 5), "each look is lighter than the one before"


def test_another_sentence_is_another_episode(tmp_path: Path) -> None:
    desk, record = Desk(), recording(tmp_path)

    def watch(status: Status) -> None:
        if status.counts.steps == 4:
            desk.say("come back")
        if status.counts.steps == 9:
            desk.done()

    loop = ControlLoop(ToyRobot(), Numbered(forward), HZ, desk=desk, watch=watch)
    report = loop.run("walk", record=record)
    rows = Dataset.open(tmp_path).episodes
    assert report.recorded == (0, 1)
    assert [(row.instruction, row.success) for row in rows] == [
        ("walk", False),
        ("come back", True),
    ]
    assert rows[0].info["judged"] is False
    assert sum(row.length for row in rows) == report.counts.steps


def test_a_folder_is_gone_on_with(tmp_path: Path) -> None:
    for _ in range(2):
        record = recording(tmp_path)
        loop = ControlLoop(ToyRobot(), Numbered(forward), HZ)
        for _ in range(2):
            loop.run("walk", steps=3, record=record)
        record.close()
    assert len(Dataset.open(tmp_path)) == 4
    assert check(tmp_path, progress=False).problems == ()
    other = recording(tmp_path, hz=10)
    with pytest.raises(SayactError, match="another dataset"):
        ControlLoop(ToyRobot(), Numbered(forward), 10).run("walk", steps=2, record=other)


def test_a_run_that_was_killed_loses_no_finished_episode(tmp_path: Path) -> None:
    """Never closed: the episodes are there all the same."""
    record = recording(tmp_path)
    loop = ControlLoop(ToyRobot(), Numbered(forward), HZ)
    for _ in range(2):
        loop.run("walk", steps=3, record=record)
    assert len(Dataset.open(tmp_path)) == 2
    record = recording(tmp_path)
    loop.run("walk", steps=3, record=record)
    record.close()
    assert len(Dataset.open(tmp_path)) == 3


def test_a_held_robot_has_no_row_and_the_gap_is_told(tmp_path: Path) -> None:
    def script(step: int) -> list[float]:
        return [np.nan, 0.0] if step == 3 else [0.01, 0.0]

    record = recording(tmp_path)
    ControlLoop(ToyRobot(), ScriptedPolicy(script), HZ).run("walk", steps=6, record=record)
    episode = Dataset.open(tmp_path).episode(0)
    assert len(episode) == 6
    assert episode.privileged["held_ticks"][3, 0] >= 1
    assert (episode.privileged["tokens"] == NO_TOKEN).all()


def test_a_dataset_has_whole_frames_a_second(tmp_path: Path) -> None:
    with pytest.raises(SayactError, match="whole number"):
        recording(tmp_path, hz=2.5)


def test_a_robot_without_a_state(tmp_path: Path) -> None:
    class Blind(ToyRobot):
        def observe(self) -> Observation:
            return Observation(image=super().observe().image, instruction="")

    record = Recording(directory=tmp_path, action_space=LANGUAGE_TABLE, hz=HZ, robot_type="toy")
    ControlLoop(Blind(), ScriptedPolicy(forward), HZ).run("walk", steps=3, record=record)
    record.close()
    assert check(tmp_path, progress=False).problems == ()
    assert not Dataset.open(tmp_path).episode(0).states.any()


def test_the_command_and_training_read_it(tmp_path: Path) -> None:
    """`sayact data check`, and the cache that training learns from."""
    robot, folder = GymRobot(ToyWorld()), tmp_path / "data"
    record = Recording(
        directory=folder,
        action_space=robot.action_space,
        hz=10,
        robot_type="toy",
        state_names=robot.state_names,
    )
    policy = ScriptedPolicy(lambda _: [0.1, 0.0])
    report = ControlLoop(robot, policy, 10).run(record=record)
    record.close()
    assert report.success
    assert main(["data", "check", str(folder)]) == 0
    dataset = Dataset.open(folder)
    assert dataset.action_space == LANGUAGE_TABLE, "at its own rate it is the same action space"
    store = FrameStore.build(
        dataset, lambda frames: frames, tmp_path / "store", key="whole", progress=False
    )
    assert store.success.tolist() == [True]
    assert not knows_places(store), "so a network that points is trained without pointing"
    assert np.allclose(store.actions, [0.1, 0.0])
