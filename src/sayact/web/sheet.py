"""A contact sheet: the first pictures of a web with their questions underneath, for people."""

import os
import re
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from sayact.envs.language_table.camera import PICTURE
from sayact.schema.errors import SayactError
from sayact.web.glyphs import font
from sayact.web.question import Question
from sayact.web.shards import Pixels, Settings, open_writer

ACROSS, MOST_PICTURES = 3, 24
TEXT_SIZE, LINE, LINE_LENGTH = 11, 14, 76  # pixels, pixels, characters
ENLARGED = 1.5
MOST_LINES = 9
MARK = (255, 0, 255)
UNDRAWN = ("zh", "ja")  # the font has none of their signs


def contact_sheet(settings: Settings, file: Path) -> Path:
    """Draws the sheet; pictures are made anew, so that no shard is needed."""
    require_png(file)
    with open_writer(settings, file.parent) as writer:
        examples = [writer.example(i) for i in range(min(MOST_PICTURES, settings.total))]
    tiles = [tile(pixels, questions) for _, pixels, questions in examples]
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % ACROSS)
    rows = [np.concatenate(tiles[i : i + ACROSS], 1) for i in range(0, len(tiles), ACROSS)]
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial.png")
    Image.fromarray(np.concatenate(rows)).save(partial)
    os.replace(partial, file)
    return file


def require_png(file: Path) -> None:
    """Raises SayactError for the name of another kind of file."""
    if file.suffix.lower() != ".png":
        raise SayactError(f"a sheet is written as PNG; got {file}. Give it the ending .png")


def tile(pixels: Pixels, questions: list[Question]) -> UInt8[np.ndarray, "H W 3"]:
    """The picture enlarged, each question's number at its first place, the text below."""
    width, height = int(PICTURE[1] * ENLARGED), int(PICTURE[0] * ENLARGED)
    canvas = Image.new("RGB", (width, height + MOST_LINES * LINE), "white")
    canvas.paste(Image.fromarray(pixels).resize((width, height)), (0, 0))
    pen = ImageDraw.Draw(canvas)
    shown = [question for question in questions if question.language not in UNDRAWN]
    for row, question in enumerate(shown[:MOST_LINES]):
        line = f"{row} {question.about}: {question.question} → {readable(question)}"
        top = height + row * LINE
        pen.text((3, top), line[:LINE_LENGTH], fill="black", font=font(TEXT_SIZE))
        for x, y in filter(None, question.points[1:3]):
            pen.text((x * width, y * height), str(row), fill=MARK, font=font(TEXT_SIZE))
    return np.asarray(canvas)


def readable(question: Question) -> str:
    """The answer with its places in hundredths of the picture: "(32 55)"."""

    def place(match: re.Match[str]) -> str:
        point = question.points[int(match[1])]
        return "?" if point is None else f"({100 * point[0]:.0f} {100 * point[1]:.0f})"

    return re.sub(r"<p(\d+)>", place, question.answer)
