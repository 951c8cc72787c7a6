"""Write a LeRobotDataset v3.0 folder that survives `kill -9` at any instant.

    add(index, episode) ──▶ staging/episode-….{mp4,parquet} ──consolidate──▶ data/, videos/, meta/

A consolidation takes the next episodes without a gap, writes one data file and as many videos as
needed, and at last the file in `meta/episodes` that names them. That last rename is the commit: on
opening, files that no row of `meta/episodes` names are swept away, and so are staged episodes that
a row names. Nothing is lost, nothing is there twice.
"""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sayact.data import video
from sayact.data.layout import (
    CAMERA,
    CHUNK_SIZE,
    CODEBASE_VERSION,
    DATA_PATH,
    EPISODES_PATH,
    INFO_PATH,
    STAGING,
    TASKS_PATH,
    VIDEO_PATH,
    DatasetSpec,
    data_schema,
    features_json,
    place,
    read_json,
    replace_file,
    write_json,
)
from sayact.data.staging import (
    EpisodeHead,
    raise_if_disk_full,
    read_head,
    stage,
    staged_indices,
    staged_paths,
)
from sayact.data.stats import stats
from sayact.data.summary import vector_summary
from sayact.data.tables import (
    episodes_table,
    read_episode_rows,
    read_parquet,
    read_tasks,
    tasks_table,
)
from sayact.schema import Episode
from sayact.schema.errors import BrokenDatasetError, SayactError

logger = logging.getLogger(__name__)

EPISODES_PER_FILE = 500  # of a data file: some megabytes, and what a full disk can hold up

# LeRobot compares times within a file as float32, to 1e-4 s: past 1024 s its steps are wider.
VIDEO_SECONDS = 1000


