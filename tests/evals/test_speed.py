"""The bench's figures as tables; measuring itself is tested with the engines."""

import io

import pytest
from rich.console import Console

from sayact.evals.speed import speedups
from sayact.evals.speed_tables import markdown_tables, short_table, terminal_tables
from sayact.policies.engines.bench import Figures, Row


def row(engine: str, ms: float, *, cache: bool = True, token_learner: bool = True) -> Row:
    return Row(
        engine=engine,
        precision="float32",
        cache=cache,
        token_learner=token_learner,
        ms_per_step=ms,
        token_agreement=0.875,
        peak_mb=512.4,
        best_ms=ms / 2,
        cpu_ms=2 * ms,
        action_error=0.0039,
        roofline_ms=8.0,
    )


@pytest.fixture
def figures() -> Figures:
    return Figures(
        rows=(
            row("torch", 40.0),
            row("torch", 100.0, cache=False),
            row("torch", 250.0, cache=False, token_learner=False),
            row("torch", 90.0, token_learner=False),
            row("onnx", 20.0),
        ),
        rates={"float32": 400e9},
        flops=(1e9, 2e9),
        skipped={"torch compiled": "no compiler"},
    )


def test_the_parts_are_compared_as_in_the_paper(figures: Figures) -> None:
    (found,) = speedups(figures)
    assert found["token_learner"] == pytest.approx(2.5)  # without the cache
    assert found["cache"] == pytest.approx(2.5)  # with TokenLearner


def test_tables_hold_the_figures(figures: Figures) -> None:
    found = {
        "policy": "toy",
        **figures.to_json(),
        "speedups": speedups(figures),
        "accuracy": {"policy": "other", "frames": 7, **figures.to_json()},
        "threads": 2,
        "hardware": "a machine",
        "commit": "abc",
        "date": "2026-01-02T03:04:05",
        "command": "sayact bench rt1",
    }
    text = markdown_tables(found)
    assert "| torch float32 | 40.0 | 20.0 | 80.0 | 5.0 | 87.5 | 0.39 | 512 |" in text
    assert "no cache, no TokenLearner" in text
    assert "Roofline 8.0 ms: 1.00 GFLOP" in text
    assert "The fastest, onnx float32, takes 2.5 × as long." in text
    assert "Not run: torch compiled: no compiler" in text
    assert "2.5 × faster, keeping tokens another 2.5 ×" in text
    assert text.endswith("a machine, 2 threads; commit `abc`, 2026-01-02. `sayact bench rt1`.\n")
    short = short_table(found)
    assert "| torch float32 | **40.0** | 5.0 | 87.5 | 512 |" in short
    assert "no cache" not in short
    shown = io.StringIO()
    for table in terminal_tables(found):
        Console(file=shown, width=80).print(table)
    lines = shown.getvalue().splitlines()
    assert sum(line.split()[-1:] == ["512"] for line in lines) == 10, "no number is cut off"
