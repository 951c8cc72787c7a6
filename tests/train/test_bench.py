"""`sayact bench train`, without waiting for the full-size network."""

import json
from dataclasses import replace

import pytest
from rich.console import Console

from sayact.cli import main
from sayact.evals.tables import fill
from sayact.evals.training_tables import markdown_table, terminal_table
from sayact.models.layers.depthwise import DepthwiseConv2d
from sayact.testing import tiny_rt1
from sayact.train import bench
from sayact.train.bench import Setting, time_steps

FOUND = {
    "training": "rt1main at 300 × 300",
    "threads": 2,
    "hardware": "a toy",
    "commit": "0123",
    "command": "sayact bench train",
    "date": "2026-11-20T10:00:00+00:00",
    "rows": [
        {
            "windows": 4,
            "precision": "bfloat16",
            "plain": plain,
            "compile": False,
            "frames_per_second": 12.34,
            "cpu_ms_per_frame": 159.6,
            "peak_mb": 5455.0,
        }
        for plain in (True, False)
    ],
}


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(bench, "PAPER", replace(tiny_rt1(), points=0))
    monkeypatch.setattr(bench, "CAMERA", (16, 28))
    monkeypatch.setattr(bench, "keep_freed_memory", lambda: kept.append(True))
    kept: list[bool] = []
    return kept


@pytest.mark.parametrize("plain", [False, True])
def test_steps_are_timed_with_or_without_what_we_changed(small, monkeypatch, plain):
    ours: list[bool] = []
    forward = DepthwiseConv2d.forward
    monkeypatch.setattr(
        DepthwiseConv2d,
        "forward",
        lambda self, input: (ours.append(self.own_gradients), forward(self, input))[1],
    )
    found = time_steps(Setting(windows=2, precision="float32", plain=plain), threads=1, steps=2)
    assert set(small) == (set() if plain else {True})
    assert set(ours) == {not plain}
    assert found["frames_per_second"] > 0
    assert 0 < found["cpu_ms_per_frame"] < 1e4
    assert found["peak_mb"] > 10


def test_tables_hold_the_numbers(tmp_path):
    (tmp_path / "toy.json").write_text(json.dumps(FOUND))
    text = "<!-- results:begin toy -->\n<!-- results:end -->\n"
    filled = fill(text, tmp_path)
    assert "| bfloat16, PyTorch as it is | 4 | 12.3 | 160 | 5,455 |" in filled
    assert "| bfloat16 | 4 |" in filled
    assert "commit `0123`, 2026-11-20" in filled
    assert markdown_table(FOUND) in filled
    console = Console(width=120)
    with console.capture() as shown:
        console.print(terminal_table(FOUND))
    assert "12.3" in shown.get()


def test_nothing_to_measure_is_a_mistake(capsys):
    assert main(["bench", "train", "--steps", "0"]) == 2
    assert "at least 1 thread and 1 step" in capsys.readouterr().err