class DatasetWriter:
    """Adds episodes 0, 1, 2, … in any order; the large files are always in order.

    Opening a folder that already holds a dataset goes on with it; the spec must agree.
    """

    def __init__(self, directory: str | Path, spec: DatasetSpec) -> None:
        self.directory = Path(directory)
        self.spec = spec
        self._rows = read_episode_rows(self.directory)
        self._tasks = read_tasks(self.directory)
        info_file = self.directory / INFO_PATH
        if info_file.exists() and self.done:  # a folder without an episode binds nobody
            _require_same_spec(info_file, self._info(episodes=0, frames=0, tasks=0))
        self._sweep()
        self._write_info()

    @property
    def done(self) -> set[int]:
        """Indices of all finished episodes, staged ones included."""
        return set(range(len(self._rows))) | set(staged_indices(self.directory))

    def add(self, index: int, episode: Episode) -> None:
        """Keep one finished episode; from here on it survives anything but the disk."""
        if index < len(self._rows):
            raise SayactError(f"episode {index} is already in {self.directory}")
        stage(self.directory, self.spec, index, episode)

    def consolidate(self, *, at_least: int = EPISODES_PER_FILE) -> int:
        """Join the next gapless staged episodes, if there are `at_least` so many; how many were."""
        joined = 0
        staged = set(staged_indices(self.directory))
        while True:
            first = len(self._rows)
            batch: list[int] = []
            while first + len(batch) in staged and len(batch) < EPISODES_PER_FILE:
                batch.append(first + len(batch))
            if len(batch) < max(at_least, 1):
                return joined
            try:
                self._join(batch)
            except OSError as error:
                self._sweep()  # what was written of the large files must not fill the disk
                raise_if_disk_full(error, self.directory)
                raise
            joined += len(batch)

    def finalize(self) -> None:
        """Join what can be joined and write the statistics; call it again after more episodes."""
        self.consolidate(at_least=1)
        waiting = len(staged_indices(self.directory))
        if waiting:
            logger.info("%d episodes wait in %s/%s for a gap", waiting, self.directory, STAGING)
        if self._rows:
            stats(self.directory)

    # -- one consolidation, in the order of its steps ------------------------------------------

    def _join(self, batch: Sequence[int]) -> None:
        heads = [read_head(staged_paths(self.directory, i)[1]) for i in batch]
        for head in heads:
            self._tasks.setdefault(head.instruction, len(self._tasks))
        start = int(self._rows[-1]["dataset_to_index"]) if self._rows else 0
        frames = np.cumsum([start, *(head.length for head in heads)]).tolist()
        data_place = place(_next_number(self._rows, "data"))
        meta_place = place(_next_number(self._rows, "meta/episodes"))
        index_summaries = self._write_data(batch, heads, frames, data_place)
        video_columns = self._write_videos(batch, heads)
        rows = [
            {
                "episode_index": index,
                "tasks": [head.instruction],
                "length": head.length,
                "data/chunk_index": data_place["chunk_index"],
                "data/file_index": data_place["file_index"],
                "dataset_from_index": frames[k],
                "dataset_to_index": frames[k + 1],
                **video_columns[k],
                "meta/episodes/chunk_index": meta_place["chunk_index"],
                "meta/episodes/file_index": meta_place["file_index"],
                "sayact/success": head.success,
                "sayact/info": head.info,
                "stats": head.summary | index_summaries[k],
            }
            for k, (index, head) in enumerate(zip(batch, heads, strict=True))
        ]
        self._write_table(TASKS_PATH, tasks_table(self._tasks))
        self._write_table(EPISODES_PATH.format(**meta_place), episodes_table(rows))  # the commit
        self._rows.extend({k: v for k, v in row.items() if k != "stats"} for row in rows)
        self._write_info()
        for index in batch:
            _drop_staged(self.directory, index)

    def _write_data(
        self,
        batch: Sequence[int],
        heads: Sequence[EpisodeHead],
        frames: Sequence[int],
        data_place: dict[str, int],
    ) -> list[dict[str, Any]]:
        """One row group per episode; the figures of the two columns known only now."""
        schema = data_schema(self.spec)
        summaries: list[dict[str, Any]] = []
        sink = pa.BufferOutputStream()
        with pq.ParquetWriter(sink, schema, compression="snappy") as writer:
            for k, (index, head) in enumerate(zip(batch, heads, strict=True)):
                indexes = {
                    "index": np.arange(frames[k], frames[k + 1]),
                    "task_index": np.full(head.length, self._tasks[head.instruction]),
                }
                table = read_parquet(staged_paths(self.directory, index)[1])
                for name, values in indexes.items():
                    column = table.schema.get_field_index(name)
                    table = table.set_column(column, name, pa.array(values))
                writer.write_table(table.replace_schema_metadata(schema.metadata))
                summaries.append({name: vector_summary(v) for name, v in indexes.items()})
        content = sink.getvalue().to_pybytes()
        replace_file(self.directory / DATA_PATH.format(**data_place), content)
        return summaries

    def _write_videos(
        self, batch: Sequence[int], heads: Sequence[EpisodeHead]
    ) -> list[dict[str, Any]]:
        """Join the episodes' videos into files of bounded length; where each episode lies."""
        number = _next_number(self._rows, f"videos/{CAMERA}")
        lengths = [head.length for head in heads]
        sources = [staged_paths(self.directory, index)[0] for index in batch]
        columns: list[dict[str, Any]] = []
        for group in _video_groups(sources, lengths, VIDEO_SECONDS * self.spec.fps):
            video_place = place(number)
            movie, counts = video.join([sources[k] for k in group], self.spec.fps)
            _require_counts([sources[k] for k in group], counts, [lengths[k] for k in group])
            replace_file(self.directory / VIDEO_PATH.format(video_key=CAMERA, **video_place), movie)
            ends = np.cumsum(counts)
            columns.extend(
                {
                    f"videos/{CAMERA}/chunk_index": video_place["chunk_index"],
                    f"videos/{CAMERA}/file_index": video_place["file_index"],
                    f"videos/{CAMERA}/from_timestamp": float(end - count) / self.spec.fps,
                    f"videos/{CAMERA}/to_timestamp": float(end) / self.spec.fps,
                }
                for end, count in zip(ends, counts, strict=True)
            )
            number += 1
        return columns

    def _write_table(self, name: str, table: pa.Table) -> None:
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="snappy")
        replace_file(self.directory / name, sink.getvalue().to_pybytes())

    # -- the description of the whole ----------------------------------------------------------

    def _write_info(self) -> None:
        frames = int(self._rows[-1]["dataset_to_index"]) if self._rows else 0
        info = self._info(episodes=len(self._rows), frames=frames, tasks=len(self._tasks))
        file = self.directory / INFO_PATH
        if not file.exists() or read_json(file) != info:
            write_json(file, info)

    def _info(self, *, episodes: int, frames: int, tasks: int) -> dict[str, Any]:
        spec = self.spec
        info = {
            "codebase_version": CODEBASE_VERSION,
            "fps": spec.fps,
            "features": features_json(spec, video.video_info(*spec.image_shape, spec.fps)),
            "total_episodes": episodes,
            "total_frames": frames,
            "total_tasks": tasks,
            "chunks_size": CHUNK_SIZE,
            "data_files_size_in_mb": 100,
            "video_files_size_in_mb": 200,
            "data_path": DATA_PATH,
            "video_path": VIDEO_PATH,
            "robot_type": spec.robot_type,
            "splits": {"train": f"0:{episodes}"},
            "sayact": {
                "action_space": spec.action_space.to_json(),
                "privileged": spec.privileged,
                "provenance": spec.provenance,
            },
        }
        return json.loads(json.dumps(info))  # tuples as lists, as it is read back

    # -- after a kill --------------------------------------------------------------------------

    def _sweep(self) -> None:
        """Remove what an interrupted run left behind and nothing refers to."""
        named = {DATA_PATH.format(**_place_of(row, "data")) for row in self._rows}
        named |= {
            VIDEO_PATH.format(video_key=CAMERA, **_place_of(row, f"videos/{CAMERA}"))
            for row in self._rows
        }
        for pattern in ("data/*/*.parquet", "videos/*/*/*.mp4"):
            for file in self.directory.glob(pattern):
                if str(file.relative_to(self.directory)) not in named:
                    file.unlink()
        for file in self.directory.rglob("*.unfinished"):
            file.unlink()
        for file in (self.directory / STAGING).glob("episode-*"):
            index = int(file.stem.removeprefix("episode-"))
            if index < len(self._rows):
                _drop_staged(self.directory, index)


