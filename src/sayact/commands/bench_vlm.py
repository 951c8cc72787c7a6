"""`sayact bench vlm`: a backbone's weights in 32, 16, 8 and 4 bits."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from rich.console import Console
from tyro.conf import arg

from sayact.commands.verb import Outcome, Verb
from sayact.schema.errors import SayactError


@dataclass(frozen=True, kw_only=True)
class BenchVLM(Verb):
    """Measure a backbone with rounded weights: memory, time, and how far its answers move.

    Without a backbone: drawn weights in the shape of SmolVLM-256M, 4 GB of memory, some minutes on
    two cores; close other programs.

    For instance:

        sayact bench vlm --json results/vlm-quantisation.json
        sayact bench vlm --backbone HuggingFaceTB/SmolVLM-256M-Instruct --device cuda
    """

    backbone: Annotated[str | None, arg(metavar="NAME|FOLDER")] = None
    """Measure this one of the Hugging Face hub, or a folder."""
    device: str = "cpu"
    """cpu, or cuda for a GPU."""
    threads: int = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    """Threads that compute on the CPU."""
    steps: int = 5
    """Actions to time in every setting, after one that is not."""

    def run(self, console: Console) -> Outcome:
        import torch

        from sayact.evals.provenance import provenance
        from sayact.evals.vlm_tables import terminal_table
        from sayact.models.vlms.bench import measure

        if self.threads < 1 or self.steps < 1:
            raise SayactError("at least 1 thread and 1 step are needed to measure anything")
        torch.set_num_threads(self.threads)
        with console.status("measuring") as status:
            rows = measure(
                self.backbone,
                device=self.device,
                steps=self.steps,
                progress=lambda what: status.update(f"measuring: {what}"),
            )
        gpu = torch.cuda.get_device_name() if self.device.startswith("cuda") else self.device
        found = {
            **provenance(),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "backbone": self.backbone or "drawn weights in the shape of SmolVLM-256M",
            "device": gpu,
            "threads": self.threads,
            "rows": rows,
        }
        console.print(terminal_table(found))
        return Outcome(result=found)
