"""The one way to run an RT-2 recipe: phase after phase, each with its own mixture of data.

    phase 0   web 1.0                      ─▶ train until its gate opens, at most to step `until`
    phase 1   robot 0.6, web 0.4; collects ─▶ train on …

When a phase ended follows from the recipe and the log: a run that goes on after a kill finds the
same phases, and batches are functions of the step and the phase.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from sayact.codecs.text import TextProcessor
from sayact.config import to_json
from sayact.data.vision_language.hub_datasets import open_reader
from sayact.evals.provenance import provenance
from sayact.experiments.resuming import kept
from sayact.experiments.rt2_backbones import build, freeze
from sayact.experiments.rt2_phases import (
    check_phases,
    ended,
    look_at_gate,
    next_stop,
    note_phase,
)
from sayact.experiments.rt2_recipe import ROBOT, WEB, Phase, RT2Recipe
from sayact.experiments.rt2_sources import Given, Sources
from sayact.experiments.rt2_watching import watch_answers
from sayact.experiments.runs import (
    BACKBONE,
    MODEL_FILE,
    Progress,
    card,
    check_start,
    watch,
    write_start,
)
from sayact.models.checkpoint import (
    Checkpoint,
    latest_checkpoint,
    read_checkpoint,
    saved_steps,
)
from sayact.models.describe import describe_parts
from sayact.models.rt2 import RT2
from sayact.models.vlms.adapters import merged_weights
from sayact.policies.loading import checkpoint_folder
from sayact.policies.rt2_checkpoint import describe_rt2
from sayact.policies.weights import require_same_shapes
from sayact.schema.errors import CheckpointError, SayactError
from sayact.train import train
from sayact.train.log import read_log
from sayact.train.loop import Evaluator


def run(
    recipe: RT2Recipe,
    *,
    out: Path,
    given: Given | None = None,
    resume: bool = False,
    workers: int = 2,
    progress: Progress = lambda step, values: None,
    device: str = "cpu",
    say: Callable[[str], None] = lambda text: None,
) -> Path:
    """Run all phases and return the folder of the final checkpoint."""
    given = given or Given()
    check_phases(recipe)
    recipe.train.check(1)
    check_start(recipe, out, given.data, resume, device)
    check_given(recipe, given)
    torch.manual_seed(recipe.train.seed)
    model, processor = build(recipe)
    began = begin(model, out, given.init, resume=resume)
    freeze(model, recipe, began)
    write_start(recipe, out, began, say)
    (out / MODEL_FILE).write_text(describe_parts(model.vlm), encoding="utf-8")
    sources = Sources(recipe, given, processor, model.vlm.context, out, workers)
    start = 0
    for number, phase in enumerate(recipe.rounds):
        sources.collect(number)
        measured = evaluators(recipe, sources, phase, device)
        look_at_gate(recipe, phase, out, start, measured)
        stop = next_stop(recipe, phase, out, start)
        batches = None if stop is None else sources.mixture(phase)
        note_phase(out, number, phase, start, say)
        while stop is not None and batches is not None:
            train(
                recipe.train,
                model,
                batches,
                out=out,
                describe=lambda weights: describe(recipe, model, processor, weights, began),
                evaluators=measured,
                progress=progress,
                resume=True,
                until=stop,
                device=device,
                notes=began,
            )
            look_at_gate(recipe, phase, out, start, measured)
            stop = next_stop(recipe, phase, out, start)
        start = ended(phase, read_log(out), start)
    return latest_checkpoint(out) or out


def evaluators(
    recipe: RT2Recipe, sources: Sources, phase: Phase, device: str
) -> tuple[Evaluator, ...]:
    """What is measured while a phase trains."""

    def answers(checkpoint: Checkpoint, step: int) -> dict[str, float]:
        return watch_answers(sources.web, checkpoint, recipe.held_out, device)

    def acting(checkpoint: Checkpoint, step: int) -> dict[str, float]:
        return watch(recipe, checkpoint, device)

    asked = recipe.held_out > 0 and (recipe.learns_from(WEB) or bool(sources.given.web))
    acts = recipe.watch_episodes > 0 and ROBOT in phase.mixture
    return (*((answers,) if asked else ()), *((acting,) if acts else ()))


def check_given(recipe: RT2Recipe, given: Given) -> None:
    """Folders that hold nothing to learn from, and data that no phase would look at."""
    for folder in given.web:
        open_reader(folder)
    if given.data and not any(phase.episodes for phase in recipe.rounds):
        raise SayactError(
            f"--data gives demonstrations, and {recipe.name} learns from none; leave it out"
        )


def begin(model: RT2, out: Path, init: Path | None, *, resume: bool = False) -> tuple[str, ...]:
    """Weights of another checkpoint into a new run's network; what is to be said of its start.

    A run that goes on has its own. The `init` that it began with may be given again, and must be
    where it was killed before its first step was saved.
    """
    before = tuple(kept(out).get(BACKBONE, ()))
    told = () if init is None else (f"weights: those of {init}",)
    if saved_steps(out):
        if told and told != before:
            raise SayactError(
                f"{out} goes on with the weights it has, and did not begin with those of {init}; "
                "leave --init out"
            )
        return before
    if resume and before and not told:
        raise SayactError(
            f"{out} has no saved step yet, and was begun with another run's weights "
            f"({', '.join(before)}); give the same --init again"
        )
    if init is None:
        return ()
    weights = read_checkpoint(checkpoint_folder(str(init))).weights
    try:
        require_same_shapes(model, weights)
    except CheckpointError as error:
        raise CheckpointError(
            f"{init} is of another network than the recipe: {error}. --init takes a checkpoint of "
            "the recipe's own architecture."
        ) from error
    model.load_state_dict(weights)
    return told


def describe(
    recipe: RT2Recipe,
    model: RT2,
    processor: TextProcessor,
    weights: dict[str, Tensor],
    began: Sequence[str],
) -> Checkpoint:
    """Everything that a checkpoint folder of this recipe holds; `began` tells of its start."""
    weights = merged_weights(model, weights)  # a policy knows no adapters
    if recipe.bfloat16:
        floats = {n: v for n, v in weights.items() if v.dtype == torch.float32}
        weights = {**weights, **{n: v.to(torch.bfloat16) for n, v in floats.items()}}
    phases = [to_json(phase) for phase in recipe.rounds]
    return describe_rt2(
        model.vlm,
        processor,
        weights=weights,
        config={
            "recipe": {"name": recipe.name, "train": to_json(recipe.train), "phases": phases},
            BACKBONE: list(began),
            "made_by": provenance(),
        },
        card=card(recipe, processor.action_space, began, kind="RT-2"),
    )
