"""A contact sheet: the first starts of every suite as the policy's camera sees them, for people.

One row a suite: its title, then its starts, each with its sentence underneath.
"""

import os
import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw

from sayact.envs.language_table.simulator import Simulator
from sayact.envs.language_table.start import Start
from sayact.evals.suites.catalogue import SUITES
from sayact.evals.suites.suite import starts
from sayact.web.glyphs import font

PICTURE = (320, 180)  # width, height, pixels
TITLE_WIDTH = 150
TEXT, LINE, LINES = 12, 15, 3
LINE_LENGTH = 48  # characters
GAP = 6
INK, QUIET = (24, 26, 31), (107, 114, 128)
COLORS = 256  # of the saved picture: enough for the eye, and less than half of the bytes


def suites_sheet(
    file: Path, names: Sequence[str], *, across: int = 4, abreast: int = 1, seed: int = 0
) -> Path:
    """Draws `across` starts of every suite, `abreast` suites side by side, as a PNG."""
    simulator = Simulator()
    try:
        rows = [_row(simulator, name, across, seed) for name in names]
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


def _row(simulator: Simulator, name: str, across: int, seed: int) -> UInt8[np.ndarray, "H W 3"]:
    suite = SUITES[name]
    cells = [_cell(simulator, start) for start in starts(suite, seed=seed, episodes=across)]
    title = Image.new("RGB", (TITLE_WIDTH, cells[0].shape[0]), "white")
    pen = ImageDraw.Draw(title)
    pen.text((GAP, GAP), suite.title, fill=INK, font=font(TEXT + 2))
    for number, line in enumerate(textwrap.wrap(suite.about, 22)):
        pen.text((GAP, GAP + 22 + number * LINE), line, fill=QUIET, font=font(TEXT - 1))
    return np.concatenate([np.asarray(title), *cells], axis=1)


def _cell(simulator: Simulator, start: Start) -> UInt8[np.ndarray, "H W 3"]:
    """One start: the picture, and the sentence."""
    simulator.place(start.blocks, start.effector_xy, start.setting)
    width, height = PICTURE
    canvas = Image.new("RGB", (width + GAP, height + LINES * LINE + 2 * GAP), "white")
    canvas.paste(Image.fromarray(simulator.render()), (0, 0))
    pen = ImageDraw.Draw(canvas)
    lines = textwrap.wrap(start.task.instruction, LINE_LENGTH, max_lines=LINES)
    for number, line in enumerate(lines):
        pen.text((2, height + 2 + number * LINE), line, fill=INK, font=font(TEXT))
    return np.asarray(canvas)
