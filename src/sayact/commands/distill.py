"""`sayact distill TEACHER`: a small, fast policy that learns from a large one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from rich.console import Console
from tyro.conf import Positional, arg

from sayact.commands.verb import Outcome, Verb


@dataclass(frozen=True, kw_only=True)
class Distill(Verb):
    """Teach an RT-1 what an RT-2 would do, on robot pictures without labels.

    The teacher says of every frame how probable it holds each action; the student learns that.
    Recorded actions are not read. docs/distillation.md tells what is done.

    For instance:

        sayact distill runs/rt2 --student rt1-nano --data runs/demos --out runs/taught
        sayact distill runs/rt2 --student rt1-nano --data runs/demos --out runs/taught --resume
        sayact eval runs/taught language_table
    """

    teacher: Annotated[Positional[str], arg(metavar="TEACHER")]
    """An RT-2: a checkpoint's or a run's folder, or the name of a policy in the box."""
    student: Annotated[str, arg(metavar="CHECKPOINT")] = "rt1-nano"
    """An RT-1, whose network, pictures and bins the student has; its weights only with --warm."""
    data: Annotated[tuple[Path, ...], arg(metavar="DIR ...")] = ()
    """Datasets, or frame caches made of such: their pictures and sentences."""
    out: Annotated[Path, arg(metavar="DIR")] = Path("runs/distillation")
    """Folder for checkpoints and logs."""
    cache: Annotated[Path | None, arg(metavar="DIR")] = None
    """Where shrunk frames and the teacher's answers are kept, for other runs too; OUT/cache unless
    told."""
    steps: int = 6_000
    """Optimiser steps."""
    temperature: float = 1.0
    """What the logits of both are divided by; above 1 the improbable counts for more."""
    episodes: int | None = None
    """Only the first so many of every dataset."""
    warm: bool = False
    """Begin with the student's own weights instead of random ones."""
    tiny: bool = False
    """The same path with little of everything: a minute on a laptop."""
    resume: bool = False
    """Go on where a run in this folder stopped."""
    seed: int = 0
    """Fixes weights, order of data and augmentation."""
    device: str = "cpu"
    """Where to compute: cpu, cuda, cuda:1 …"""
    threads: int | None = 2
    """Threads that compute on the CPU."""
    skip_broken: bool = False
    """Leave the broken episodes of a dataset out."""

    def run(self, console: Console) -> Outcome:
        from sayact.experiments.distillation import AGREEMENT, DISTANCE, run
        from sayact.experiments.distillation_answers import fingerprint_of
        from sayact.experiments.distillation_recipe import read_student, recipe_of
        from sayact.experiments.live import TrainingLine
        from sayact.policies.loading import load_rt2
        from sayact.train.log import read_log

        student = read_student(self.student)
        teacher = load_rt2(self.teacher, "teach", self.device)
        recipe = recipe_of(
            teacher=self.teacher,
            fingerprint=fingerprint_of(teacher),
            student=self.student,
            content=student,
            looks=teacher.vlm.looks,
            data=self.data,
            steps=self.steps,
            temperature=self.temperature,
            episodes=self.episodes,
            warm=self.warm,
            tiny=self.tiny,
            seed=self.seed,
            threads=self.threads,
        )
        line = TrainingLine(recipe, console)
        try:
            checkpoint = run(
                recipe,
                teacher,
                student,
                out=self.out,
                data=self.data,
                cache=self.cache,
                resume=self.resume,
                skip_broken=self.skip_broken,
                progress=line,
                device=self.device,
                say=lambda text: console.print(text, soft_wrap=True),
            )
        finally:
            line.close()
        exams = [row for row in read_log(self.out) if AGREEMENT in row]
        measured = {n: exams[-1][n] for n in (AGREEMENT, DISTANCE)} if exams else {}
        if measured:
            console.print(
                f"on frames held out: {100 * measured[AGREEMENT]:.0f} % of tokens are the "
                f"teacher's, actions {100 * measured[DISTANCE]:.2g} % of their range away",
                soft_wrap=True,
            )
        console.print(f"checkpoint: {checkpoint}", soft_wrap=True)
        console.print(f"see it act: sayact eval {checkpoint}", soft_wrap=True)
        return Outcome(result={"teacher": self.teacher, "checkpoint": checkpoint, **measured})
