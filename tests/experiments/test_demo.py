"""The demo: what it says about itself, and the whole of it made tiny."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from handmade import made
from sayact.experiments.demo import DemoOptions, demo, training_curves, verdict
from sayact.experiments.live import TrainingLine
from sayact.experiments.recipe import tiny
from sayact.experiments.rt1_demo import RECIPE
from sayact.policies import load_policy


def test_the_verdict_is_honest() -> None:
    random = made({"block2block": 0}, policy="random")
    good = replace(made({"block2block": 8}, policy="runs/demo/rt1-demo"), beside=(random,))
    poor = replace(made({"block2block": 3}, policy="runs/demo/rt1-demo"), beside=(random,))
    assert "80 %" in verdict(good, 9.0)
    assert "less than" not in verdict(good, 9.0)
    assert "less than the 60 % expected" in verdict(poor, 9.0)


def test_curves_come_from_the_log(tmp_path: Path) -> None:
    rows = [{"step": 10, "loss": 2.0}, {"step": 20, "loss": 1.0}, {"step": 20, "success/a": 0.5}]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    success, loss = training_curves(tmp_path)
    assert success.points == [(0.0, 0.0), (20.0, 0.5)]
    assert loss.points == [(10.0, 2.0), (20.0, 1.0)]


def test_the_line_shows_loss_and_success() -> None:
    shown = io.StringIO()
    line = TrainingLine(
        RECIPE, Console(file=shown, force_terminal=True, width=120, highlight=False)
    )
    values = {"loss": 1.25, "accuracy": 0.5, "frames_per_second": 800.0}
    line(10, values)
    line(20, {"success/block2block": 0.35})
    line(RECIPE.rounds[0].until, values)
    line.close()
    assert "loss 1.250" in shown.getvalue()
    assert "block2block" in shown.getvalue()
    assert "35 %" in shown.getvalue()


@pytest.mark.slow
def test_the_whole_demo_made_tiny(tmp_path: Path) -> None:
    options = DemoOptions(out=tmp_path, episodes=1, workers=1)
    shown = io.StringIO()
    result = demo(options, Console(file=shown, width=120), tiny(RECIPE))
    assert set(result["beside"]) >= {"random", "oracle"}
    assert (tmp_path / "report.html").stat().st_size > 10_000
    assert list((tmp_path / "videos").glob("rt1-demo-block2block-*.mp4"))
    assert load_policy(tmp_path / "rt1-demo").action_space.name == "language_table"
    assert "the policy does what it is told" in shown.getvalue()
    # A second call trains no more, and measures the same.
    again = demo(options, Console(file=io.StringIO()), tiny(RECIPE))
    assert again["families"] == result["families"]
