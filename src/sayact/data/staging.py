"""Finished episodes as single small files, until they are joined into the large ones.

An episode is two files, written in this order, each appearing whole or not at all:

    staging/episode-000042.mp4        its frames
    staging/episode-000042.parquet    its rows, and in the schema metadata what is told once

So the parquet stands for a finished episode, whenever the writing process was killed. Writing
needs nothing but the folder and the spec: several processes may do it side by side.
"""

import errno
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sayact.data import video
from sayact.data.layout import CAMERA, STAGING, DatasetSpec, data_schema, replace_file
from sayact.data.summary import image_summary, vector_summary
from sayact.schema import Episode
from sayact.schema.errors import BrokenDatasetError, SayactError, ShapeError

METADATA_KEY = b"sayact"


class DiskFullError(SayactError, OSError):
    """No space left while writing a dataset."""


@dataclass(frozen=True, kw_only=True)
class EpisodeHead:
    """What is told once per episode."""

    instruction: str
    success: bool
    info: dict[str, Any]
    length: int
    summary: dict[str, dict[str, Any]]


def staged_paths(directory: Path, index: int) -> tuple[Path, Path]:
    """The mp4 and the parquet of a staged episode."""
    stem = directory / STAGING / f"episode-{index:06d}"
    return stem.with_suffix(".mp4"), stem.with_suffix(".parquet")


def staged_indices(directory: Path) -> list[int]:
    """The finished staged episodes, ascending."""
    return sorted(
        int(p.stem.removeprefix("episode-"))
        for p in (directory / STAGING).glob("episode-*.parquet")
    )


def stage(directory: Path, spec: DatasetSpec, index: int, episode: Episode) -> None:
    """Write one finished episode. On a full disk the episodes before it stay as they are."""
    _require_fit(spec, episode)
    table = _table(spec, index, episode)
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, table.schema, compression="snappy") as writer:
        writer.write_table(table)
    movie, rows = staged_paths(directory, index)
    try:
        replace_file(movie, video.encode(episode.images, spec.fps))
        replace_file(rows, sink.getvalue().to_pybytes())
    except OSError as error:
        raise_if_disk_full(error, directory)
        raise


def raise_if_disk_full(error: OSError, directory: Path) -> None:
    """Turn ENOSPC into an error that tells what became of the data."""
    if error.errno == errno.ENOSPC:
        raise DiskFullError(
            f"the disk is full: cannot write to {directory}. All episodes finished so far are kept "
            "and readable; free some space and run the same command again to go on."
        ) from error


def read_head(path: Path) -> EpisodeHead:
    """The head of a staged parquet, without its rows."""
    try:
        metadata = pq.read_schema(path).metadata or {}
        return EpisodeHead(**json.loads(metadata[METADATA_KEY]))
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise BrokenDatasetError(f"{path}: not a finished staged episode ({error})") from error


def _table(spec: DatasetSpec, index: int, episode: Episode) -> pa.Table:
    """All rows of an episode; `index` and `task_index` get their values when it is joined."""
    length = len(episode)
    number = np.arange(length, dtype=np.int64)
    last = number == length - 1
    executed = episode.actions if episode.executed is None else episode.executed
    vectors = {
        "observation.state": episode.states,
        "action": episode.actions,
        "action.executed": executed,
        **{f"privileged.{name}": episode.privileged[name] for name in spec.privileged},
    }
    scalars = {
        "next.done": last,
        "next.success": last & episode.success,
        "timestamp": (number / spec.fps).astype(np.float32),
        "frame_index": number,
        "episode_index": np.full(length, index, np.int64),
        "index": number,
        "task_index": np.zeros(length, np.int64),
    }
    schema = data_schema(spec)
    columns = [_column(schema.field(key).type, (vectors | scalars)[key]) for key in schema.names]
    summary = {CAMERA: image_summary(episode.images)}
    summary |= {key: vector_summary(value) for key, value in (vectors | scalars).items()}
    head = EpisodeHead(
        instruction=episode.instruction,
        success=episode.success,
        info=dict(episode.info),
        length=length,
        summary=summary,
    )
    metadata = {**(schema.metadata or {}), METADATA_KEY: json.dumps(vars(head)).encode()}
    return pa.table(columns, schema=schema.with_metadata(metadata))


def _column(kind: pa.DataType, values: np.ndarray) -> pa.Array:
    if pa.types.is_fixed_size_list(kind):
        flat = pa.array(np.ascontiguousarray(values, np.float32).reshape(-1))
        return pa.FixedSizeListArray.from_arrays(flat, type=kind)
    return pa.array(values.reshape(-1), type=kind)


def _require_fit(spec: DatasetSpec, episode: Episode) -> None:
    """Refuse an episode whose arrays do not have the shapes of the spec, or hold NaN."""
    length = len(episode)
    if length == 0:
        raise ShapeError("an episode needs at least one step; got one without any")
    widths = {key: len(names) for key, names in spec.vectors().items()}
    given: dict[str, np.ndarray | None] = {
        "observation.state": episode.states,
        "action": episode.actions,
        "action.executed": episode.executed,
        **{f"privileged.{name}": episode.privileged.get(name) for name in spec.privileged},
    }
    for key, values in given.items():
        if values is None:
            if key == "action.executed":
                continue
            raise ShapeError(f"{key} is missing; the dataset's columns are {', '.join(widths)}")
        if values.shape != (length, widths[key]):
            raise ShapeError(
                f"{key} must have shape {(length, widths[key])}; got {tuple(values.shape)}"
            )
        if not np.isfinite(values).all():
            raise ShapeError(f"{key} holds NaN or infinity; only finite numbers are written")
    picture = (length, *spec.image_shape, 3)
    if episode.images.dtype != np.uint8 or episode.images.shape != picture:
        raise ShapeError(
            f"images must be uint8 of shape {picture}; got {episode.images.dtype} of shape "
            f"{tuple(episode.images.shape)}"
        )
