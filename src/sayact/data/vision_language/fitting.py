"""Pictures of any size as the robot's camera would give them.

A picture of the camera's own size is shrunk as robot frames are. Any other is made to fit without
changing its proportions, black where it does not reach (letterboxed); its places move with it.
"""

import io
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from sayact.codecs.images import ImageCodec
from sayact.data.vision_language.questions import Point


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How a picture of its own size lies in the shrunk one: scaled, then moved; in shares of it."""

    scale: tuple[float, float]
    offset: tuple[float, float]

    def __call__(self, point: Point) -> Point:
        (x, y), (a, b), (c, d) = point, self.scale, self.offset
        return a * x + c, b * y + d


def fit(picture: bytes, images: ImageCodec) -> tuple[UInt8[np.ndarray, "h w 3"], Fit]:
    """A file's bytes → the shrunk picture, and where its points are. OSError, ValueError if bad."""
    with Image.open(io.BytesIO(picture)) as opened:
        image = opened.convert("RGB")
    if (image.height, image.width) == images.camera:
        return images.shrink(np.asarray(image)[None])[0], Fit(scale=(1, 1), offset=(0, 0))
    height, width = images.shrunk
    times = min(height / image.height, width / image.width)
    rows, columns = max(1, round(image.height * times)), max(1, round(image.width * times))
    top, left = (height - rows) // 2, (width - columns) // 2
    shrunk = np.zeros((height, width, 3), np.uint8)
    small = image.resize((columns, rows), Image.Resampling.BICUBIC)  # averages where it shrinks
    shrunk[top : top + rows, left : left + columns] = np.asarray(small)
    return shrunk, Fit(scale=(columns / width, rows / height), offset=(left / width, top / height))
