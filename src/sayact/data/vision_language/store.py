"""Pictures shrunk once and read by memory map, with their questions: what training draws from.

    readers ──decode, fit──▶ (N, h, w, 3) ──▶ PATH/pictures.u8    bytes, one picture after the other
            ──questions────▶                 PATH/questions.npz  columns; texts are kept once each
                                             PATH/store.json     kinds, languages, what is left out

A store is written beside its place and renamed when it is whole. It is used again as long as the
folders and the size of pictures are the same.
"""

import json
import logging
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int32, Int64, UInt8
from PIL import Image, UnidentifiedImageError
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from sayact.codecs.images import ImageCodec
from sayact.data.layout import unfinished_name
from sayact.data.vision_language.fitting import Fit, fit
from sayact.data.vision_language.questions import (
    BROKEN_IMAGE,
    MISSING_IMAGE,
    Found,
    Point,
    Question,
    Reader,
    Skipped,
)
from sayact.schema.errors import BrokenDatasetError

logger = logging.getLogger(__name__)

FORMAT = 1  # of the store itself; a store of another format is built anew
PICTURES, QUESTIONS, HEAD = "pictures.u8", "questions.npz", "store.json"
AT_ONCE = 256  # pictures in memory while the store is written


@dataclass(frozen=True, kw_only=True)
class PictureStore:
    """N pictures and Q questions, in the order of their pictures.

    scene: which of `scenes` a picture is. picture: which picture a question is about. question,
    answer: which of `texts`. about, language: which of `kinds` and `languages`. points: (x, y) in
    0…1 of the shrunk picture, NaN where unknown; those of question q are
    points[first_point[q] : first_point[q + 1]].
    """

    pictures: UInt8[np.ndarray, "N h w 3"]
    scene: Int32[np.ndarray, "N"]
    picture: Int32[np.ndarray, "Q"]
    question: Int32[np.ndarray, "Q"]
    answer: Int32[np.ndarray, "Q"]
    about: Int32[np.ndarray, "Q"]
    language: Int32[np.ndarray, "Q"]
    first_point: Int64[np.ndarray, "Q1"]
    points: Float32[np.ndarray, "K 2"]
    texts: "Texts"
    scenes: tuple[str, ...]
    kinds: tuple[str, ...]
    languages: tuple[str, ...]
    skipped: dict[str, int]

    @classmethod
    def build(
        cls,
        readers: Sequence[Reader],
        images: ImageCodec,
        path: str | Path,
        *,
        strict: bool = False,
        workers: int = 2,
        progress: bool = True,
    ) -> "PictureStore":
        """Open the store at `path`, or write it first.

        What cannot be used is left out and counted in a line of the log; with `strict` it raises.
        """
        path = Path(path)
        stamp = {
            "format": FORMAT,
            "images": [list(images.camera), images.shrink_by],
            "folders": [reader.fingerprint() for reader in readers],
        }
        head = _head(path)
        # A store that left something out does not do for one that must not.
        if head.get("stamp") == stamp and not (strict and head["skipped"]):
            return cls.open(path)
        unfinished = unfinished_name(path)
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        with ExitStack() as stack:
            stack.callback(shutil.rmtree, unfinished, ignore_errors=True)
            skipped = Skipped(where=path.name, strict=strict)
            fitted = _fitted(readers, images, skipped, workers, progress)
            _write(unfinished, fitted, images, stamp, skipped)
            if skipped.reasons:
                logger.warning(skipped.summary())
            shutil.rmtree(path, ignore_errors=True)
            unfinished.rename(path)
        return cls.open(path)

    @classmethod
    def open(cls, path: str | Path) -> "PictureStore":
        """A store that was built before."""
        path = Path(path)
        try:
            head = json.loads((path / HEAD).read_text())
            with np.load(path / QUESTIONS, allow_pickle=False) as file:
                arrays = dict(file)
            pictures = np.memmap(path / PICTURES, np.uint8, "r", shape=tuple(head["shape"]))
        except (OSError, ValueError, KeyError) as error:
            raise BrokenDatasetError(f"{path}: not a picture store ({error}); delete it") from error
        return cls(
            pictures=pictures,
            texts=Texts(arrays.pop("letters"), arrays.pop("ends")),
            scenes=tuple(head["scenes"]),
            kinds=tuple(head["kinds"]),
            languages=tuple(head["languages"]),
            skipped=head["skipped"],
            **arrays,
        )

    def __len__(self) -> int:
        return len(self.picture)

    def points_of(self, question: int) -> Float32[np.ndarray, "P 2"]:
        return self.points[self.first_point[question] : self.first_point[question + 1]]


