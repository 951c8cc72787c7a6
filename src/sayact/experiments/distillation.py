"""Distillation: what an RT-2 would do, learned by an RT-1 that is small enough for any robot.

    frames, sentences ─▶ RT-2, the teacher ─▶ probabilities of every bin ─┐ asked once, kept on disk
                     └─▶ RT-1, the student ─▶ logits ───── cross-entropy ─┘

RT-2 (arXiv 2307.15818) names distillation as future work, among its limitations: its models answer
one to five times a second, the largest from a cloud service. The student sees the pictures and the
sentences that the teacher sees; actions that were recorded with them are not read. What it is told
is not one action but how probable the teacher holds each: how sure it is, and what it would do
otherwise.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from sayact import models
from sayact.codecs import Processor
from sayact.config import to_json
from sayact.data.augmentation import ColourJitter
from sayact.data.windows import WindowSampler
from sayact.evals.provenance import provenance
from sayact.experiments.distillation_answers import Answers, SoftTargets, ask
from sayact.experiments.distillation_bins import rebinning
from sayact.experiments.distillation_data import Part, Pictures, open_pictures
from sayact.experiments.distillation_recipe import (
    Distillation,
    check_same_teacher,
    require_same_space,
)
from sayact.experiments.runs import BACKBONE, MODEL_FILE, Progress, check_start, usage, write_start
from sayact.models.checkpoint import Checkpoint
from sayact.models.losses import taught_bin_loss
from sayact.models.rt1 import RT1, RT1Config
from sayact.policies.loading import build_model, build_processor
from sayact.policies.rt2 import RT2Policy
from sayact.schema.batches import Batch
from sayact.train import train
from sayact.train.loop import Evaluator

AGREEMENT, DISTANCE = "held_out/agreement", "held_out/distance"
EXAM_BATCHES, EXAM_FRAMES = 4, 96  # frames of each batch that the student is examined on
TINY = (
    "**Made with `--tiny`**, to see that the path works: a few steps on a few episodes. It has "
    "learned nothing.\n\n"
)


class Student(RT1):
    """An RT-1 that learns from probabilities; its weights are named as any RT-1's."""

    def __init__(self, config: RT1Config, temperature: float = 1.0) -> None:
        super().__init__(config)
        self.temperature = temperature

    def action_loss(self, logits: Float[Tensor, "N A V"], batch: Batch) -> Float[Tensor, ""]:
        assert batch.action_targets is not None  # `targets` of the sampler
        return taught_bin_loss(logits, batch.action_targets[batch.valid], self.temperature)


def run(
    recipe: Distillation,
    teacher: RT2Policy,
    student: Checkpoint,
    *,
    out: Path,
    data: Sequence[Path],
    cache: Path | None = None,
    resume: bool = False,
    skip_broken: bool = False,
    progress: Progress = lambda step, values: None,
    device: str = "cpu",
    say: Callable[[str], None] = lambda text: None,
) -> Path:
    """Ask the teacher, train the student; returns the folder of the final checkpoint."""
    require_same_space(teacher, student)
    recipe.train.check(recipe.model.frames)
    check_start(recipe, out, data, resume, device)
    check_same_teacher(recipe, out)
    torch.set_num_threads(recipe.train.threads or torch.get_num_threads())
    processor, cache = build_processor(student), cache or out / "cache"
    pictures = open_pictures(
        data,
        teacher=teacher.processor.images,
        student=processor.images,
        cache=cache,
        episodes=recipe.episodes,
        skip_broken=skip_broken,
    )
    torch.manual_seed(recipe.train.seed)
    model = Student(recipe.model, recipe.temperature)
    if recipe.warm:
        model.load_state_dict(student.weights)
    began = (f"weights: those of {recipe.student}",) if recipe.warm else ()
    write_start(recipe, out, began, say)
    (out / MODEL_FILE).write_text(models.describe(model), encoding="utf-8")
    answers = ask(
        teacher,
        pictures.teacher,
        cache,
        key=key_of(recipe, pictures),
        points=recipe.model.points,
    )
    say(what_it_knows(answers))
    lessons = windows(recipe, teacher, processor, answers, pictures.learned, recipe.jitter)
    exams: tuple[Evaluator, ...] = ()
    if pictures.held_out is not None:
        unseen = windows(recipe, teacher, processor, answers, pictures.held_out)
        exams = (lambda checkpoint, step: examine(recipe, checkpoint, unseen, step, device),)
    return train(
        recipe.train,
        model,
        lessons,
        out=out,
        describe=lambda weights: describe(recipe, student, processor, weights, pictures, began),
        evaluators=exams,
        progress=progress,
        resume=resume,
        device=device,
        notes=began,
    )


