"""The training cache: every video decoded and shrunk once, then read at random by memory map.

    dataset ──decode──▶ (L, H, W, 3) ──shrink──▶ (L, h, w, 3) ──▶ PATH/frames.npy  every frame
                                                                  PATH/arrays.npz  other columns
                                                                  PATH/store.json  sentences, key

A store is written beside its place and renamed when it is whole. It is used again as long as the
dataset and the name of the shrinking are the same.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64, UInt8
from numpy.lib.format import open_memmap
from rich.console import Console
from rich.progress import track

from sayact.data.dataset import Dataset
from sayact.data.joined_frames import JoinedFrames
from sayact.data.layout import unfinished_name
from sayact.schema.errors import BrokenDatasetError, SayactError

logger = logging.getLogger(__name__)

Shrink = Callable[[UInt8[np.ndarray, "L H W 3"]], UInt8[np.ndarray, "L h w 3"]]

FORMAT = 1  # of the store itself; a store of another format is built anew
FRAMES, HEAD = "frames.npy", "store.json"


@dataclass(frozen=True, kw_only=True)
class FrameStore:
    """All N frames of E episodes, in order; `frames[rows]` copies just those rows.

    episode_index counts episodes of this store from 0, whatever they are called in the dataset;
    episode e has the rows starts[e] … starts[e + 1] - 1, its sentence is tasks[e].
    """

    frames: JoinedFrames
    actions: Float32[np.ndarray, "N A"]
    states: Float32[np.ndarray, "N S"]
    privileged: dict[str, Float32[np.ndarray, "N P"]]
    episode_index: Int32[np.ndarray, "N"]
    frame_index: Int32[np.ndarray, "N"]
    starts: Int64[np.ndarray, "E1"]
    success: Bool[np.ndarray, "E"]
    tasks: tuple[str, ...]
    infos: tuple[dict[str, Any], ...]

    def __len__(self) -> int:
        return len(self.actions)

    @property
    def episodes(self) -> int:
        return len(self.tasks)

    @classmethod
    def build(
        cls,
        dataset: Dataset,
        shrink: Shrink,
        path: str | Path,
        *,
        key: str,
        skip_broken: bool = False,
        workers: int = 2,
        progress: bool = True,
    ) -> "FrameStore":
        """Open the store at `path`, or write it first; `key` names what `shrink` does.

        A broken episode raises, unless `skip_broken` leaves it out.
        """
        path = Path(path)
        stamp = {"format": FORMAT, "key": key, "dataset": fingerprint(dataset)}
        if _stamp_of(path) == stamp:
            return cls.open(path)
        if not len(dataset):
            raise SayactError(f"{dataset.directory} holds no episodes to train on")
        unfinished = unfinished_name(path)
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        with ExitStack() as stack:
            stack.callback(shutil.rmtree, unfinished, ignore_errors=True)
            kept = _write_frames(dataset, shrink, unfinished, skip_broken, workers, progress)
            _write_columns(dataset, kept, unfinished, stamp)
            shutil.rmtree(path, ignore_errors=True)
            unfinished.rename(path)
        return cls.open(path)

    @classmethod
    def open(cls, path: str | Path) -> "FrameStore":
        """A store that was built before."""
        path = Path(path)
        try:
            head = json.loads((path / HEAD).read_text())
            with np.load(path / "arrays.npz", allow_pickle=False) as file:
                arrays = dict(file)
            frames = np.load(path / FRAMES, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, KeyError) as error:
            raise BrokenDatasetError(f"{path}: not a frame store ({error}); delete it") from error
        lengths = arrays.pop("lengths")
        prefix = "privileged."
        return cls(
            frames=JoinedFrames([frames]),
            # Pictures without actions are worth something too: a teacher can say what to do.
            actions=arrays.get("action", np.zeros((int(lengths.sum()), 0), np.float32)),
            states=arrays["observation.state"],
            privileged={
                k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)
            },
            episode_index=np.repeat(np.arange(len(lengths), dtype=np.int32), lengths),
            frame_index=np.concatenate([np.arange(n, dtype=np.int32) for n in lengths]),
            starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            success=arrays["success"],
            tasks=tuple(head["tasks"]),
            infos=tuple(head["infos"]),
        )

    @classmethod
    def join(cls, stores: Sequence["FrameStore"]) -> "FrameStore":
        """Several stores as one; simulator truth is kept where all of them have it.

        States of several robots are as wide as the widest, NaN where a robot has fewer numbers.
        """
        if not stores:
            raise SayactError("no frame stores to join: give at least one dataset")
        names = set.intersection(*(set(store.privileged) for store in stores))
        firsts = np.cumsum([0, *(store.episodes for store in stores)])
        rows = np.cumsum([0, *(len(store) for store in stores)])
        return cls(
            frames=JoinedFrames.of([store.frames for store in stores]),
            actions=np.concatenate([store.actions for store in stores]),
            states=_of_all_robots([store.states for store in stores]),
            privileged={
                n: np.concatenate([s.privileged[n] for s in stores]) for n in sorted(names)
            },
            episode_index=np.concatenate(
                [s.episode_index + np.int32(e) for s, e in zip(stores, firsts[:-1], strict=True)]
            ),
            frame_index=np.concatenate([store.frame_index for store in stores]),
            starts=np.concatenate(
                [[0], *(s.starts[1:] + r for s, r in zip(stores, rows[:-1], strict=True))]
            ).astype(np.int64),
            success=np.concatenate([store.success for store in stores]),
            tasks=tuple(task for store in stores for task in store.tasks),
            infos=tuple(info for store in stores for info in store.infos),
        )

    def only(self, episodes: Int64[np.ndarray, "K"]) -> "FrameStore":
        """The store of K of its episodes, in the order given; pictures are not copied."""
        lengths = np.diff(self.starts)[episodes]
        ranges = [np.arange(*self.starts[e : e + 2].tolist()) for e in episodes]
        rows = np.concatenate(ranges) if ranges else np.zeros(0, np.int64)
        return FrameStore(
            frames=self.frames.only(rows),
            actions=self.actions[rows],
            states=self.states[rows],
            privileged={name: values[rows] for name, values in self.privileged.items()},
            episode_index=np.repeat(np.arange(len(lengths), dtype=np.int32), lengths),
            frame_index=self.frame_index[rows],
            starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            success=self.success[episodes],
            tasks=tuple(self.tasks[e] for e in episodes),
            infos=tuple(self.infos[e] for e in episodes),
        )


def fingerprint(dataset: Dataset) -> str:
    """Changes whenever an episode does: names, lengths, places and file sizes, not their bytes."""
    digest = hashlib.sha256()
    sizes: dict[Path, int] = {}
    for row in dataset.episodes:
        for file in (row.data, row.video):
            if file not in sizes:
                sizes[file] = file.stat().st_size if file.exists() else -1
        place = (str(row.video.relative_to(dataset.directory)), row.first_frame, sizes[row.video])
        told = (row.index, row.length, row.instruction, row.success, place, sizes[row.data])
        digest.update(json.dumps(told).encode())
    return digest.hexdigest()


def is_frame_store(path: Path) -> bool:
    return (path / FRAMES).exists()


def _stamp_of(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads((path / HEAD).read_text())["stamp"]
    except (OSError, ValueError, KeyError):
        return None


def _write_frames(
    dataset: Dataset,
    shrink: Shrink,
    folder: Path,
    skip_broken: bool,
    workers: int,
    progress: bool,
) -> list[int]:
    """Decode, shrink and write all frames; the positions of the episodes that are in.

    Threads, not processes: the decoder and numpy let go of the interpreter while they work, and
    `shrink` may be any function.
    """
    rows = dataset.episodes
    starts: list[int] = np.cumsum([0, *(row.length for row in rows)]).tolist()
    small = shrink(np.zeros((1, *dataset.features[dataset.camera]["shape"]), np.uint8)).shape[1:]
    shape = (starts[-1], *small)
    frames = open_memmap(folder / FRAMES, mode="w+", dtype=np.uint8, shape=shape)

    def one(position: int) -> BrokenDatasetError | None:
        try:
            dataset.columns(position)
            frames[starts[position] : starts[position + 1]] = shrink(dataset.images(position))
        except BrokenDatasetError as error:
            return error
        return None

    kept: list[int] = []
    console = Console(stderr=True)
    with ThreadPoolExecutor(workers) as pool:
        outcomes: Iterator[BrokenDatasetError | None] = pool.map(one, range(len(rows)))
        about = f"caching frames of {dataset.directory.name}"
        for position, error in enumerate(
            track(outcomes, about, len(rows), console=console, disable=not progress)
        ):
            if error is None:
                kept.append(position)
            elif skip_broken:
                logger.warning("left out: %s", error)
            else:
                pool.shutdown(cancel_futures=True)
                raise BrokenDatasetError(
                    f"{error}. Collect it again, or leave broken episodes out with --skip-broken."
                ) from error
    if not kept:
        raise BrokenDatasetError(f"{dataset.directory}: every episode is broken")
    if len(kept) < len(rows):
        _close_gaps(folder / FRAMES, frames, [(starts[i], starts[i + 1]) for i in kept])
    return kept


def _close_gaps(
    path: Path, frames: UInt8[np.ndarray, "N h w 3"], spans: Sequence[tuple[int, int]]
) -> None:
    """Rewrite the file with only the given stretches of rows, in order."""
    shape = (sum(stop - start for start, stop in spans), *frames.shape[1:])
    shorter = path.with_name("shorter.npy")
    target = open_memmap(shorter, mode="w+", dtype=np.uint8, shape=shape)
    filled = 0
    for start, stop in spans:
        target[filled : filled + stop - start] = frames[start:stop]
        filled += stop - start
    target.flush()
    shorter.replace(path)


def _write_columns(
    dataset: Dataset, kept: Sequence[int], folder: Path, stamp: dict[str, Any]
) -> None:
    """All columns but the pictures, and what is told once per episode."""
    parts = [dataset.columns(position) for position in kept]
    rows = [dataset.episodes[position] for position in kept]
    no_state = [np.zeros((row.length, 0), np.float32) for row in rows]
    arrays: dict[str, np.ndarray] = {"observation.state": np.concatenate(no_state)}
    arrays |= {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    arrays["lengths"] = np.array([row.length for row in rows], np.int64)
    arrays["success"] = np.array([row.success for row in rows])
    with (folder / "arrays.npz").open("wb") as file:
        np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]  (typed as if for one flag)
    head = {
        "stamp": stamp,
        "tasks": [row.instruction for row in rows],
        "infos": [row.info for row in rows],
    }
    (folder / HEAD).write_text(json.dumps(head))


def _of_all_robots(states: Sequence[np.ndarray]) -> np.ndarray:
    """(N, S) each → (all N, the largest S)."""
    width = max(rows.shape[1] for rows in states)
    wide = [
        np.pad(rows, ((0, 0), (0, width - rows.shape[1])), constant_values=np.nan)
        for rows in states
    ]
    return np.concatenate(wide)
