"""Our folders against a small one that the published lerobot 0.6.1 wrote (tests/golden)."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sayact.data import Dataset, check

GOLDEN = Path(__file__).parents[1] / "golden" / "lerobot_v30"
THEIR_CAMERA, OUR_CAMERA = "observation.images.front", "observation.images.rgb"


def schema(folder: Path, kind: str) -> dict[str, pa.DataType]:
    path = next((folder / kind).rglob("*.parquet"))
    found = pq.read_schema(path)
    return dict(zip(found.names, found.types, strict=True))


def test_their_dataset_is_read() -> None:
    dataset = Dataset.open(GOLDEN)
    assert len(dataset) == 2
    assert dataset.action_space is None
    assert [row.length for row in dataset.episodes] == [23, 31]
    assert dataset.tasks[0] == "push the red moon to the blue cube"
    second = dataset.episode(1)
    assert second.images.shape == (31, 96, 128, 3)
    assert second.actions.shape == (31, 7)
    assert second.states.shape == (31, 6)
    assert check(GOLDEN, progress=False).problems == ()


def test_their_figures_match_their_pictures() -> None:
    """The colours of their statistics are those of the frames we decode: no shifted range."""
    images = Dataset.open(GOLDEN).images(0)
    table = pq.read_table(GOLDEN / "meta/episodes/chunk-000/file-000.parquet")
    mean = np.array(table.column(f"stats/{THEIR_CAMERA}/mean")[0].as_py()).reshape(3)
    np.testing.assert_allclose(images.mean(axis=(0, 1, 2)) / 255, mean, atol=0.01)


def test_data_columns_and_types(dataset_folder: Path) -> None:
    theirs, ours = schema(GOLDEN, "data"), schema(dataset_folder, "data")
    for name in ("timestamp", "frame_index", "episode_index", "index", "task_index"):
        assert ours[name] == theirs[name]
    for name in ("observation.state", "action"):
        assert ours[name].value_field == theirs[name].value_field
        assert pa.types.is_fixed_size_list(ours[name])
    described = [
        json.loads(pq.read_schema(next((f / "data").rglob("*.parquet"))).metadata[b"huggingface"])
        for f in (GOLDEN, dataset_folder)
    ]
    theirs, ours = (d["info"]["features"] for d in described)
    assert ours["timestamp"] == theirs["timestamp"]
    assert ours["action"] == {**theirs["action"], "length": 2}


def test_one_row_group_per_episode(dataset_folder: Path) -> None:
    path = dataset_folder / "data/chunk-000/file-000.parquet"
    metadata = pq.ParquetFile(path).metadata
    lengths = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    assert lengths == [row.length for row in Dataset.open(dataset_folder).episodes]
    assert metadata.row_group(0).column(0).compression == "SNAPPY"


def test_episode_columns_and_types(dataset_folder: Path) -> None:
    theirs, ours = schema(GOLDEN, "meta/episodes"), schema(dataset_folder, "meta/episodes")
    for name, kind in theirs.items():
        assert ours[name.replace(THEIR_CAMERA, OUR_CAMERA)] == kind, name


def test_tasks_table(dataset_folder: Path) -> None:
    theirs, ours = (pq.read_schema(f / "meta/tasks.parquet") for f in (GOLDEN, dataset_folder))
    assert ours.equals(theirs)
    for key in ("index_columns", "columns"):
        assert (
            json.loads(ours.metadata[b"pandas"])[key] == json.loads(theirs.metadata[b"pandas"])[key]
        )


def test_info_and_stats_keys(dataset_folder: Path) -> None:
    theirs, ours = (
        json.loads((f / "meta/info.json").read_text()) for f in (GOLDEN, dataset_folder)
    )
    assert set(ours) == {*theirs, "sayact"}
    for key in ("codebase_version", "chunks_size", "data_path", "video_path"):
        assert ours[key] == theirs[key]
    camera, their_camera = ours["features"][OUR_CAMERA], theirs["features"][THEIR_CAMERA]
    assert camera["names"] == their_camera["names"]
    assert set(camera["info"]) == set(their_camera["info"])
    assert ours["features"]["index"] == theirs["features"]["index"]
    assert ours["total_frames"] == sum(r.length for r in Dataset.open(dataset_folder).episodes)

    theirs, ours = (
        json.loads((f / "meta/stats.json").read_text()) for f in (GOLDEN, dataset_folder)
    )
    for name, feature in ((THEIR_CAMERA, OUR_CAMERA), ("timestamp", "timestamp")):
        for figure, value in theirs[name].items():
            assert np.shape(ours[feature][figure]) == np.shape(value), (name, figure)