@dataclass(frozen=True)
class Texts:
    """Many short texts as two arrays: all letters in UTF-8, and where each text ends."""

    letters: UInt8[np.ndarray, "L"]
    ends: Int64[np.ndarray, "S"]

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Texts":
        encoded = [text.encode() for text in texts]
        ends = np.cumsum([len(one) for one in encoded], dtype=np.int64)
        return cls(np.frombuffer(b"".join(encoded), np.uint8), ends)

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, number: int | np.integer) -> str:
        start = self.ends[number - 1] if number else 0
        return self.letters[start : self.ends[number]].tobytes().decode()


class _Columns:
    """Questions as they come in, as columns."""

    def __init__(self) -> None:
        self.scene: list[int] = []  # of every picture
        self.scenes: dict[str, int] = {}
        self.texts: dict[str, int] = {}
        self.kinds: dict[str, int] = {}
        self.languages: dict[str, int] = {}
        self.rows: list[tuple[int, int, int, int, int]] = []
        self.points: list[Point] = []
        self.first_point = [0]

    def add(self, found: Found) -> None:
        """The next picture and its questions."""
        for one in found.questions:
            text, kind, language = (
                names.setdefault(name, len(names))
                for names, name in (
                    (self.texts, one.question),
                    (self.kinds, one.about),
                    (self.languages, one.language),
                )
            )
            answer = self.texts.setdefault(one.answer, len(self.texts))
            self.rows.append((len(self.scene), text, answer, kind, language))
            self.points += [(np.nan, np.nan) if p is None else p for p in one.points]
            self.first_point.append(len(self.points))
        self.scene.append(self.scenes.setdefault(found.scene, len(self.scenes)))

    def arrays(self) -> dict[str, np.ndarray]:
        names = ("picture", "question", "answer", "about", "language")
        columns = np.array(self.rows, np.int32).reshape(-1, len(names)).T
        texts = Texts.of(self.texts)
        return {
            **dict(zip(names, columns, strict=True)),
            "scene": np.array(self.scene, np.int32),
            "first_point": np.array(self.first_point, np.int64),
            "points": np.array(self.points, np.float32).reshape(-1, 2),
            "letters": texts.letters,
            "ends": texts.ends,
        }


def _write(
    folder: Path,
    fitted: Iterable[tuple[UInt8[np.ndarray, "h w 3"], Found]],
    images: ImageCodec,
    stamp: dict[str, Any],
    skipped: Skipped,
) -> None:
    """The store's three files; the last one tells what is in the others."""
    columns = _Columns()
    with (folder / PICTURES).open("wb") as file:
        for shrunk, found in fitted:
            file.write(shrunk.tobytes())
            columns.add(found)
    if not columns.scene:
        raise BrokenDatasetError(f"no picture with a question was found. {skipped.summary()}")
    with (folder / QUESTIONS).open("wb") as file:
        np.savez(file, **columns.arrays())  # pyright: ignore[reportArgumentType]
    head = {
        "stamp": stamp,
        "shape": [len(columns.scene), *images.shrunk, 3],
        "scenes": list(columns.scenes),
        "kinds": list(columns.kinds),
        "languages": list(columns.languages),
        "skipped": dict(skipped.reasons),
    }
    (folder / HEAD).write_text(json.dumps(head))


def _fitted(
    readers: Sequence[Reader],
    images: ImageCodec,
    skipped: Skipped,
    workers: int,
    progress: bool,
) -> Iterator[tuple[UInt8[np.ndarray, "h w 3"], Found]]:
    """Every usable picture with its questions, places moved to where they are in it.

    Threads: decoding lets go of the interpreter.
    """

    def one(found: Found) -> tuple[Any, Fit] | str:
        if not found.picture:
            return MISSING_IMAGE
        try:
            return fit(found.picture, images)
        except (OSError, ValueError, UnidentifiedImageError, Image.DecompressionBombError):
            return BROKEN_IMAGE

    everything = (found for reader in readers for found in reader.read(skipped))
    columns = SpinnerColumn(), TextColumn("shrinking pictures"), TextColumn("{task.completed}")
    bar = Progress(*columns, console=Console(stderr=True), disable=not progress)
    with ThreadPoolExecutor(workers) as pool, bar:
        task = bar.add_task("", total=None)
        while some := list(islice(everything, AT_ONCE)):
            for found, outcome in zip(some, pool.map(one, some), strict=True):
                if isinstance(outcome, str):
                    skipped.add(outcome, found.name)
                    continue
                shrunk, moved = outcome
                yield (
                    shrunk,
                    replace(found, questions=tuple(_moved(q, moved) for q in found.questions)),
                )
            bar.advance(task, len(some))


def _moved(question: Question, fit: Fit) -> Question:
    if not question.points or fit.scale == (1, 1):
        return question
    return replace(question, points=tuple(p and fit(p) for p in question.points))


def _head(path: Path) -> dict[str, Any]:
    try:
        return json.loads((path / HEAD).read_text())
    except (OSError, ValueError):
        return {}
