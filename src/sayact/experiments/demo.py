"""The whole path in eleven minutes: demonstrations, RT-1 from scratch, closed loop, a report.

collect ─▶ train ─▶ evaluate, beside random, oracle and the policy in the box ─▶ report
"""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from sayact.evals.drawings import Curve
from sayact.evals.evaluate import evaluate
from sayact.evals.evaluation import Evaluation, Protocol
from sayact.evals.report import write_report
from sayact.evals.statistics import percent
from sayact.evals.tables import TITLES, terminal_table
from sayact.experiments.live import SUCCESS, TrainingLine
from sayact.experiments.recipe import Recipe
from sayact.experiments.rt1_demo import RECIPE
from sayact.experiments.runs import run
from sayact.policies.loading import boxed
from sayact.train.log import read_log

FAMILY = "block2block"
POLICY = "rt1-demo"
# What a demo run should reach on this family; below it, the last line says so.
EXPECTED = 0.6


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """`episodes` of each policy in the final evaluation."""

    out: Path
    episodes: int = 40
    workers: int = 2
    seed: int = 0


def demo(options: DemoOptions, console: Console, recipe: Recipe = RECIPE) -> dict[str, Any]:
    """Run the demo and return the evaluation as JSON; everything else is left in `options.out`."""
    started = time.perf_counter()
    console.print("[bold]1  Demonstrations, and RT-1 trained on them from scratch[/]")
    recipe = replace(recipe, train=replace(recipe.train, seed=options.seed))
    line = TrainingLine(recipe, console)
    try:
        checkpoint = run(
            recipe,
            out=options.out / "training",
            resume=True,  # a demo that was stopped goes on, and a finished one is only evaluated
            workers=options.workers,
            progress=line,
        )
    finally:
        line.close()
    policy = _keep(checkpoint, options.out / POLICY)

    console.print("\n[bold]2  Closed loop, on starts it has never seen[/]")
    evaluation = evaluate(
        policy,
        Protocol(families=(FAMILY,), episodes=options.episodes, block_mode=recipe.block_mode),
        workers=options.workers,
        beside=("random", "oracle", *boxed()),
        videos=options.out / "videos",
        videos_each=3,
    )
    console.print(terminal_table(evaluation))
    report = write_report(evaluation, options.out, curves=training_curves(options.out / "training"))
    minutes = (time.perf_counter() - started) / 60
    console.print(verdict(evaluation, minutes))
    console.print(f"\nreport: [bold]{report}[/]    films: {options.out / 'videos'}")
    console.print(f"go on:  sayact eval {policy}")
    return evaluation.to_json()


def training_curves(run_folder: Path) -> Sequence[Curve]:
    """What the log of a run has to show: success of every watched family, and the loss."""
    log = read_log(run_folder)

    def points(key: str) -> list[tuple[float, float]]:
        return [(float(row["step"]), float(row[key])) for row in log if key in row]

    families = dict.fromkeys(key for row in log for key in row if key.startswith(SUCCESS))
    curves = [
        Curve(
            title=f"success, {TITLES.get(key.removeprefix(SUCCESS), key)}",
            points=[(0.0, 0.0), *points(key)],
            percent=True,
            top=1.0,
        )
        for key in families
    ]
    return [*curves, Curve(title="loss", points=points("loss"))]


def verdict(evaluation: Evaluation, minutes: float) -> str:
    """One honest line: what was learned, and in which time."""
    rate, interval = percent(evaluation.mean_success, evaluation.mean_interval).split(" ")
    floor = next((e.mean_success for e in evaluation.beside if e.policy == "random"), 0.0)
    line = (
        f"After {minutes:.0f} minutes, demonstrations included, the policy does what it is told in "
        f"[bold]{rate} %[/] of the episodes {interval}; random play in {100 * floor:.0f} %."
    )
    if evaluation.mean_success >= EXPECTED:
        return line
    return f"{line} [yellow]That is less than the {100 * EXPECTED:.0f} % expected here.[/]"


def _keep(checkpoint: Path, folder: Path) -> Path:
    """A copy under a name to remember, of the checkpoint that training left."""
    shutil.rmtree(folder, ignore_errors=True)
    return Path(shutil.copytree(checkpoint, folder))
