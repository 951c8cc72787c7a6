"""The first batch as the model gets it, for people to look at before they wait for hours."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw
from torch import Tensor

from sayact.schema.batches import Batch, TextBatch

POINT_COLOURS = (255, 0, 0), (255, 255, 255), (255, 0, 255)  # red, white, magenta
TEXT_WIDTH, LINE_HEIGHT = 420, 14  # pixels beside an example's picture, and of a line in there
LETTERS = 66  # that fit into such a line


def draw_windows(batch: Batch, path: Path, rows: int = 6) -> None:
    """Windows, a row each, with the places that the model is told of."""
    pixels = batch.pixels[:rows].permute(0, 1, 3, 4, 2).numpy().copy()
    if batch.points is not None:
        for w, t in np.ndindex(pixels.shape[:2]):
            mark(pixels[w, t], batch.points[w, t])
    Image.fromarray(np.concatenate([np.concatenate(list(row), 1) for row in pixels])).save(path)


def draw_examples(batch: TextBatch, texts: Sequence[str], path: Path, rows: int = 12) -> None:
    """Pictures, a row each, with their places; beside each its source, prompt and answer."""
    pixels = batch.pixels[:rows].permute(0, 2, 3, 1).numpy().copy()
    height, width = pixels.shape[1:3]
    sheet = Image.new("RGB", (width + TEXT_WIDTH, height * len(pixels)))
    write = ImageDraw.Draw(sheet)
    for row, picture in enumerate(pixels):
        if batch.points is not None:
            mark(picture, batch.points[row])
        sheet.paste(Image.fromarray(picture), (0, row * height))
        words = texts[row]
        lines = [words[i : i + LETTERS] for i in range(0, len(words), LETTERS)]
        for line, text in enumerate(lines[: max(1, height // LINE_HEIGHT)]):
            write.text((width + 6, row * height + line * LINE_HEIGHT), text)
    sheet.save(path)


def mark(picture: UInt8[np.ndarray, "H W 3"], points: Float[Tensor, "P 2"]) -> None:
    """Dots at points (x, y) in 0…1 of the picture, in place; unknown ones (NaN) are left out."""
    height, width = picture.shape[:2]
    for point, colour in zip(points.numpy(), cycle(POINT_COLOURS), strict=False):
        if np.isfinite(point).all():
            x, y = (point * (width, height)).astype(int)
            picture[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = colour
