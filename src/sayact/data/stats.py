"""True quantiles over all frames of a dataset.

LeRobot merges the quantiles of episodes, which bounds the quantiles of the whole but does not give
them; here every row counts. Pictures are read from episodes evenly spread over the dataset.
"""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from sayact.data.dataset import Dataset
from sayact.data.layout import STATS_PATH, write_json
from sayact.data.summary import color_histogram, histogram_summary, vector_summary
from sayact.data.tables import read_parquet
from sayact.schema.errors import SayactError

MOST_EPISODES_FOR_PICTURES = 64  # decoded whole, every second pixel counted: about a second

NUMBERS = ("float32", "float64", "int64", "int32", "bool")


def stats(directory: str | Path) -> dict[str, dict[str, Any]]:
    """Compute the statistics of a dataset, write them to `meta/stats.json` and return them."""
    dataset = Dataset.open(directory)
    positions = [i for i, row in enumerate(dataset.episodes) if not row.staged]
    if not positions:
        raise SayactError(f"{directory} holds no complete data file yet; finish collecting first")
    figures: dict[str, dict[str, Any]] = {dataset.camera: _picture_figures(dataset, positions)}
    for key, values in _columns(dataset, positions).items():
        figures[key] = vector_summary(values)
    write_json(dataset.directory / STATS_PATH, figures)
    return figures


def _columns(dataset: Dataset, positions: list[int]) -> dict[str, Shaped[np.ndarray, "N D"]]:
    """Every number column of the dataset, whole."""
    keys = [k for k, feature in dataset.features.items() if feature["dtype"] in NUMBERS]
    parts: dict[str, list[np.ndarray]] = {key: [] for key in keys}
    for path in dict.fromkeys(dataset.episodes[i].data for i in positions):
        table = read_parquet(path, keys)
        for key in keys:
            column = table.column(key).combine_chunks()
            flat = column.flatten() if hasattr(column, "flatten") else column
            values = flat.to_numpy(zero_copy_only=False)
            parts[key].append(values.reshape(table.num_rows, -1))
    return {key: np.concatenate(arrays) for key, arrays in parts.items()}


def _picture_figures(dataset: Dataset, positions: list[int]) -> dict[str, Any]:
    number = min(len(positions), MOST_EPISODES_FOR_PICTURES)
    chosen = np.linspace(0, len(positions) - 1, number).round().astype(int)
    histogram = np.zeros((3, 256), np.int64)
    frames = 0
    for k in chosen:
        images = dataset.images(positions[k])
        histogram += color_histogram(images[:, ::2, ::2])
        frames += len(images)
    return histogram_summary(histogram, frames)
