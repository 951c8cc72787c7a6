"""Read a LeRobotDataset v3.0 folder, ours or another's, as episodes.

Episodes that are staged but not yet joined into the large files are read too, so a folder is whole
at any moment, also after a kill or on a full disk.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
from av.error import FFmpegError
from jaxtyping import Float32, UInt8

from sayact.data import video
from sayact.data.layout import DATA_PATH, INFO_PATH, VIDEO_PATH, read_json
from sayact.data.staging import read_head, staged_indices, staged_paths
from sayact.data.tables import read_episode_rows, read_parquet
from sayact.schema import ActionSpace, Episode
from sayact.schema.errors import BrokenDatasetError, SayactError, UnknownNameError

logger = logging.getLogger(__name__)

# LeRobot's own tolerance between the times of rows and of frames, seconds.
TIME_TOLERANCE = 1e-4


@dataclass(frozen=True, kw_only=True)
class EpisodeRow:
    """Where one episode lies, and what is told about it once.

    first_row: its first row in the data file; first_frame: its first frame in the video.
    staged: not in the large files yet, so that its `index` and `task_index` columns are not final.
    """

    index: int
    length: int
    instruction: str
    success: bool
    info: dict[str, Any]
    data: Path
    first_row: int
    video: Path
    first_frame: int
    staged: bool


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """An opened dataset folder. `len(dataset)` is the number of episodes."""

    directory: Path
    fps: int
    features: dict[str, Any]
    camera: str
    action_space: ActionSpace | None
    episodes: tuple[EpisodeRow, ...]
    _files: "_LastTable" = field(default_factory=lambda: _LastTable(), repr=False)

    @classmethod
    def open(cls, directory: str | Path, camera: str | None = None) -> "Dataset":
        """Open a folder; `camera` names the video to read, by default the first one."""
        directory = Path(directory)
        info = read_json(directory / INFO_PATH)
        version = str(info.get("codebase_version"))
        if not version.startswith("v3."):
            raise BrokenDatasetError(
                f"{directory} is a LeRobotDataset {version}; v3.0 is read. Convert it with "
                "lerobot's own convert_dataset_v21_to_v30."
            )
        for key in ("fps", "features"):
            if key not in info:
                raise BrokenDatasetError(f"{directory / INFO_PATH}: {key!r} is missing")
        features = info["features"]
        cameras = [key for key, feature in features.items() if feature["dtype"] == "video"]
        if not cameras:
            raise SayactError(f"{directory} has no video; its columns: {', '.join(features)}")
        name = camera or cameras[0]
        if name not in cameras:
            raise UnknownNameError("camera", name, cameras)
        joined = _joined(directory, info, name)
        space = info.get("sayact", {}).get("action_space")
        return cls(
            directory=directory,
            fps=info["fps"],
            features=features,
            camera=name,
            action_space=ActionSpace.from_json(space) if space else None,
            episodes=(*joined, *_staged(directory, len(joined))),
        )

    def __len__(self) -> int:
        return len(self.episodes)

    @property
    def frames(self) -> int:
        """Number of frames of all episodes."""
        return sum(row.length for row in self.episodes)

    @property
    def tasks(self) -> list[str]:
        """Every sentence, in order of first use."""
        return list(dict.fromkeys(row.instruction for row in self.episodes))

    @property
    def privileged_names(self) -> list[str]:
        """Names of the columns of simulator truth."""
        return [k.removeprefix("privileged.") for k in self.features if k.startswith("privileged.")]

    def episode(self, position: int) -> Episode:
        """The `position`-th episode, decoded; a broken one raises and names file and episode."""
        row = self.episodes[position]
        columns = self.columns(position)
        images = self.images(position)
        executed = "action.executed"
        return Episode(
            images=images,
            states=columns.get("observation.state", np.zeros((row.length, 0), np.float32)),
            actions=columns["action"],
            executed=columns.get(executed),
            instruction=row.instruction,
            success=row.success,
            privileged={n: columns[f"privileged.{n}"] for n in self.privileged_names},
            info=dict(row.info),
        )

    def columns(self, position: int) -> dict[str, Float32[np.ndarray, "L N"]]:
        """The float columns of one episode, without its pictures; checked for order and NaN."""
        row = self.episodes[position]
        try:
            table = self._files.read(row.data).slice(row.first_row, row.length)
        except BrokenDatasetError as error:
            raise _broken(row.data, row, str(error).removeprefix(f"{row.data}: ")) from error
        self._require_rows(row, table)
        columns: dict[str, np.ndarray] = {}
        for key, feature in self.features.items():
            if feature["dtype"] not in ("float32", "float64") or key == "timestamp":
                continue
            if key not in table.column_names:
                raise _broken(row.data, row, f"column {key} is missing")
            columns[key] = _vectors(table.column(key), row.length)
            if not np.isfinite(columns[key]).all():
                step = int(np.flatnonzero(~np.isfinite(columns[key]).all(axis=1))[0])
                raise _broken(row.data, row, f"{key} holds NaN or infinity at step {step}")
        return columns

    def images(self, position: int) -> UInt8[np.ndarray, "L H W 3"]:
        """The decoded pictures of one episode."""
        row = self.episodes[position]
        try:
            images = video.decode(row.video, row.first_frame, row.length, self.fps)
        except (FFmpegError, OSError, IndexError) as error:
            raise _broken(row.video, row, f"not readable as a video ({error})") from error
        if len(images) != row.length:
            raise _broken(row.video, row, f"{len(images)} frames, but {row.length} rows")
        height, width = self.features[self.camera]["shape"][:2]
        if images.shape[1:3] != (height, width):
            raise _broken(row.video, row, f"frames of {images.shape[1:3]}, not {(height, width)}")
        return images

    def iterate(self, *, skip_broken: bool = False) -> Iterator[Episode]:
        """Every episode in order; broken ones raise, or are logged and left out."""
        for position in range(len(self)):
            try:
                yield self.episode(position)
            except BrokenDatasetError as error:
                if not skip_broken:
                    raise
                logger.warning("left out: %s", error)

    def _require_rows(self, row: EpisodeRow, table: pa.Table) -> None:
        """The rows must be this episode's, all of them, in order, at the right times."""
        for name in ("episode_index", "frame_index", "timestamp"):
            if name not in table.column_names:
                raise _broken(row.data, row, f"column {name} is missing")
        if table.num_rows != row.length:
            raise _broken(row.data, row, f"{table.num_rows} rows, but length {row.length}")
        if set(table.column("episode_index").to_pylist()) != {row.index}:
            raise _broken(row.data, row, "its rows belong to another episode")
        order = np.arange(row.length)
        if not np.array_equal(table.column("frame_index").to_numpy(), order):
            raise _broken(row.data, row, "frame_index does not count 0, 1, 2, …")
        times = table.column("timestamp").to_numpy()
        # A relative term for float32: one hour is kept to 2e-4 s.
        late = np.abs(times - order / self.fps) > TIME_TOLERANCE + 1e-6 * np.abs(times)
        if late.any() or not np.isfinite(times).all():
            step = int(np.flatnonzero(late | ~np.isfinite(times))[0])
            raise _broken(row.data, row, f"timestamp {times[step]} at step {step}, {self.fps} fps")


