"""Where things lie in a LeRobotDataset v3.0 folder, and what its columns are called.

    meta/info.json                                  what the columns are, sizes, path templates
    meta/stats.json                                 minimum, maximum, mean, deviation, quantiles
    meta/tasks.parquet                              sentence -> task_index
    meta/episodes/chunk-000/file-000.parquet        one row per episode: where it lies
    data/chunk-000/file-000.parquet                 one row per frame, one row group per episode
    videos/observation.images.rgb/chunk-000/file-000.mp4
    staging/episode-000000.{mp4,parquet}            ours: finished episodes not yet joined

Layout and keys are those of the published lerobot 0.6.1, which ignores keys of `info.json` that it
does not know; ours stand under "sayact".
"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from sayact.schema import ActionSpace
from sayact.schema.errors import BrokenDatasetError

CODEBASE_VERSION = "v3.0"
CAMERA = "observation.images.rgb"
CHUNK_SIZE = 1000  # files in a chunk folder, LeRobot's default
DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
VIDEO_PATH = "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4"
EPISODES_PATH = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
TASKS_PATH = "meta/tasks.parquet"
INFO_PATH = "meta/info.json"
STATS_PATH = "meta/stats.json"
STAGING = "staging"

# Columns that every LeRobotDataset has, with their parquet types.
INDEX_COLUMNS = {
    "timestamp": "float32",
    "frame_index": "int64",
    "episode_index": "int64",
    "index": "int64",
    "task_index": "int64",
}
FLAG_COLUMNS = ("next.done", "next.success")


@dataclass(frozen=True, kw_only=True)
class DatasetSpec:
    """What one dataset holds; every episode added to it must fit.

    image_shape: height, width. privileged: length of each `privileged.NAME` column.
    provenance: how the data was made, kept in `info.json` as it is.
    """

    action_space: ActionSpace
    fps: int
    image_shape: tuple[int, int]
    robot_type: str
    state_names: tuple[str, ...]
    privileged: dict[str, int] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)

    def vectors(self) -> dict[str, tuple[str, ...]]:
        """Column name -> names of its dimensions, for every float column but the timestamp."""
        actions = tuple(d.name for d in self.action_space.dimensions)
        truths = {
            f"privileged.{name}": tuple(f"{name}_{i}" for i in range(size))
            for name, size in self.privileged.items()
        }
        return {
            "observation.state": self.state_names,
            "action": actions,
            "action.executed": actions,
            **truths,
        }


def features_json(spec: DatasetSpec, video_info: dict[str, Any]) -> dict[str, Any]:
    """The "features" entry of `info.json`."""
    camera = {
        "dtype": "video",
        "shape": [*spec.image_shape, 3],
        "names": ["height", "width", "channels"],
        "info": video_info,
    }
    vectors = {
        key: {"dtype": "float32", "shape": [len(names)], "names": list(names)}
        for key, names in spec.vectors().items()
    }
    flags = {key: {"dtype": "bool", "shape": [1], "names": None} for key in FLAG_COLUMNS}
    indexes = {
        key: {"dtype": dtype, "shape": [1], "names": None} for key, dtype in INDEX_COLUMNS.items()
    }
    return {CAMERA: camera, **vectors, **flags, **indexes}


def data_schema(spec: DatasetSpec) -> pa.Schema:
    """The parquet schema of the data files, with the metadata by which Hugging Face datasets
    recognises fixed-length lists."""
    fields: list[pa.Field] = []
    described: dict[str, Any] = {}
    for key, names in spec.vectors().items():
        scalar = {"dtype": "float32", "_type": "Value"}
        if len(names) == 1:
            fields.append(pa.field(key, pa.float32()))
            described[key] = scalar
        else:
            element = pa.field("element", pa.float32())
            fields.append(pa.field(key, pa.list_(element, len(names))))
            described[key] = {"feature": scalar, "length": len(names), "_type": "List"}
    types = dict.fromkeys(FLAG_COLUMNS, "bool") | INDEX_COLUMNS
    for key, dtype in types.items():
        fields.append(pa.field(key, pa.bool_() if dtype == "bool" else pa.type_for_alias(dtype)))
        described[key] = {"dtype": dtype, "_type": "Value"}
    return pa.schema(fields, {"huggingface": json.dumps({"info": {"features": described}})})


def place(number: int) -> dict[str, int]:
    """Chunk and file index of the `number`-th file of a kind."""
    return {"chunk_index": number // CHUNK_SIZE, "file_index": number % CHUNK_SIZE}


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file of the dataset; a missing or broken one is named."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise BrokenDatasetError(
            f"{path} is missing: {path.parents[1]} is not a LeRobotDataset v3.0 folder"
        ) from None
    except ValueError as error:
        raise BrokenDatasetError(f"{path}: not readable as JSON ({error})") from error


def write_json(path: Path, content: dict[str, Any]) -> None:
    replace_file(path, (json.dumps(content, indent=4) + "\n").encode())


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that a kill at any instant leaves the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = unfinished_name(path)
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def unfinished_name(path: Path) -> Path:
    """Where a file is written before it is renamed to `path`; swept away when left behind."""
    return path.with_name(f"{path.name}.{os.getpid()}.unfinished")
