"""`sayact train RECIPE`: run an experiment."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from rich.console import Console
from tyro.conf import Positional, arg

from sayact.commands.verb import Outcome, Verb


@dataclass(frozen=True, kw_only=True)
class Train(Verb):
    """Train by a recipe: one file of sayact/experiments, with its data, model and schedule.

    For instance:

        sayact train rt1_language_table --tiny --out runs/tiny
        sayact train rt1_language_table --out runs/nano
        sayact train rt1_language_table --out runs/nano --resume
    """

    recipe: Annotated[Positional[str], arg(metavar="RECIPE")]
    """Name of the experiment."""
    out: Annotated[Path | None, arg(metavar="DIR")] = None
    """Folder for checkpoints and logs; runs/RECIPE unless told."""
    tiny: bool = False
    """The same path with little of everything: a minute on a laptop."""
    resume: bool = False
    """Go on where a run in this folder stopped."""
    data: Annotated[tuple[Path, ...], arg(metavar="DIR ...")] = ()
    """Datasets to learn from, instead of demonstrations collected for this run."""
    workers: int = 2
    """Processes that collect demonstrations."""
    seed: int = 0
    """Fixes weights, order of data and augmentation."""
    device: str = "cpu"
    """Where to compute: cpu, cuda, cuda:1 …"""
    skip_broken: bool = False
    """Train on the sound episodes of a dataset that has broken ones."""

    def run(self, console: Console) -> Outcome:
        from sayact import experiments
        from sayact.experiments.live import TrainingLine
        from sayact.experiments.recipe import run, tiny

        recipe = experiments.find(self.recipe)
        recipe = tiny(recipe) if self.tiny else recipe
        recipe = replace(recipe, train=replace(recipe.train, seed=self.seed))
        line = TrainingLine(recipe, console)
        try:
            checkpoint = run(
                recipe,
                out=self.out or Path("runs") / recipe.name,
                data=self.data,
                resume=self.resume,
                workers=self.workers,
                skip_broken=self.skip_broken,
                progress=line,
                device=self.device,
            )
        finally:
            line.close()
        console.print(f"checkpoint: {checkpoint}", soft_wrap=True)
        console.print(f"see it act: sayact eval {checkpoint}", soft_wrap=True)
        return Outcome(result={"recipe": recipe.name, "checkpoint": checkpoint})
