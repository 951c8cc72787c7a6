"""Robot pictures without labels: frames and sentences of datasets, and nothing else of them.

dataset, or frame cache ─▶ frames as the teacher sees them ─▶ asked about
                        └▶ as the student sees them  ─┬─▶ learned from
                           (the same if both shrink   └─▶ held out: the last episodes of every
                           alike)                         dataset, one in twenty
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from sayact.codecs import ImageCodec
from sayact.data.dataset import Dataset
from sayact.data.frames import HEAD, FrameStore, is_frame_store
from sayact.experiments.runs import open_frames, open_store
from sayact.schema.errors import SayactError

HELD_OUT = 20  # one episode in so many is not learned from, and at least one where there are two


@dataclass(frozen=True, kw_only=True)
class Part:
    """Some of the frames, as the student sees them; `rows[n]` is the teacher's row of frame n."""

    frames: FrameStore
    rows: Int64[np.ndarray, "N"]


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """`teacher` holds all frames; `fingerprint` changes with them. Nothing may be held out."""

    teacher: FrameStore
    learned: Part
    held_out: Part | None
    fingerprint: str


def open_pictures(
    folders: Sequence[Path],
    *,
    teacher: ImageCodec,
    student: ImageCodec,
    cache: Path,
    episodes: int | None = None,
    skip_broken: bool = False,
) -> Pictures:
    """The first `episodes` of every dataset, all by default.

    Raises SayactError where there are none, or where a camera does not fit.
    """
    if not folders:
        raise SayactError("no pictures to learn from: name at least one dataset with --data")
    alike = (student.camera, student.shrink_by) == (teacher.camera, teacher.shrink_by)
    digest = hashlib.sha256()
    theirs: list[FrameStore] = []
    ours: list[FrameStore] = []
    for folder in folders:
        beside = cache if alike else cache / "teacher"
        store, place = _open(folder, teacher, "teacher", beside, skip_broken)
        theirs.append(_first(store, episodes))
        digest.update((place / HEAD).read_bytes())
        digest.update(str(theirs[-1].frames.shape).encode())
        if not alike:
            store, _ = _open(folder, student, "student", cache, skip_broken)
        ours.append(_first(store, episodes))
    learned, held_out = _split(ours)
    return Pictures(
        teacher=FrameStore.join(theirs),
        learned=learned,
        held_out=held_out,
        fingerprint=digest.hexdigest(),
    )


def _open(
    folder: Path, images: ImageCodec, whose: str, cache: Path, skip_broken: bool
) -> tuple[FrameStore, Path]:
    """Frames of a dataset, or of a frame cache that was made before, and where they lie."""
    if is_frame_store(folder):
        return open_frames(folder, images, cache, skip_broken, f"the {whose}"), folder
    dataset = Dataset.open(folder)
    camera = tuple(dataset.features[dataset.camera]["shape"][:2])
    if camera != images.camera:
        raise SayactError(
            f"{folder} holds pictures of {camera} pixels (height, width); the {whose}'s camera "
            f"gives {images.camera}. Give data of such a camera, or another {whose}."
        )
    return open_store(folder, images, cache, skip_broken), cache / folder.name


def _split(stores: Sequence[FrameStore]) -> tuple[Part, Part | None]:
    """What is learned from, and what is held out."""
    learned: list[Part] = []
    held_out: list[Part] = []
    first_row = 0
    for store in stores:
        kept = store.episodes - max(store.episodes // HELD_OUT, store.episodes > 1)
        rows = first_row + np.arange(len(store))
        first_row += len(store)
        cut = store.starts[kept]
        learned.append(Part(frames=store.only(np.arange(kept)), rows=rows[:cut]))
        if kept < store.episodes:
            rest = store.only(np.arange(kept, store.episodes))
            held_out.append(Part(frames=rest, rows=rows[cut:]))
    return _join(learned), _join(held_out) if held_out else None


def _join(parts: Sequence[Part]) -> Part:
    return Part(
        frames=FrameStore.join([part.frames for part in parts]),
        rows=np.concatenate([part.rows for part in parts]),
    )


def _first(store: FrameStore, episodes: int | None) -> FrameStore:
    """Its first so many episodes, without anything but pictures and sentences."""
    most = store.episodes if episodes is None else min(episodes, store.episodes)
    nothing = np.zeros((len(store), 0), np.float32)
    bare = replace(store, actions=nothing, states=nothing, privileged={})
    return bare.only(np.arange(most))
