"""Broken files are named, with their episode; sound ones around them stay readable."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sayact.data import Dataset, FrameStore, check
from sayact.schema.errors import BrokenDatasetError


def truncate(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


def rewrite(path: Path, column: str, change: Callable[[list], None]) -> None:
    """Change one column of a parquet file and keep its schema."""
    table = pq.read_table(path)
    values = table.column(column).to_pylist()
    change(values)
    place = table.schema.get_field_index(column)
    field = table.schema.field(column)
    pq.write_table(table.set_column(place, field, pa.array(values, field.type)), path)


def data_file(folder: Path) -> Path:
    return folder / "data/chunk-000/file-000.parquet"


def test_truncated_parquet(dataset_folder: Path) -> None:
    truncate(data_file(dataset_folder), 0.5)
    report = check(dataset_folder, progress=False)
    assert "data/chunk-000/file-000.parquet" in report.problems[0].what
    assert report.problems[0].episode == 0
    assert "file-000.parquet: episode 0: not readable" in report.problems[0].what
    with pytest.raises(BrokenDatasetError, match=r"file-000\.parquet"):
        report.require_sound()


def test_truncated_episode_table(dataset_folder: Path) -> None:
    truncate(dataset_folder / "meta/episodes/chunk-000/file-000.parquet", 0.9)
    report = check(dataset_folder, progress=False)
    assert "meta/episodes/chunk-000/file-000.parquet" in report.problems[0].what


@pytest.mark.parametrize("name", ["meta/tasks.parquet", "meta/stats.json"])
def test_truncated_tables_that_only_others_read(dataset_folder: Path, name: str) -> None:
    truncate(dataset_folder / name, 0.5)
    (problem,) = check(dataset_folder, progress=False).problems
    assert name in problem.what


def test_a_description_that_lacks_something(dataset_folder: Path) -> None:
    info = dataset_folder / "meta/info.json"
    info.write_text(info.read_text().replace('"fps"', '"fpm"', 1))
    (problem,) = check(dataset_folder, progress=False).problems
    assert "'fps' is missing" in problem.what


def test_a_column_that_is_missing(dataset_folder: Path) -> None:
    file = data_file(dataset_folder)
    pq.write_table(pq.read_table(file).drop_columns(["frame_index"]), file)
    problems = check(dataset_folder, progress=False).problems
    assert "episode 0: column frame_index is missing" in problems[0].what


def test_truncated_video(dataset_folder: Path) -> None:
    """Cut anywhere, an mp4 loses its index, which lies at its end: no episode is readable."""
    video = next(dataset_folder.rglob("*.mp4"))
    truncate(video, 0.7)
    report = check(dataset_folder, progress=False)
    assert report.problems[0].episode == 0
    assert "file-000.mp4: episode 0" in report.problems[0].what


def test_damaged_picture(dataset_folder: Path) -> None:
    """A lenient decoder would patch over damaged bytes and say nothing."""
    video = next(dataset_folder.rglob("*.mp4"))
    content = bytearray(video.read_bytes())
    middle = content.index(b"mdat") + 640  # past x264's note about itself, in the first picture
    content[middle : middle + 200] = bytes(range(200))
    video.write_bytes(bytes(content))
    problems = check(dataset_folder, progress=False).problems
    assert problems
    assert all(".mp4" in problem.what for problem in problems)


def test_video_with_fewer_frames(dataset_folder: Path) -> None:
    """The last episode is longer in the tables than in the video."""
    path = dataset_folder / "meta/episodes/chunk-000/file-000.parquet"
    key = "videos/observation.images.rgb/from_timestamp"

    def later(values: list) -> None:
        values[-1] += 0.2

    rewrite(path, key, later)
    (problem,) = check(dataset_folder, progress=False).problems
    assert problem.episode == 5
    assert "frames, but" in problem.what
    assert ".mp4" in problem.what


def test_nan_action(dataset_folder: Path) -> None:
    first = Dataset.open(dataset_folder).episodes[0].length

    def spoil(values: list) -> None:
        values[first + 1] = [float("nan"), 0.0]

    rewrite(data_file(dataset_folder), "action", spoil)
    (problem,) = check(dataset_folder, progress=False).problems
    assert problem.episode == 1
    assert "action holds NaN or infinity at step 1" in problem.what


def test_shifted_timestamp(dataset_folder: Path) -> None:
    def shift(values: list) -> None:
        values[2] += 0.05

    rewrite(data_file(dataset_folder), "timestamp", shift)
    (problem,) = check(dataset_folder, progress=False).problems
    assert problem.episode == 0
    assert "timestamp" in problem.what


def test_wrong_totals(dataset_folder: Path) -> None:
    info = dataset_folder / "meta/info.json"
    info.write_text(info.read_text().replace('"total_episodes": 6', '"total_episodes": 7'))
    (problem,) = check(dataset_folder, progress=False).problems
    assert "total_episodes is 7" in problem.what


def test_not_a_dataset(tmp_path: Path) -> None:
    report = check(tmp_path, progress=False)
    assert "not a LeRobotDataset" in report.problems[0].what


def test_skipping_what_is_broken(dataset_folder: Path, tmp_path: Path) -> None:
    """A cache refuses a broken dataset, unless told to leave the broken episodes out."""

    def spoil(values: list) -> None:
        values[0] = [float("nan"), 0.0]

    rewrite(data_file(dataset_folder), "action", spoil)
    dataset = Dataset.open(dataset_folder)

    def build(skip_broken: bool) -> FrameStore:
        return FrameStore.build(
            dataset,
            lambda images: images,
            tmp_path / "cache",
            key="as they are",
            skip_broken=skip_broken,
            progress=False,
        )

    with pytest.raises(BrokenDatasetError, match=r"episode 0.*--skip-broken"):
        build(skip_broken=False)
    assert not (tmp_path / "cache").exists()
    store = build(skip_broken=True)
    assert store.episodes == 5
    assert len(list(dataset.iterate(skip_broken=True))) == 5
    rows = np.arange(store.starts[0], store.starts[1])
    np.testing.assert_array_equal(store.frames[rows], dataset.images(1))
