"""Statistics against numpy on the whole columns."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sayact.data import Dataset, stats
from sayact.data.summary import color_histogram, histogram_summary


def test_quantiles_are_those_of_all_rows(dataset_folder: Path, make_episode: Callable) -> None:
    figures = stats(dataset_folder)
    actions = np.concatenate([make_episode(i).actions for i in range(6)]).astype(np.float64)
    for name, quantile in (("q01", 0.01), ("q10", 0.1), ("q50", 0.5), ("q90", 0.9), ("q99", 0.99)):
        expected = np.quantile(actions, quantile, axis=0)
        np.testing.assert_allclose(figures["action"][name], expected, rtol=1e-6)
    np.testing.assert_allclose(figures["action"]["mean"], actions.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(figures["action"]["std"], actions.std(axis=0), rtol=1e-6)
    np.testing.assert_allclose(figures["action"]["max"], actions.max(axis=0), rtol=1e-6)
    assert figures["action"]["count"] == [len(actions)]
    written = json.loads((dataset_folder / "meta/stats.json").read_text())
    assert written == figures


def test_flags_and_indexes_have_figures(dataset_folder: Path) -> None:
    figures = stats(dataset_folder)
    frames = Dataset.open(dataset_folder).frames
    assert figures["index"]["max"] == [frames - 1]
    assert figures["next.done"]["mean"] == pytest.approx([6 / frames])
    assert figures["task_index"]["max"] == [2]


def test_histogram_figures_are_exact(rng: np.random.Generator) -> None:
    images = rng.integers(3, 250, (4, 8, 9, 3), dtype=np.uint8)
    figures = histogram_summary(color_histogram(images), len(images))
    pixels = images.reshape(-1, 3) / 255
    flat = {name: np.reshape(value, -1) for name, value in figures.items()}
    np.testing.assert_allclose(flat["mean"], pixels.mean(axis=0))
    np.testing.assert_allclose(flat["std"], pixels.std(axis=0))
    np.testing.assert_allclose(flat["min"], pixels.min(axis=0))
    np.testing.assert_allclose(flat["max"], pixels.max(axis=0))
    middle = np.quantile(pixels, 0.5, axis=0, method="inverted_cdf")
    np.testing.assert_allclose(flat["q50"], middle)
