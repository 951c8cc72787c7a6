"""`sayact bench world`: how fast the world is, and how near to the original."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from rich.console import Console
from tyro.conf import arg

from sayact.commands.verb import Outcome, Verb


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
