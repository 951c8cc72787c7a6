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
    threads: int | None = None
    """Threads that compute on the CPU; the recipe's number unless told."""
    backbone: Path | None = None
    """ImageNet weights of EfficientNet-B3, for a recipe that begins with them; docs/training.md."""
    accumulate: int | None = None
    """Compute each step in so many parts, one after the other, for less memory."""
    compile: bool = False
    """Compile the network: minutes at the start, faster steps after; for a GPU."""
    skip_broken: bool = False
    """Train on the sound episodes of a dataset that has broken ones."""

    def run(self, console: Console) -> Outcome:
        from sayact import experiments
        from sayact.experiments.live import TrainingLine
        from sayact.experiments.recipe import tiny
        from sayact.experiments.runs import run

        recipe = experiments.find(self.recipe)
        recipe = tiny(recipe) if self.tiny else recipe
        train = replace(recipe.train, seed=self.seed, compile=self.compile or recipe.train.compile)
        if self.accumulate is not None:
            train = replace(train, accumulate=self.accumulate)
        if self.threads is not None:
            train = replace(train, threads=self.threads)
        recipe = replace(recipe, train=train)
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
                backbone=self.backbone,
                say=lambda text: console.print(text, soft_wrap=True),
            )
        finally:
            line.close()
        console.print(f"checkpoint: {checkpoint}", soft_wrap=True)
        console.print(f"see it act: sayact eval {checkpoint}", soft_wrap=True)
        return Outcome(result={"recipe": recipe.name, "checkpoint": checkpoint})
