"""Pictures and questions in tar shards, as WebDataset lays them out: KEY.jpg beside KEY.json.

A shard is written beside its name and moved there when it is whole; one that is there is kept, so
that a run that was killed goes on. What a picture shows depends on (seed, split, index) alone.
"""

import io
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from sayact.schema.errors import SayactError, UnknownNameError
from sayact.web.page import draw_page
from sayact.web.question import Question
from sayact.web.questions import WEIGHTS, table_questions
from sayact.web.scenes import Objects, draw_scene
from sayact.web.table import Painter

JPEG_QUALITY = 92
SHARD = 1000  # pictures
SETTINGS_FILE = "web.json"
SPLITS = {"train": 0, "test": 1}  # part of the seed, so that no test picture is a training picture
KINDS = {"table": 0, "page": 1}
Split = Literal["train", "test"]
Pixels = UInt8[np.ndarray, "180 320 3"]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a folder of shards holds.

    pictures, pages: renders of the table, and drawn pages.
    objects: "all" 144 kinds of blocks, or the "robot"'s eight, which lie on no tiles.
    tiles: share of tables with tiles.
    kinds: of questions about tables; none named: all.
    lossless: PNG instead of JPEG.
    """

    pictures: int = 10_000
    pages: int = 0
    objects: Objects = "all"
    tiles: float = 0.6
    kinds: tuple[str, ...] = ()
    seed: int = 0
    split: Split = "train"
    lossless: bool = False

    def __post_init__(self) -> None:
        if self.pictures < 0 or self.pages < 0 or self.pictures + self.pages == 0:
            raise SayactError(
                f"a web has at least one picture; got {self.pictures} pictures, {self.pages} pages"
            )
        if not 0 <= self.tiles <= 1:
            raise SayactError(f"tiles is a share of all tables, 0 to 1; got {self.tiles}")
        for kind in self.kinds:
            if kind not in WEIGHTS:
                raise UnknownNameError("kind of question", kind, WEIGHTS)

    @property
    def total(self) -> int:
        return self.pictures + self.pages

    @property
    def shards(self) -> int:
        return -(-self.total // SHARD)

    def kind(self, position: int) -> tuple[str, int]:
        """Kind and index of the picture at a position: pages are spread evenly among the tables."""
        before = position * self.pages // self.total
        if (position + 1) * self.pages // self.total > before:
            return "page", before
        return "table", position - before


@contextmanager
def open_writer(settings: Settings, out: Path) -> "Iterator[Writer]":
    """The function that writes one shard, and what it draws with."""
    writer = Writer(settings, out)
    try:
        yield writer
    finally:
        writer.close()


class Writer:
    """Writes shards of one folder; a process needs one of its own."""

    def __init__(self, settings: Settings, out: Path) -> None:
        self._settings = settings
        self._out = out
        self._painter = Painter()

    def close(self) -> None:
        """Frees the GL context."""
        self._painter.close()

    def __call__(self, shard: int) -> int:
        """Writes a shard unless it is there; how many pictures it has."""
        first = shard * SHARD
        positions = range(first, min(first + SHARD, self._settings.total))
        path = shard_path(self._out, shard)
        if path.exists():
            return len(positions)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        with tarfile.open(partial, "w") as tar:
            for position in positions:
                kind, pixels, questions = self.example(position)
                key = f"{position:08d}"
                suffix = "png" if self._settings.lossless else "jpg"
                _add(tar, f"{key}.{suffix}", _encoded(pixels, self._settings.lossless))
                record = {"kind": kind, "questions": [asdict(one) for one in questions]}
                _add(tar, f"{key}.json", json.dumps(record, ensure_ascii=False).encode())
        os.replace(partial, path)
        return len(positions)

    def example(self, position: int) -> tuple[str, Pixels, list[Question]]:
        """Kind, picture and questions at a position."""
        settings = self._settings
        kind, index = settings.kind(position)
        rng = np.random.default_rng([settings.seed, SPLITS[settings.split], KINDS[kind], index])
        if kind == "page":
            return (kind, *draw_page(rng))
        scene = self._painter.with_all_seen(draw_scene(rng, settings.objects, settings.tiles), rng)
        questions = table_questions(scene, rng, kinds=settings.kinds)
        return kind, self._painter.paint(scene), questions


def shard_path(out: Path, shard: int) -> Path:
    return out / f"{shard:06d}.tar"


def begin(settings: Settings, out: Path) -> None:
    """Makes the folder; refuses one that was begun with other settings."""
    out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(settings), indent=1) + "\n"
    kept = out / SETTINGS_FILE
    if kept.exists() and kept.read_text() != text:
        raise SayactError(
            f"{out} was begun with other settings ({SETTINGS_FILE} there); give the same ones to "
            "go on, or another folder"
        )
    if not kept.exists() and any(out.glob("*.tar")):
        raise SayactError(f"{out} holds tar files that are not ours; choose another folder")
    partial = kept.with_suffix(".partial")
    partial.write_text(text)
    os.replace(partial, kept)


def _encoded(pixels: Pixels, lossless: bool) -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    if lossless:
        image.save(buffer, "PNG")
    else:
        image.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))
