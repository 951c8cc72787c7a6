"""The bench's figures as tables; measuring itself is tested with the engines."""

import io
from typing import Any

import pytest
from rich.console import Console

from sayact.cli import main
from sayact.evals import speed
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
        flops={"float32": 3.2e9},
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
        rates={"float32": 400e9, "bfloat16": 200e9, "int8": 900e9},
        flops=(1e9, 2.2e9),
        skipped={"torch compiled": "install 'sayact[fast]'"},
    )


def test_the_parts_are_compared_as_in_the_paper(figures: Figures) -> None:
    (found,) = speedups(figures)
    assert found["token_learner"] == pytest.approx(2.5)  # without the cache
    assert found["cache"] == pytest.approx(2.5)  # with TokenLearner


@pytest.fixture
def found(figures: Figures) -> dict[str, Any]:
    return {
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


def test_tables_hold_the_figures(found: dict[str, Any]) -> None:
    text = markdown_tables(found)
    assert "| torch float32 | 40.0 | 20.0 | 80.0 | 5.0 | 87.5 | 0.39 | 512 |" in text
    assert "no cache, no TokenLearner" in text
    assert "Roofline 8.0 ms: the operations that a step must run at" in text
    assert "bfloat16, the precisions that both networks can be computed in. 1.00 GFLOP" in text
    assert "onnx float32 takes 20.0 ms (met) and 2.5 × the roofline (met)." in text
    assert "The fastest, onnx float32, takes 2.5 × as long." in text
    assert "Not run: torch compiled: install 'sayact[fast]'" in text
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


def test_the_prompt_shows_brackets_as_they_are(
    found: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(speed, "measure", lambda *given, **options: found)
    assert main(["bench", "rt1"]) == 0
    shown = capsys.readouterr()
    assert "not run: torch compiled: install 'sayact[fast]'" in shown.out + shown.err
