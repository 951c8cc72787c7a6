"""`sayact train RECIPE`: run an experiment."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.console import Console
from tyro.conf import Positional, arg

from sayact.commands.verb import Outcome, Verb

if TYPE_CHECKING:
    from sayact.experiments.live import TrainingLine
    from sayact.experiments.recipe import Recipe
    from sayact.experiments.rt2_recipe import RT2Recipe
    from sayact.train import TrainConfig


@dataclass(frozen=True, kw_only=True)
class Train(Verb):
    """Train by a recipe: one file of sayact/experiments, with its data, model and schedule.

    For instance:

        sayact train rt1_language_table --tiny --out runs/tiny
        sayact train rt1_language_table --out runs/nano
        sayact train rt1_language_table --out runs/nano --resume
        sayact train rt2_language_table --init runs/rt2-web --out runs/rt2
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
    web: Annotated[tuple[Path, ...], arg(metavar="DIR ...")] = ()
    """RT-2: pictures with questions to learn from, instead of the embedded web; docs/data.md."""
    init: Annotated[Path | None, arg(metavar="CHECKPOINT")] = None
    """RT-2: begin with the weights of the same network: a checkpoint, a run, or one in the box."""
    strict: bool = False
    """RT-2: stop at a picture or question that cannot be used, instead of leaving it out."""
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
        from sayact.experiments.live import TrainingLine
        from sayact.experiments.rt2_recipe import RT2Recipe

        recipe = self._recipe()
        line = TrainingLine(recipe, console)
        try:
            if isinstance(recipe, RT2Recipe):
                checkpoint = self._train_rt2(recipe, line, console)
            else:
                checkpoint = self._train_rt1(recipe, line, console)
        finally:
            line.close()
        console.print(f"checkpoint: {checkpoint}", soft_wrap=True)
        console.print(f"see it act: sayact eval {checkpoint}", soft_wrap=True)
        return Outcome(result={"recipe": recipe.name, "checkpoint": checkpoint})

    def _recipe(self) -> "Recipe | RT2Recipe":
        """The one that was named, with what was said on the command line."""
        from sayact import experiments
        from sayact.experiments.recipe import Experiment, Recipe, tiny
        from sayact.experiments.rt2_recipe import RT2Recipe
        from sayact.experiments.rt2_recipe import tiny as tiny_rt2

        found = experiments.find(self.recipe, Experiment)
        if isinstance(found, RT2Recipe):
            found = tiny_rt2(found) if self.tiny else found
        else:
            assert isinstance(found, Recipe)
            found = tiny(found) if self.tiny else found
        return replace(found, train=self._schedule(found.train))

    def _schedule(self, train: "TrainConfig") -> "TrainConfig":
        train = replace(train, seed=self.seed, compile=self.compile or train.compile)
        if self.accumulate is not None:
            train = replace(train, accumulate=self.accumulate)
        if self.threads is not None:
            train = replace(train, threads=self.threads)
        return train

    def _train_rt1(self, recipe: "Recipe", line: "TrainingLine", console: Console) -> Path:
        from sayact.experiments.runs import run
        from sayact.schema.errors import SayactError

        if self.web or self.init is not None or self.strict:
            raise SayactError(f"--web, --init and --strict are RT-2's; {recipe.name} is RT-1's")
        return run(
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

    def _train_rt2(self, recipe: "RT2Recipe", line: "TrainingLine", console: Console) -> Path:
        from sayact.experiments.rt2_runs import run
        from sayact.experiments.rt2_sources import Given
        from sayact.schema.errors import SayactError

        if self.backbone is not None:
            raise SayactError(f"--backbone is RT-1's; {recipe.name} is RT-2's, see --init")
        given = Given(
            data=self.data,
            web=self.web,
            init=self.init,
            strict=self.strict,
            skip_broken=self.skip_broken,
        )
        return run(
            recipe,
            out=self.out or Path("runs") / recipe.name,
            given=given,
            resume=self.resume,
            workers=self.workers,
            progress=line,
            device=self.device,
            say=lambda text: console.print(text, soft_wrap=True),
        )
