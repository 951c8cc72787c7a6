"""What a run leaves to look at: one JSON line a measurement, TensorBoard, the first batch drawn."""

import json
from itertools import cycle
from pathlib import Path

import numpy as np
from PIL import Image
from torch.utils.tensorboard import SummaryWriter

from sayact.schema.batches import Batch

LOG = "log.jsonl"
POINT_COLOURS = (255, 0, 0), (255, 255, 255), (255, 0, 255)  # red, white, magenta


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

    def close(self) -> None:
        self._board.close()


def read_log(out: Path) -> list[dict[str, float]]:
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
