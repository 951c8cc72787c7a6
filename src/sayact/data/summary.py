"""Minimum, maximum, mean, deviation, count and quantiles, in LeRobot's shape."""

from typing import Any

import numpy as np
from jaxtyping import Shaped, UInt8

QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}

# An episode's pictures are summed up from every tenth one and every fourth pixel each way: they
# change little from step to step, and these figures are for normalising, not for measuring.
FRAME_STRIDE = 10
PIXEL_STRIDE = 4


def vector_summary(values: Shaped[np.ndarray, "N ..."]) -> dict[str, list[Any]]:
    """Figures of a column of N rows, each a list with one entry per dimension."""
    columns = values.reshape(len(values), -1).astype(np.float64)
    figures = {
        "min": columns.min(axis=0),
        "max": columns.max(axis=0),
        "mean": columns.mean(axis=0),
        "std": columns.std(axis=0),
        "count": np.array([len(columns)]),
    }
    quantiles = np.quantile(columns, list(QUANTILES.values()), axis=0)
    figures |= dict(zip(QUANTILES, quantiles, strict=True))
    return {name: figure.tolist() for name, figure in figures.items()}


def image_summary(images: UInt8[np.ndarray, "L H W 3"]) -> dict[str, list[Any]]:
    """Figures of pictures scaled to 0 … 1, each of shape (3, 1, 1) as LeRobot has them."""
    histogram = color_histogram(images[::FRAME_STRIDE, ::PIXEL_STRIDE, ::PIXEL_STRIDE])
    return histogram_summary(histogram, len(images))


def color_histogram(images: UInt8[np.ndarray, "L H W 3"]) -> Shaped[np.ndarray, "3 256"]:
    """How often each of the 256 levels occurs in each channel."""
    return np.stack([np.bincount(images[..., c].reshape(-1), minlength=256) for c in range(3)])


def histogram_summary(histogram: Shaped[np.ndarray, "3 256"], count: int) -> dict[str, list[Any]]:
    """Exact figures of the pictures behind a histogram; `count` is the number of frames told."""
    levels = np.arange(256) / 255
    share = histogram / histogram.sum(axis=1, keepdims=True)
    mean = share @ levels
    present = histogram > 0
    figures = {
        "min": levels[present.argmax(axis=1)],
        "max": levels[255 - present[:, ::-1].argmax(axis=1)],
        "mean": mean,
        "std": np.sqrt(np.maximum(share @ levels**2 - mean**2, 0)),
    }
    below = histogram.cumsum(axis=1)
    for name, quantile in QUANTILES.items():
        figures[name] = levels[(below >= quantile * below[:, -1:]).argmax(axis=1)]
    shaped = {name: figure.reshape(3, 1, 1).tolist() for name, figure in figures.items()}
    return shaped | {"count": [count]}
