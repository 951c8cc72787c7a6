"""Who teaches whom, with which numbers, and what cannot be."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sayact.config import from_json
from sayact.experiments.recipe import Experiment, Round
from sayact.experiments.resuming import kept
from sayact.models.checkpoint import Checkpoint, read_checkpoint, saved_steps
from sayact.models.rt1 import RT1Config
from sayact.policies.loading import build_processor, checkpoint_folder
from sayact.policies.rt2 import RT2Policy
from sayact.schema.errors import ActionSpaceMismatchError, CheckpointError, SayactError
from sayact.train import TrainConfig

NAME = "distillation"
STEPS = 6_000
SINGLE_SHARE = 0.7  # of the steps, on single frames, as in rt1_language_table
TINY_STEPS, TINY_EPISODES = 30, 2


@dataclass(frozen=True, kw_only=True)
class Distillation(Experiment):
    """One run: an experiment that collects nothing.

    teacher, student: as they were named. fingerprint: of the teacher's weights. warm: the student
    begins with its own weights instead of random ones. temperature: what both logits are divided
    by. episodes: the first so many of each dataset; None: all.
    """

    model: RT1Config
    teacher: str
    fingerprint: str
    student: str
    warm: bool = False
    temperature: float = 1.0
    data: tuple[str, ...] = ()
    episodes: int | None = None


def recipe_of(
    *,
    teacher: str,
    fingerprint: str,
    student: str,
    content: Checkpoint,
    looks: bool,
    data: Sequence[Path],
    steps: int = STEPS,
    temperature: float = 1.0,
    episodes: int | None = None,
    warm: bool = False,
    tiny: bool = False,
    seed: int = 0,
    threads: int | None = 2,
) -> Distillation:
    """The numbers of a run. `content` is the student's checkpoint; `looks`: the teacher can say
    where it looked.

    Raises SayactError for numbers that no run can have.
    """
    for what, number in (("steps", steps), ("episodes", episodes)):
        if number is not None and number < 1:
            raise SayactError(f"{what} is {number}; it must be at least 1")
    if not 0 < temperature < np.inf:
        raise SayactError(f"the temperature is {temperature}; it must be above 0, such as 1 or 2")
    steps = min(steps, TINY_STEPS) if tiny else steps
    schedule = TrainConfig(
        steps=steps,
        # A warm student knows what a window is, and its pictures' statistics.
        single_frame_steps=0 if warm else round(SINGLE_SHARE * steps),
        batch_norm="running" if warm else "switch",
        warmup_steps=min(200, steps // 5),
        ema_decay=0.999,
        seed=seed,
        threads=threads,
        frames_a_step=24 if tiny else 96,
        log_every=5 if tiny else 20,
    )
    network = from_json(RT1Config, content.config["architecture"])
    return Distillation(
        name=NAME,
        # Its targets are the teacher's, and so is where to look, if the teacher can say so.
        # Training has no empty frames before an episode's first.
        model=replace(
            network, points=network.points if looks else 0, soft_bins=0.0, empty_start=False
        ),
        images=build_processor(content).images,
        train=schedule,
        rounds=(Round(episodes=0, until=steps),),
        families=(),
        watch_families=(),
        watch_episodes=0,
        tiny=tiny,
        teacher=teacher,
        fingerprint=fingerprint,
        student=student,
        warm=warm,
        temperature=temperature,
        data=tuple(map(str, data)),
        episodes=min(episodes or TINY_EPISODES, TINY_EPISODES) if tiny else episodes,
    )


def read_student(name: str) -> Checkpoint:
    """Raises CheckpointError for a policy that is no RT-1."""
    content = read_checkpoint(checkpoint_folder(name))
    kind = content.config.get("model")
    if kind != "rt1":
        raise CheckpointError(
            f"the student {name} is of the model {kind!r}; a student is an RT-1, such as rt1-nano "
            "or the folder of a run of `sayact train rt1_language_table`"
        )
    return content


def require_same_space(teacher: RT2Policy, student: Checkpoint) -> None:
    """Raises ActionSpaceMismatchError that says how they differ."""
    differences = teacher.action_space.differences(student.action_space)
    if differences:
        raise ActionSpaceMismatchError(
            f"the teacher acts in {teacher.action_space.name!r} and the student in "
            f"{student.action_space.name!r} (here the teacher's, there the student's): "
            f"{'; '.join(differences)}. Give a student of the teacher's action space."
        )


def check_same_teacher(recipe: Distillation, out: Path) -> None:
    """A run goes on with the teacher that it began with."""
    began = kept(out)
    if saved_steps(out) and began.get("fingerprint") != recipe.fingerprint:
        raise SayactError(
            f"{out} learns from {began.get('teacher')}, and {recipe.teacher} has other weights. Go "
            "on with the teacher that it began with, or give another --out."
        )
