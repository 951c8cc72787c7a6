"""`sayact bench world`, `sayact bench rt1`: how fast the world is, and how fast the policy."""

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from rich.console import Console
from tyro.conf import arg

from sayact.commands.verb import Outcome, Verb
from sayact.schema.errors import SayactError


@dataclass(frozen=True, kw_only=True)
class BenchWorld(Verb):
    """Measure the world: control steps a second on one core, picture included.

    With reference files of the original simulator, also how far its pushes and pictures are off.

    For instance:

        sayact bench world
        sayact bench world --pushes pushes.json --frames frames/ --json -
    """

    pushes: Annotated[Path | None, arg(metavar="FILE")] = None
    """JSON file of reference pushes to replay."""
    frames: Annotated[Path | None, arg(metavar="DIR")] = None
    """Folder of reference pictures with their states.json."""
    steps: int = 1000
    """Control steps to time."""

    def run(self, console: Console) -> Outcome:
        from sayact.envs.language_table.bench import bench

        found = bench(pushes=self.pushes, frames=self.frames, steps=self.steps)
        for name, value in found.items():
            console.print(f"{name}: {value}", soft_wrap=True)
        return Outcome(result=found)


@dataclass(frozen=True, kw_only=True)
class BenchRT1(Verb):
    """Measure acting: milliseconds a control step of every engine, and what speed costs.

    Without a checkpoint: the released 35 M network with drawn weights, from a 256 × 320 picture,
    also without token cache and TokenLearner; and rt1-nano on pictures of its own episodes.
    Engines take turns, each in a process of its own: about 7 GB of memory together. Ten minutes on
    two cores; close other programs.

    For instance:

        sayact bench rt1 --json results/rt1-speed.json
        sayact bench rt1 --quick
        sayact bench rt1 --checkpoint runs/nano --json -
    """

    checkpoint: Annotated[str | None, arg(metavar="CHECKPOINT")] = None
    """Measure this one instead."""
    quick: bool = False
    """Fewer engines and steps; a minute or two."""
    threads: int = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    """Threads of every engine."""

    def run(self, console: Console) -> Outcome:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        from sayact.evals.speed import measure
        from sayact.evals.speed_tables import terminal_tables
        from sayact.policies.engines.bench import Effort

        if self.threads < 1:
            raise SayactError(f"at least 1 thread must compute; got {self.threads}")
        columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
        with ended_by_an_exception(), Progress(*columns, console=console) as bar:
            task = bar.add_task("", total=1.0)
            found = measure(
                Effort(threads=self.threads, rounds=4 if self.quick else 12),
                lambda what, share: bar.update(task, description=what, completed=share),
                checkpoint=self.checkpoint,
                quick=self.quick,
            )
        for table in terminal_tables(found):
            console.print(table)
        for row, why in found["skipped"].items():
            console.print(f"not run: {row}: {why}", soft_wrap=True, markup=False)
        return Outcome(result=found)


@contextmanager
def ended_by_an_exception() -> Generator[None, None, None]:
    """SIGTERM ends the command as Ctrl-C does: its processes and temporary files go with it."""

    def end(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
