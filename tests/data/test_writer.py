"""What is written is what is read, whatever moment the writing was killed at."""

import errno
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sayact.data.writer as writer_module
from sayact.data import Dataset, DatasetSpec, DatasetWriter, check
from sayact.data.staging import DiskFullError
from sayact.schema import Episode
from sayact.schema.errors import SayactError, ShapeError


def require_same(read: Episode, written: Episode) -> None:
    np.testing.assert_array_equal(read.states, written.states)
    np.testing.assert_array_equal(read.actions, written.actions)
    assert read.executed is not None
    assert written.executed is not None
    np.testing.assert_array_equal(read.executed, written.executed)
    for name, values in written.privileged.items():
        np.testing.assert_array_equal(read.privileged[name], values)
    assert (read.instruction, read.success, read.info) == (
        written.instruction,
        written.success,
        written.info,
    )
    # Half the colour resolution is lost at the edges of the square, little else.
    assert np.abs(read.images.astype(int) - written.images).mean() < 4


def test_round_trip(dataset_folder: Path, make_episode: Callable) -> None:
    dataset = Dataset.open(dataset_folder)
    assert len(dataset) == 6
    for index in range(6):
        require_same(dataset.episode(index), make_episode(index))
    assert check(dataset_folder, progress=False).problems == ()


def test_every_episode_keeps_its_own_frames(dataset_folder: Path, make_episode: Callable) -> None:
    """Episodes share one video; the ground of each has a level of its own."""
    for index, episode in enumerate(Dataset.open(dataset_folder).iterate()):
        corner = episode.images[:, -8:, -8:].astype(float).mean()
        assert abs(corner - (40 + 10 * (index % 8))) < 2


def test_staged_episodes_are_readable(
    tmp_path: Path, spec: DatasetSpec, make_episode: Callable
) -> None:
    """As after a kill: nothing was joined, and one episode in the middle is missing."""
    writer = DatasetWriter(tmp_path, spec)
    for index in (0, 2):
        writer.add(index, make_episode(index))
    dataset = Dataset.open(tmp_path)
    assert [row.index for row in dataset.episodes] == [0, 2]
    require_same(dataset.episode(1), make_episode(2))


def test_finalize_leaves_episodes_after_a_gap(
    tmp_path: Path, spec: DatasetSpec, make_episode: Callable
) -> None:
    writer = DatasetWriter(tmp_path, spec)
    for index in (0, 2):
        writer.add(index, make_episode(index))
    writer.finalize()
    assert [row.staged for row in Dataset.open(tmp_path).episodes] == [False, True]
    writer.add(1, make_episode(1))
    writer.finalize()
    dataset = Dataset.open(tmp_path)
    assert [row.index for row in dataset.episodes] == [0, 1, 2]
    assert not any(row.staged for row in dataset.episodes)
    for index in range(3):
        require_same(dataset.episode(index), make_episode(index))


class Killed(BaseException):
    """Not an Exception, so that no clean-up of the writer runs, as with `kill -9`."""


def kill_at(monkeypatch: pytest.MonkeyPatch, operation: int) -> None:
    """Die right before the `operation`-th rename or removal of a file."""
    left = [operation]

    def dying(original: Callable) -> Callable:
        def method(self: Path, *arguments: object, **options: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return original(self, *arguments, **options)

        return method

    monkeypatch.setattr(Path, "replace", dying(Path.replace))
    monkeypatch.setattr(Path, "unlink", dying(Path.unlink))


def test_killed_at_any_file_operation(
    tmp_path: Path,
    spec: DatasetSpec,
    make_episode: Callable,
    contents: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every rename and every removal is a place to die; the run after ends in the same bytes."""
    monkeypatch.setattr(writer_module, "EPISODES_PER_FILE", 2)
    episodes = [make_episode(index) for index in range(3)]

    def run(folder: Path) -> None:
        writer = DatasetWriter(folder, spec)
        for index in sorted(set(range(3)) - writer.done):
            writer.add(index, episodes[index])
            writer.consolidate(at_least=2)
        writer.finalize()

    run(tmp_path / "unbroken")
    expected = contents(tmp_path / "unbroken")
    died = 0
    while True:
        folder = tmp_path / f"killed-{died}"
        with monkeypatch.context() as patched:
            kill_at(patched, died)
            try:
                run(folder)
                break
            except Killed:
                pass
        finished = {row.index for row in Dataset.open(folder).episodes} if died > 0 else set()
        run(folder)
        assert finished <= set(range(3))
        assert contents(folder) == expected, f"killed at operation {died}"
        died += 1
    assert died > 20  # else the test has lost its teeth


def test_full_disk_keeps_finished_episodes(
    tmp_path: Path, spec: DatasetSpec, make_episode: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = DatasetWriter(tmp_path, spec)
    for index in range(3):
        writer.add(index, make_episode(index))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(DiskFullError, match=r"disk is full.*kept"):
            writer.add(3, make_episode(3))
        with pytest.raises(DiskFullError):
            writer.finalize()
    assert not list(tmp_path.rglob("*.unfinished"))  # they would hold the space
    dataset = Dataset.open(tmp_path)
    assert len(dataset) == 3
    require_same(dataset.episode(2), make_episode(2))
    again = DatasetWriter(tmp_path, spec)
    again.add(3, make_episode(3))
    again.finalize()
    assert check(tmp_path, progress=False).episodes == 4
    assert check(tmp_path, progress=False).problems == ()


def test_another_spec_is_refused(dataset_folder: Path, spec: DatasetSpec) -> None:
    with pytest.raises(SayactError, match="provenance"):
        DatasetWriter(dataset_folder, replace(spec, provenance={"seed": 1}))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"states": np.zeros((4, 3), np.float32)}, "observation.state must have shape"),
        ({"actions": np.full((4, 2), np.nan, np.float32)}, "NaN"),
        ({"images": np.zeros((4, 36, 60, 3), np.uint8)}, "images must be uint8 of shape"),
        ({"privileged": {}}, "privileged.pushed_xy is missing"),
    ],
)
def test_unfit_episodes_are_refused(
    tmp_path: Path, spec: DatasetSpec, change: dict, complaint: str
) -> None:
    fit = Episode(
        images=np.zeros((4, 36, 64, 3), np.uint8),
        states=np.zeros((4, 4), np.float32),
        actions=np.zeros((4, 2), np.float32),
        instruction="push",
        success=True,
        privileged={name: np.zeros((4, 2), np.float32) for name in ("pushed_xy", "goal_xy")},
    )
    writer = DatasetWriter(tmp_path, spec)
    writer.add(0, fit)
    with pytest.raises(ShapeError, match=complaint):
        writer.add(1, replace(fit, **change))


def test_videos_stay_short_enough_for_float32_times(
    tmp_path: Path, spec: DatasetSpec, make_episode: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "VIDEO_SECONDS", 2)
    writer = DatasetWriter(tmp_path, spec)
    for index in range(6):
        writer.add(index, make_episode(index))
    writer.finalize()
    dataset = Dataset.open(tmp_path)
    assert len({row.video for row in dataset.episodes}) > 1
    assert len({row.data for row in dataset.episodes}) == 1
    for row in dataset.episodes:
        assert row.first_frame + row.length <= 20
    for index in range(6):
        require_same(dataset.episode(index), make_episode(index))