def _video_groups(
    sources: Sequence[Path], lengths: Sequence[int], most_frames: int
) -> list[list[int]]:
    """Which episodes share a video file: in order, not too many frames, one set of parameters."""
    groups: list[list[int]] = []
    frames, parameters = 0, b""
    for k, (source, length) in enumerate(zip(sources, lengths, strict=True)):
        own = video.extradata(source)
        if not groups or frames + length > most_frames or own != parameters:
            groups.append([])
            frames, parameters = 0, own
        groups[-1].append(k)
        frames += length
    return groups


def _require_counts(sources: Sequence[Path], counts: list[int], lengths: list[int]) -> None:
    for source, count, length in zip(sources, counts, lengths, strict=True):
        if count != length:
            raise BrokenDatasetError(
                f"{source}: {count} frames, but the episode has {length}. Remove this file and its "
                "parquet and collect the episode again."
            )


def _require_same_spec(file: Path, ours: dict[str, Any]) -> None:
    """Refuse to mix two kinds of data in one folder."""
    theirs = read_json(file)
    settled = ("codebase_version", "fps", "features", "robot_type", "sayact")
    lines = _differences({k: theirs.get(k) for k in settled}, {k: ours[k] for k in settled})
    if lines:
        raise SayactError(
            f"{file.parents[1]} holds another dataset: {'; '.join(lines)}. Choose another folder, "
            "or give the same settings again."
        )


def _differences(there: Any, here: Any, name: str = "") -> list[str]:
    """Every leaf in which two JSON values differ."""
    if isinstance(there, dict) and isinstance(here, dict):
        keys = dict.fromkeys([*there, *here])
        lines = [_differences(there.get(k), here.get(k), f"{name}.{k}".lstrip(".")) for k in keys]
        return [line for found in lines for line in found]
    return [] if there == here else [f"{name} is {there!r} there, {here!r} here"]


def _place_of(row: dict[str, Any], kind: str) -> dict[str, int]:
    return {name: int(row[f"{kind}/{name}"]) for name in ("chunk_index", "file_index")}


def _next_number(rows: Sequence[dict[str, Any]], kind: str) -> int:
    if not rows:
        return 0
    last = _place_of(rows[-1], kind)
    return last["chunk_index"] * CHUNK_SIZE + last["file_index"] + 1


def _drop_staged(directory: Path, index: int) -> None:
    """The parquet goes first: without it the episode no longer counts as staged."""
    movie, rows = staged_paths(directory, index)
    rows.unlink(missing_ok=True)
    movie.unlink(missing_ok=True)
