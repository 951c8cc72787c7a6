"""`sayact bench train`: how fast the published network trains on this machine."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console

from sayact.commands.verb import Outcome, Verb
from sayact.schema.errors import SayactError


@dataclass(frozen=True, kw_only=True)
class BenchTrain(Verb):
    """Measure training: frames a second of the released 35 M network at 300 × 300, on the CPU.

    The first rows leave PyTorch's own gradients and memory handling, for comparison. Five minutes
    on two cores; close other programs.

    For instance:

        sayact bench train --json results/rt1-training-speed.json
        sayact bench train --compile
    """

    threads: int = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    """Threads that compute."""
    steps: int = 5
    """Steps to time in every setting, after one that is not."""
    compile: bool = False
    """Also with torch.compile, which takes minutes to start."""

    def run(self, console: Console) -> Outcome:
        from sayact.evals.provenance import provenance
        from sayact.evals.training_tables import terminal_table
        from sayact.train.bench import COMPILED, SETTINGS, measure

        if self.threads < 1 or self.steps < 1:
            raise SayactError("at least 1 thread and 1 step are needed to measure anything")
        settings = (*SETTINGS, COMPILED) if self.compile else SETTINGS
        with console.status("measuring") as status:
            rows = measure(
                settings,
                threads=self.threads,
                steps=self.steps,
                progress=lambda what: status.update(f"measuring: {what}"),
            )
        found = {
            **provenance(),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "training": "rt1main at 300 × 300",
            "threads": self.threads,
            "rows": rows,
        }
        console.print(terminal_table(found))
        return Outcome(result=found)