def _joined(directory: Path, info: dict[str, Any], camera: str) -> list[EpisodeRow]:
    """The episodes of the large files."""
    rows = read_episode_rows(directory)
    first_of_file: dict[Path, int] = {}
    episodes: list[EpisodeRow] = []
    for row in rows:
        data = directory / info.get("data_path", DATA_PATH).format(
            chunk_index=row["data/chunk_index"], file_index=row["data/file_index"]
        )
        movie = directory / info.get("video_path", VIDEO_PATH).format(
            video_key=camera,
            chunk_index=row[f"videos/{camera}/chunk_index"],
            file_index=row[f"videos/{camera}/file_index"],
        )
        start = first_of_file.setdefault(data, row["dataset_from_index"])
        episodes.append(
            EpisodeRow(
                index=row["episode_index"],
                length=row["length"],
                instruction=row["tasks"][0],
                success=row.get("sayact/success", True),
                info=row.get("sayact/info", {}),
                data=data,
                first_row=row["dataset_from_index"] - start,
                video=movie,
                first_frame=round(row[f"videos/{camera}/from_timestamp"] * info["fps"]),
                staged=False,
            )
        )
    return episodes


def _staged(directory: Path, joined: int) -> list[EpisodeRow]:
    """The finished episodes that are not in the large files yet; those hold the first `joined`."""
    episodes: list[EpisodeRow] = []
    for index in staged_indices(directory):
        if index < joined:
            continue
        movie, rows = staged_paths(directory, index)
        head = read_head(rows)
        episodes.append(
            EpisodeRow(
                index=index,
                length=head.length,
                instruction=head.instruction,
                success=head.success,
                info=head.info,
                data=rows,
                first_row=0,
                video=movie,
                first_frame=0,
                staged=True,
            )
        )
    return episodes


def _vectors(column: pa.ChunkedArray, length: int) -> Float32[np.ndarray, "L N"]:
    values = column.combine_chunks()
    if pa.types.is_list(values.type) or pa.types.is_fixed_size_list(values.type):
        values = values.flatten()
    return values.to_numpy(zero_copy_only=False).astype(np.float32).reshape(length, -1)


def _broken(file: Path, row: EpisodeRow, what: str) -> BrokenDatasetError:
    return BrokenDatasetError(f"{file}: episode {row.index}: {what}")


class _LastTable:
    """Keeps the data file read last, since neighbouring episodes share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._path: Path | None = None
        self._table: pa.Table | None = None

    def read(self, path: Path) -> pa.Table:
        with self._lock:
            if self._table is None or path != self._path:
                self._table, self._path = read_parquet(path), path
            return self._table


def summarise(rows: Sequence[EpisodeRow]) -> dict[str, dict[str, float]]:
    """Per family: episodes, success rate, mean length."""
    families: dict[str, list[EpisodeRow]] = {}
    for row in rows:
        families.setdefault(str(row.info.get("family", "-")), []).append(row)
    return {
        name: {
            "episodes": float(len(group)),
            "success": sum(r.success for r in group) / len(group),
            "mean_length": sum(r.length for r in group) / len(group),
        }
        for name, group in sorted(families.items())
    }
