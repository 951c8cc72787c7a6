"""`sayact collect`: demonstrations on disk."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from rich.console import Console
from tyro.conf import Positional, arg

from sayact.commands.verb import Outcome, Verb


@dataclass(frozen=True, kw_only=True)
class Collect(Verb):
    """Let the oracle of a world play, and write its successful episodes as a dataset.

    The folder has the LeRobotDataset v3.0 layout. A run that was killed goes on where it stopped
    when the same command is given again.

    For instance:

        sayact collect language_table --episodes 200 --out runs/demos
        sayact collect language_table --episodes 5000 --families block2block separate \\
            --noise 0.05 --out runs/noisy
    """

    world: Annotated[Positional[str], arg(metavar="WORLD")] = "language_table"
    """The world to play in."""
    out: Annotated[Path, arg(metavar="DIR")]
    """The folder to write to."""
    episodes: int = 100
    """How many episodes the dataset shall hold in the end."""
    families: Annotated[tuple[str, ...], arg(metavar="FAMILY ...")] = ()
    """Task families, in equal parts; none named: all of the world."""
    block_mode: str = "BLOCK_8"
    """Which blocks lie on the table."""
    noise: float = 0.0
    """Share of steps, 0 to 1, at which what is executed is disturbed; the labels stay clean."""
    policy: Annotated[str | None, arg(metavar="CHECKPOINT")] = None
    """Execute this policy's actions, labelled with what the oracle would have done (DAgger)."""
    keep_failures: bool = False
    """Keep episodes that miss their goal too."""
    max_steps: int = 200
    """Steps after which an attempt is given up."""
    workers: int = 2
    """Processes."""
    seed: int = 0
    """Fixes every start, sentence and disturbance."""

    def run(self, console: Console) -> Outcome:
        from sayact.evals.collect import collect

        report = collect(
            self.world,
            out=self.out,
            episodes=self.episodes,
            families=self.families,
            block_mode=self.block_mode,
            workers=self.workers,
            seed=self.seed,
            noise=self.noise,
            policy=self.policy,
            keep_failures=self.keep_failures,
            max_steps=self.max_steps,
        )
        console.print(
            f"{report.directory} holds {report.total} episodes, {report.episodes} of them new "
            f"({report.frames} frames, {report.seconds:.0f} s). Look at them: "
            f"sayact data show {report.directory}",
            soft_wrap=True,
        )
        return Outcome(result=asdict(report))
