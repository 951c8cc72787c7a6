"""A few pictures with questions as other people's folders hold them, and what reads them."""

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from sayact.data.vision_language.hub_datasets import open_reader
from sayact.data.vision_language.store import PictureStore
from sayact.testing import TINY_IMAGES

SIZE = TINY_IMAGES.camera  # height, width


def picture(number: int, size: tuple[int, int] = SIZE, kind: str = "PNG") -> bytes:
    """One colour, different for every number."""
    shade = (40 + 7 * number % 200, 13 * number % 256, 200)
    buffer = io.BytesIO()
    Image.new("RGB", (size[1], size[0]), shade).save(buffer, kind)
    return buffer.getvalue()


def record(number: int) -> dict[str, object]:
    """Two questions, one of them about a place."""
    x = 0.25 + 0.5 * (number % 2)
    return {
        "kind": "table" if number % 3 else "page",
        "questions": [
            {"question": f"what is picture {number}?", "answer": f"number {number}"},
            {
                "question": "where is it?",
                "answer": "at <p1>",
                "about": "pointing",
                "language": "en" if number % 4 else "de",
                "points": [None, [x, 0.5]],
            },
        ],
    }


def write_tar(path: Path, members: Mapping[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def write_web(folder: Path, pictures: int = 20) -> Path:
    """Two shards."""
    for shard in range(2):
        members: dict[str, bytes] = {}
        for number in range(shard, pictures, 2):
            members[f"{number:04d}.png"] = picture(number)
            members[f"{number:04d}.json"] = json.dumps(record(number)).encode()
        write_tar(folder / f"{shard:06d}.tar", members)
    return folder


def store(folder: Path, cache: Path, *, strict: bool = False) -> PictureStore:
    return PictureStore.build(
        [open_reader(folder)], TINY_IMAGES, cache, strict=strict, progress=False
    )


def colours(opened: PictureStore) -> list[int]:
    """The red of every picture's middle: which picture it is."""
    height, width = opened.pictures.shape[1:3]
    return np.asarray(opened.pictures[:, height // 2, width // 2, 0]).tolist()
