"""`sayact demo`: the whole path, watched."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from rich.console import Console
from tyro.conf import arg

from sayact.commands.verb import Outcome, Verb


@dataclass(frozen=True, kw_only=True)
class Demo(Verb):
    """Collect demonstrations, train RT-1 on them from scratch, and watch it act: eleven minutes.

    Two CPU cores are enough. It leaves report.html, videos and the trained checkpoint.

    For instance:

        sayact demo
        sayact demo --out runs/demo --episodes 10
    """

    out: Annotated[Path, arg(metavar="DIR")] = Path("runs/demo")
    """Folder for everything it leaves."""
    episodes: int = 40
    """Episodes of each policy in the final evaluation."""
    workers: int = 2
    """Processes for collecting and evaluating."""
    seed: int = 0
    """Fixes everything but the clock."""

    def run(self, console: Console) -> Outcome:
        from sayact.experiments.demo import DemoOptions, demo

        options = DemoOptions(
            out=self.out,
            episodes=self.episodes,
            workers=self.workers,
            seed=self.seed,
        )
        return Outcome(result=demo(options, console))
