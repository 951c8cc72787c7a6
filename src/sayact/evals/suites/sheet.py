"""A contact sheet: the first starts of every suite as the policy's camera sees them, for people.

One row a suite: its title, then its starts, each with its sentence underneath, and with rings about
the places that somebody looks at.
"""

import os
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from sayact.envs.language_table.simulator import Simulator
from sayact.envs.language_table.start import Start
from sayact.evals.suites.catalogue import SUITES
from sayact.evals.suites.suite import first_sight, starts
from sayact.schema import Observation
from sayact.schema.errors import SayactError
from sayact.web.glyphs import font
from sayact.web.sheet import require_png

PICTURE = (320, 180)  # width, height, pixels
TITLE_WIDTH = 150
TEXT, LINE, LINES = 12, 15, 3
LINE_LENGTH = 48  # characters
GAP = 6
INK, QUIET = (24, 26, 31), (107, 114, 128)
RING, PEN = 11, 3  # pixels, radius and width
COLORS = 256  # of the saved picture: enough for the eye, and less than half of the bytes

Ink = tuple[int, int, int]
# From the first picture and sentence: places, (x, y) in 0…1 of the picture, by colour.
Marks = Callable[[Observation], Mapping[Ink, Sequence[float]]]


def suites_sheet(
    file: Path,
    names: Sequence[str],
    *,
    across: int = 4,
    abreast: int = 1,
    seed: int = 0,
    marks: Marks | None = None,
) -> Path:
    """Draws `across` starts of every suite, `abreast` suites side by side, as a PNG."""
    if across < 1 or abreast < 1:
        raise SayactError(
            f"a sheet has at least 1 start of every suite and 1 suite a line; got {across} across, "
            f"{abreast} abreast"
        )
    require_png(file)
    simulator = Simulator()
    try:
        rows = [_row(simulator, name, across, seed, marks) for name in names]
    finally:
        simulator.close()
    rows += [np.full_like(rows[0], 255)] * (-len(rows) % abreast)
    lines = [np.concatenate(rows[i : i + abreast], axis=1) for i in range(0, len(rows), abreast)]
    sheet = Image.fromarray(np.concatenate(lines)).quantize(COLORS)
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial.png")
    sheet.save(partial, optimize=True)
    os.replace(partial, file)
    return file


def _row(
    simulator: Simulator, name: str, across: int, seed: int, marks: Marks | None
) -> UInt8[np.ndarray, "H W 3"]:
    suite = SUITES[name]
    cells = [_cell(simulator, start, marks) for start in starts(suite, seed=seed, episodes=across)]
    title = Image.new("RGB", (TITLE_WIDTH, cells[0].shape[0]), "white")
    pen = ImageDraw.Draw(title)
    pen.text((GAP, GAP), suite.title, fill=INK, font=font(TEXT + 2))
    for number, line in enumerate(textwrap.wrap(suite.about, 22)):
        pen.text((GAP, GAP + 22 + number * LINE), line, fill=QUIET, font=font(TEXT - 1))
    return np.concatenate([np.asarray(title), *cells], axis=1)


def _cell(simulator: Simulator, start: Start, marks: Marks | None) -> UInt8[np.ndarray, "H W 3"]:
    """One start: the picture, and the sentence."""
    seen = first_sight(simulator, start)
    width, height = PICTURE
    canvas = Image.new("RGB", (width + GAP, height + LINES * LINE + 2 * GAP), "white")
    canvas.paste(Image.fromarray(seen.image), (0, 0))
    pen = ImageDraw.Draw(canvas)
    for ink, (x, y) in (marks(seen) if marks else {}).items():
        pen.circle((x * width, y * height), RING, outline=ink, width=PEN)
    lines = textwrap.wrap(start.task.instruction, LINE_LENGTH, max_lines=LINES)
    for number, line in enumerate(lines):
        pen.text((2, height + 2 + number * LINE), line, fill=INK, font=font(TEXT))
    return np.asarray(canvas)
