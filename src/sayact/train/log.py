"""What a run leaves to look at: one JSON line a measurement, TensorBoard, the first batch drawn."""

import json
import time
from collections.abc import Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from sayact.schema.batches import Batch
from sayact.schema.errors import SayactError

LOG = "log.jsonl"
POINT_COLOURS = (255, 0, 0), (255, 255, 255), (255, 0, 255)  # red, white, magenta


GRADIENT = "gradient"  # its norm before clipping


class DivergedError(SayactError):
    """The loss is not a number any more."""


class Measurements:
    """Numbers of the steps since the last line of the log, left on their device until it is due.

    Reading a number waits for the device to finish; twice a step, that would leave a GPU idle.
    """

    def __init__(self, step: int) -> None:
        self._names: tuple[str, ...] = ()
        self._rows: list[Tensor] = []
        self._first, self._frames, self._seconds = step, 0, 0.0
        self._clock = time.perf_counter()

    def add(self, values: Mapping[str, Tensor], frames: int) -> None:
        """What one step found; the same names every time."""
        self._names = tuple(values)
        self._rows.append(torch.stack([v.detach().float() for v in values.values()]))
        self._frames += frames

    def check(self) -> None:
        """Raises DivergedError with the first step whose gradient is not finite."""
        if not self._rows:
            return
        for done, row in enumerate(self._read()):
            values = dict(zip(self._names, row, strict=True))
            if not np.isfinite(values[GRADIENT]):
                raise DivergedError(
                    f"step {self._first + done}: the gradient is {values[GRADIENT]} (loss "
                    f"{values['loss']:.4g}); lower the learning rate. Nothing was saved after it."
                )

    def take(self) -> dict[str, float]:
        """Means since the last time, and frames a second; begins anew."""
        rows = self._read()
        means = dict(zip(self._names, map(float, rows.mean(0)), strict=True))
        self.stop_clock()
        rate = self._frames / self._seconds
        self._first, self._rows = self._first + len(rows), []
        self._frames, self._seconds = 0, 0.0
        self.start_clock()
        return {**means, "frames_per_second": rate}

    def stop_clock(self) -> None:
        """What follows is no training."""
        self._seconds += time.perf_counter() - self._clock

    def start_clock(self) -> None:
        self._clock = time.perf_counter()

    def _read(self) -> np.ndarray:
        return torch.stack(self._rows).double().cpu().numpy()


class RunLog:
    """`log.jsonl` and `tensorboard/` in the run's folder; a resumed run continues both."""

    def __init__(self, out: Path, step: int) -> None:
        self.path = out / LOG
        kept = [row for row in read_log(out) if row["step"] <= step]
        # Lines after the step that training goes on from would stand there twice.
        part = self.path.with_suffix(".part")
        part.write_text("".join(json.dumps(row) + "\n" for row in kept))
        part.replace(self.path)
        self._board = SummaryWriter(str(out / "tensorboard"), purge_step=step + 1)

    def write(self, step: int, values: dict[str, float]) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")
        for name, value in values.items():
            self._board.add_scalar(name, value, step)

    def note(self, step: int, text: str) -> None:
        """Something that is no number: how the run began."""
        with self.path.open("a") as file:
            file.write(json.dumps({"step": step, "note": text}) + "\n")
        self._board.add_text("note", text, step)

    def close(self) -> None:
        self._board.close()


def read_log(out: Path) -> list[dict[str, Any]]:
    """The rows of a run's log; a last line cut short by a kill is left out."""
    path = Path(out) / LOG
    if not path.exists():
        return []
    lines = path.read_text().split("\n")
    return [json.loads(line) for line in lines[:-1] if line]


def draw_batch(batch: Batch, path: Path, rows: int = 6) -> None:
    """The first windows as the model gets them, a row each, with the places it is told of."""
    pixels = batch.pixels[:rows].permute(0, 1, 3, 4, 2).numpy().copy()
    if batch.points is not None:
        height, width = pixels.shape[2:4]
        for w, t in np.ndindex(pixels.shape[:2]):
            for point, colour in zip(batch.points[w, t], cycle(POINT_COLOURS), strict=False):
                x, y = (point.numpy() * (width, height)).astype(int)
                pixels[w, t, max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = colour
    Image.fromarray(np.concatenate([np.concatenate(list(row), 1) for row in pixels])).save(path)
