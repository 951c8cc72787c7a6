"""What a run leaves to look at: one JSON line a measurement, TensorBoard."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from sayact.schema.errors import SayactError

LOG = "log.jsonl"
LOSS, GRADIENT = "loss", "gradient"  # what is minimised; the gradient's norm before clipping


class DivergedError(SayactError):
    """The loss is not a number any more."""


class Measurements:
    """Numbers of the steps since the last line of the log, left on their device until it is due.

    Reading a number waits for the device to finish; twice a step, that would leave a GPU idle.
    """

    def __init__(self, step: int) -> None:
        self._names: list[tuple[str, ...]] = []
        self._rows: list[Tensor] = []  # (2, numbers) a step: values and their weights
        self._first, self._frames, self._seconds = step, 0, 0.0
        self._clock = time.perf_counter()

    def add(
        self, values: Mapping[str, Tensor], frames: int, weights: Mapping[str, Tensor] | None = None
    ) -> None:
        """What one step found. Each value counts by its weight, where it has one, else as 1."""
        one = torch.ones((), device=next(iter(values.values())).device)
        weighed = weights or {}
        self._names.append(tuple(values))
        row = [
            torch.stack([number.detach().float() for number in numbers])
            for numbers in (values.values(), [weighed.get(name, one) for name in values])
        ]
        self._rows.append(torch.stack(row))
        self._frames += frames

    def check(self) -> None:
        """Raises DivergedError with the first step whose gradient is not finite."""
        for done, step in enumerate(self._read()):
            norm, loss = step[GRADIENT][0], step[LOSS][0]
            if not np.isfinite(norm):
                raise DivergedError(
                    f"step {self._first + done}: the gradient is {norm} (loss {loss:.4g}); lower "
                    "the learning rate. Nothing was saved after it."
                )

    def take(self) -> dict[str, float]:
        """Means since the last time, and frames a second; begins anew.

        What nothing was measured of (a source that no batch held) is left out.
        """
        steps = self._read()
        means: dict[str, float] = {}
        for name in dict.fromkeys(name for step in steps for name in step):
            values, weights = np.array([step[name] for step in steps if name in step]).T
            if weights.sum() > 0:
                means[name] = float((values * weights).sum() / weights.sum())
        self.stop_clock()
        rate = self._frames / self._seconds
        self._first, self._rows, self._names = self._first + len(steps), [], []
        self._frames, self._seconds = 0, 0.0
        self.start_clock()
        return {**means, "frames_per_second": rate}

    def stop_clock(self) -> None:
        """What follows is no training."""
        self._seconds += time.perf_counter() - self._clock

    def start_clock(self) -> None:
        self._clock = time.perf_counter()

    def _read(self) -> list[dict[str, tuple[float, float]]]:
        """Of every step, name → (value, weight)."""
        if not self._rows:
            return []
        numbers = torch.cat(self._rows, 1).double().cpu().numpy().T
        ends = np.cumsum([len(names) for names in self._names])
        return [
            {
                name: (float(value), float(weight))
                for name, (value, weight) in zip(names, part, strict=True)
            }
            for names, part in zip(self._names, np.split(numbers, ends[:-1]), strict=True)
        ]


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
