"""The training cache gives back the shrunk frames and columns, at random."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sayact.data import Dataset, DatasetSpec, DatasetWriter, FrameStore
from sayact.schema.errors import BrokenDatasetError, SayactError, ShapeError


def halve(images: np.ndarray) -> np.ndarray:
    return images[:, ::2, ::2]


@pytest.fixture
def store(dataset_folder: Path, tmp_path: Path) -> FrameStore:
    dataset = Dataset.open(dataset_folder)
    return FrameStore.build(dataset, halve, tmp_path / "cache", key="halve", progress=False)


def test_frames_and_columns(store: FrameStore, dataset_folder: Path) -> None:
    dataset = Dataset.open(dataset_folder)
    assert len(store) == dataset.frames
    for e, episode in enumerate(dataset.iterate()):
        rows = np.arange(store.starts[e], store.starts[e + 1])
        np.testing.assert_array_equal(store.frames[rows], halve(episode.images))
        np.testing.assert_array_equal(store.actions[rows], episode.actions)
        np.testing.assert_array_equal(store.states[rows], episode.states)
        np.testing.assert_array_equal(
            store.privileged["goal_xy"][rows], episode.privileged["goal_xy"]
        )
        assert (store.episode_index[rows] == e).all()
        np.testing.assert_array_equal(store.frame_index[rows], np.arange(len(episode)))
        assert store.tasks[e] == episode.instruction
        assert store.success[e] == episode.success
        assert store.infos[e] == episode.info


def test_rows_in_any_shape_and_order(store: FrameStore, rng: np.random.Generator) -> None:
    everything = store.frames[np.arange(len(store))]
    rows = rng.integers(0, len(store), (4, 3))
    np.testing.assert_array_equal(store.frames[rows], everything[rows])
    with pytest.raises(IndexError):
        store.frames[np.array([len(store)])]


def test_built_once(dataset_folder: Path, tmp_path: Path) -> None:
    calls = []

    def counted(images: np.ndarray) -> np.ndarray:
        calls.append(len(images))
        return halve(images)

    dataset = Dataset.open(dataset_folder)

    def build(key: str) -> FrameStore:
        return FrameStore.build(dataset, counted, tmp_path / "c", key=key, progress=False)

    build("halve")
    first = len(calls)
    build("halve")
    assert len(calls) == first
    build("halve, but otherwise")
    assert len(calls) == 2 * first


def test_built_anew_when_the_dataset_grew(
    tmp_path: Path, spec: DatasetSpec, make_episode: Callable
) -> None:
    writer = DatasetWriter(tmp_path / "data", spec)
    for episodes in (1, 2):
        writer.add(episodes - 1, make_episode(episodes - 1))
        writer.finalize()
        dataset = Dataset.open(tmp_path / "data")
        store = FrameStore.build(dataset, halve, tmp_path / "c", key="halve", progress=False)
        assert store.episodes == episodes


def test_joined(store: FrameStore) -> None:
    joined = FrameStore.join([store, store])
    assert len(joined) == 2 * len(store)
    assert joined.episodes == 2 * store.episodes
    n = len(store)
    np.testing.assert_array_equal(joined.frames[np.arange(n)], joined.frames[np.arange(n) + n])
    assert joined.episode_index[n] == store.episodes
    assert joined.starts[-1] == 2 * n
    assert (np.diff(joined.starts) > 0).all()
    rows = np.array([0, n, n - 1, 2 * n - 1])
    np.testing.assert_array_equal(joined.actions[rows], store.actions[rows % n])


def test_robots_whose_states_differ_in_width_join(store: FrameStore) -> None:
    """A person's own robot, and the simulator in a later round of the recipe."""
    n, width = len(store), store.states.shape[1]
    joined = FrameStore.join([replace(store, states=store.states[:, :1]), store])
    assert joined.states.shape == (2 * n, width)
    np.testing.assert_array_equal(joined.states[:n, 0], store.states[:, 0])
    assert np.isnan(joined.states[:n, 1:]).all()
    np.testing.assert_array_equal(joined.states[n:], store.states)


def test_stores_of_different_pictures_do_not_join(store: FrameStore) -> None:
    other = store.frames.parts[0][:, ::2]
    with pytest.raises(ShapeError, match="different pictures"):
        type(store.frames)([store.frames.parts[0], other])


def test_empty_and_broken(tmp_path: Path, spec: DatasetSpec) -> None:
    writer = DatasetWriter(tmp_path / "data", spec)
    with pytest.raises(SayactError, match="no episodes"):
        FrameStore.build(Dataset.open(writer.directory), halve, tmp_path / "c", key="halve")
    with pytest.raises(BrokenDatasetError, match="not a frame store"):
        FrameStore.open(tmp_path / "nothing")