def key_of(recipe: Distillation, pictures: Pictures) -> str:
    """Names who is asked about what."""
    return hashlib.sha256((recipe.fingerprint + pictures.fingerprint).encode()).hexdigest()


def what_it_knows(answers: Answers) -> str:
    """A line about the teacher: a high share of no action tells that it has not learned to act."""
    share = 100 * float(answers.illegal[:].astype(np.float32).mean())
    return (
        f"the teacher answered for {len(answers.bins):,} frames; of its probability {share:.2g} % "
        "fell on what is no action"
    )


def windows(
    recipe: Distillation,
    teacher: RT2Policy,
    processor: Processor,
    answers: Answers,
    part: Part,
    jitter: ColourJitter | None = None,
) -> WindowSampler:
    """Frames with the teacher's probabilities, in the student's bins, its own choice, and where it
    looked."""
    codec = teacher.processor.actions.codec
    chosen = codec.decode(answers.bins[part.rows].astype(np.int64))
    shares = rebinning(codec, processor.actions, recipe.model.bins)
    height, width = processor.images.camera
    places = answers.places[part.rows] * np.array((width, height), np.float32)
    return WindowSampler(
        replace(part.frames, actions=chosen),
        processor,
        seed=recipe.train.seed,
        jitter=jitter,
        locate=(lambda _: places) if recipe.model.points else None,
        targets=SoftTargets(answers, part.rows, shares),
    )


@torch.inference_mode()
def examine(
    recipe: Distillation, content: Checkpoint, unseen: WindowSampler, step: int, device: str
) -> dict[str, float]:
    """How near the student's choice is to the teacher's, on frames that it never learned from.

    Share of equal tokens, and the mean distance of actions as a share of their dimension's range.
    """
    model, codec = build_model(content).to(device).eval(), unseen.processor.actions
    # Until windows begin, nothing but the first frame of one means anything.
    frames = model.history if step > recipe.train.single_frame_steps else 1
    span = codec.action_space.high - codec.action_space.low
    equal: list[np.ndarray] = []
    apart: list[np.ndarray] = []
    for number in range(EXAM_BATCHES):
        batch = unseen((number, max(1, EXAM_FRAMES // frames), frames))
        logits = model(batch.pixels.to(device), batch.instruction.to(device))[batch.valid].float()
        for dimension, size in enumerate(codec.sizes):
            logits[:, dimension, size:] = -torch.inf
        told, meant = logits.argmax(-1).cpu().numpy(), batch.action_ids[batch.valid].numpy()
        equal.append(told == meant)
        apart.append(np.abs(codec.decode(told) - codec.decode(meant)) / span)
    return {
        AGREEMENT: float(np.concatenate(equal).mean()),
        DISTANCE: float(np.concatenate(apart).mean()),
    }


def describe(
    recipe: Distillation,
    student: Checkpoint,
    processor: Processor,
    weights: dict[str, Tensor],
    pictures: Pictures,
    began: Sequence[str],
) -> Checkpoint:
    """An ordinary RT-1's checkpoint, which says where it has its answers from."""
    return Checkpoint(
        weights=weights,
        config={
            "model": "rt1",
            "architecture": to_json(recipe.model),
            "recipe": {"name": recipe.name, "train": to_json(recipe.train)},
            "distilled": {
                "teacher": recipe.teacher,
                "teacher_fingerprint": recipe.fingerprint,
                "student": recipe.student,
                "data": list(recipe.data),
                "frames": len(pictures.learned.rows),
                "temperature": recipe.temperature,
            },
            BACKBONE: list(began),
            "made_by": provenance(),
        },
        action_space=processor.action_space,
        processor=student.processor,
        sentences=student.sentences,
        card=card(recipe, processor, pictures, began),
    )


def card(
    recipe: Distillation, processor: Processor, pictures: Pictures, began: Sequence[str]
) -> str:
    """The model card."""
    folders = ", ".join(f"`{folder}`" for folder in recipe.data)
    return (
        f"# {recipe.student}, taught by {recipe.teacher}\n\n"
        f"{TINY if recipe.tiny else ''}"
        f"An RT-1 policy of the architecture of `{recipe.student}` that learned, by Sayact's "
        f"`sayact distill`, what the RT-2 `{recipe.teacher}` would do in "
        f"{len(pictures.learned.rows):,} frames of {folders}, at the temperature "
        f"{recipe.temperature:g}. Recorded actions were not read.\n\n"
        f"{usage(processor.images, processor.action_space, began)}"
    )
