"""Draws the embedded web over several processes."""

import time
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from sayact.evals.pool import run_tasks
from sayact.web.shards import Settings, begin, open_writer


def draw_web(settings: Settings, out: Path, *, workers: int, console: Console) -> float:
    """Writes all shards that are not there yet; seconds it took."""
    began = time.perf_counter()
    begin(settings, out)
    with Progress(console=console, transient=True) as bar:
        drawing = bar.add_task("pictures", total=settings.total)
        shards = list(range(settings.shards))
        for _, count in run_tasks(partial(open_writer, settings, out), shards, workers):
            bar.advance(drawing, count)
    return time.perf_counter() - began
