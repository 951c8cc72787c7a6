"""Small made-up episodes, and a way to compare two dataset folders byte for byte."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sayact.data import DatasetSpec, DatasetWriter
from sayact.schema import LANGUAGE_TABLE, Episode

HEIGHT, WIDTH = 36, 64


@pytest.fixture
def spec() -> DatasetSpec:
    return DatasetSpec(
        action_space=LANGUAGE_TABLE,
        fps=10,
        image_shape=(HEIGHT, WIDTH),
        robot_type="toy",
        state_names=("x", "y", "target_x", "target_y"),
        privileged={"pushed_xy": 2, "goal_xy": 2},
        provenance={"seed": 0},
    )


@pytest.fixture
def make_episode() -> Callable[[int], Episode]:
    """Episode of an index: a square that wanders over a grey ground, lengths 3 to 11."""

    def make(index: int) -> Episode:
        rng = np.random.default_rng(index)
        length = int(rng.integers(3, 12))
        images = np.full((length, HEIGHT, WIDTH, 3), 40 + 10 * (index % 8), np.uint8)
        for step in range(length):
            images[step, 10:20, 2 * step : 2 * step + 10] = (200, 30 * (index % 7), 90)

        def numbers(width: int) -> np.ndarray:
            return rng.normal(0, 0.03, (length, width)).astype(np.float32)

        return Episode(
            images=images,
            states=numbers(4),
            actions=numbers(2),
            executed=numbers(2),
            instruction=f"push the block to place {index % 3}",
            success=index % 4 != 3,
            privileged={"pushed_xy": numbers(2), "goal_xy": numbers(2)},
            info={"family": "even" if index % 2 == 0 else "odd", "seed": index},
        )

    return make


@pytest.fixture
def dataset_folder(tmp_path: Path, spec: DatasetSpec, make_episode: Callable) -> Path:
    """A finished dataset of six episodes."""
    writer = DatasetWriter(tmp_path / "toy", spec)
    for index in range(6):
        writer.add(index, make_episode(index))
    writer.finalize()
    return writer.directory


@pytest.fixture
def contents() -> Callable[[Path], dict[str, bytes]]:
    """Every file of a folder."""

    def read(folder: Path) -> dict[str, bytes]:
        files = sorted(p for p in folder.rglob("*") if p.is_file())
        return {str(p.relative_to(folder)): p.read_bytes() for p in files}

    return read
