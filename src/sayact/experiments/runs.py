"""The one way to run a recipe: collect, train, and again; each round as the recipe says.

round 0   the oracle demonstrates, disturbed now and then     ─▶ train to step `until`
round 1…  the policy so far acts, the oracle says what it     ─▶ train on, on everything
          would have done there (DAgger, arXiv 1011.0686)        collected up to here
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from sayact import models
from sayact.codecs import ImageCodec, Processor
from sayact.config import to_json
from sayact.data.dataset import Dataset
from sayact.data.frames import FrameStore, is_frame_store
from sayact.data.windows import WindowSampler
from sayact.envs.language_table.camera import project
from sayact.evals.collect import collect
from sayact.evals.evaluate import evaluate
from sayact.evals.evaluation import Protocol
from sayact.evals.provenance import provenance
from sayact.experiments.episodes import choose
from sayact.experiments.pretrained import start_backbone
from sayact.experiments.recipe import Experiment, Recipe
from sayact.experiments.rephrasing import sayings_of
from sayact.experiments.resuming import RECIPE_FILE, changes, check_same, kept, note
from sayact.models.checkpoint import Checkpoint, latest_checkpoint, saved_steps
from sayact.models.device import require_device
from sayact.models.rt1 import RT1
from sayact.policies.loading import build_policy
from sayact.schema import ActionSpace
from sayact.schema.errors import SayactError
from sayact.train import check_free, train
from sayact.train.gradient import require_compiler

# Training and its evaluations draw their starts from here on; the official seed 0 is never touched.
TRAINING_SEED, WATCHING_SEED = 1_000, 2_000

DEMONSTRATED_STEPS, FOLLOWED_STEPS = 200, 80  # longest episode of a round

MODEL_FILE = "model.txt"  # kept in a run's folder beside recipe.json, for people
BACKBONE = "backbone"  # what recipe.json and config.json say about its first weights
TINY = (
    "**Made with `--tiny`**, to see that the path works: a smaller network, after a few steps on a "
    "few episodes. It has learned nothing, and its numbers say nothing about the recipe.\n\n"
)

Progress = Callable[[int, dict[str, float]], None]


def run(
    recipe: Recipe,
    *,
    out: Path,
    data: Sequence[Path] = (),
    cache: Path | None = None,
    resume: bool = False,
    workers: int = 2,
    skip_broken: bool = False,
    progress: Progress = lambda step, values: None,
    device: str = "cpu",
    backbone: Path | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Path:
    """Run all rounds and return the folder of the final checkpoint.

    `data` are datasets collected before, or frame caches made of such; they replace the
    demonstrations of the first round. `cache` is where shrunk pictures are kept, in `out` unless
    told. `backbone` holds ImageNet weights; `say` gets what a person should read, as lines.
    Training and its evaluations run on `device`; a policy that is followed while collecting, on the
    CPU.
    """
    recipe.train.check(recipe.model.frames)
    check_start(recipe, out, data, resume, device)
    processor = recipe.processor()
    torch.manual_seed(recipe.train.seed)
    model = RT1(recipe.model)
    began = begin(recipe, model, out, backbone)
    write_start(recipe, out, began, say)
    (out / MODEL_FILE).write_text(models.describe(model), encoding="utf-8")
    stores: list[FrameStore] = []
    checkpoint = out
    watched = (lambda checkpoint, step: watch(recipe, checkpoint, device),)
    evaluators = watched if recipe.watch_episodes else ()
    for number, stage in enumerate(recipe.rounds):
        folders = list(data) if data and number == 0 else [out / "data" / f"round-{number}"]
        if not (data and number == 0):
            collect_round(recipe, number, folders[0], out, workers)
        for folder in folders:
            images, kept_in = processor.images, cache or out / "cache"
            stores.append(open_frames(folder, images, kept_in, skip_broken))
        robot = choose(FrameStore.join(stores), recipe.chosen)
        sampler = WindowSampler(
            robot,
            processor,
            seed=recipe.train.seed,
            jitter=recipe.jitter,
            shift=recipe.shift,
            locate=locate_task if recipe.model.points and knows_places(robot) else None,
            sayings=sayings_of(robot) if recipe.rephrased else None,
            rephrased=recipe.rephrased,
        )
        checkpoint = train(
            recipe.train,
            model,
            sampler,
            out=out,
            describe=lambda weights: describe(recipe, processor, weights, began),
            evaluators=evaluators,
            progress=progress,
            resume=resume or number > 0,
            until=stage.until,
            device=device,
            notes=began,
        )
    return checkpoint


def begin(recipe: Recipe, model: RT1, out: Path, backbone: Path | None) -> tuple[str, ...]:
    """ImageNet weights into a new run's network; what is to be said about its first weights."""
    if backbone is not None and not recipe.pretrained:
        raise SayactError(f"{recipe.name} begins from random weights; leave --backbone out")
    if saved_steps(out):
        if backbone is not None:
            raise SayactError(f"{out} goes on with the weights it has; leave --backbone out")
        return tuple(kept(out).get(BACKBONE, ()))
    if not recipe.pretrained:
        return ()
    return (start_backbone(model, backbone),)


def check_start(
    recipe: Experiment, out: Path, data: Sequence[Path], resume: bool, device: str
) -> None:
    """Everything that would stop a run, before hours of collecting."""
    require_device(device)
    if recipe.train.compile:
        require_compiler(device)
    check_free(out, resume)
    check_same(recipe, out)
    check_names(data)


def write_start(
    recipe: Experiment, out: Path, began: Sequence[str], say: Callable[[str], None]
) -> None:
    """Say how it begins and what has changed since; write both, and the recipe, into its folder."""
    changed = changes(recipe, out)
    for line in (*began, *changed):
        say(line)
    out.mkdir(parents=True, exist_ok=True)
    note(out, changed)
    numbers = {**to_json(recipe), BACKBONE: list(began)}
    (out / RECIPE_FILE).write_text(json.dumps(numbers, indent=2) + "\n")


def check_names(data: Sequence[Path]) -> None:
    """The frame cache is kept by the names of the datasets' folders."""
    names = [folder.resolve().name for folder in data]
    if len(set(names)) < len(names):
        raise SayactError(
            f"datasets of one run need folders of different names; got {', '.join(names)}"
        )


def collect_round(recipe: Experiment, number: int, folder: Path, out: Path, workers: int) -> None:
    """Demonstrations of round `number`; those that are there already are kept."""
    stage = recipe.rounds[number]
    done = saved_steps(out)
    if done and done[-1] > (recipe.rounds[number - 1].until if number else 0):
        return  # training has gone past the policy that this round followed
    collect(
        "language_table",
        out=folder,
        episodes=stage.episodes,
        families=stage.families or recipe.families,
        block_mode=recipe.block_mode,
        workers=workers,
        seed=TRAINING_SEED + number + 100 * recipe.train.seed,
        noise=0.0 if stage.follow else recipe.noise,
        policy=str(latest_checkpoint(out)) if stage.follow else None,
        # Where the policy fails is what there is to learn; a stuck one shows it soon enough.
        keep_failures=stage.follow,
        max_steps=FOLLOWED_STEPS if stage.follow else DEMONSTRATED_STEPS,
    )


def open_store(folder: Path, images: ImageCodec, cache: Path, skip_broken: bool) -> FrameStore:
    """The shrunk frames of a dataset, made on first use."""
    dataset = Dataset.open(folder)
    return FrameStore.build(
        dataset,
        images.shrink,
        cache / folder.name,
        key=json.dumps(asdict(images)),
        skip_broken=skip_broken,
    )


def open_frames(
    folder: Path, images: ImageCodec, cache: Path, skip_broken: bool, reader: str = "this recipe"
) -> FrameStore:
    """Of a dataset, or of a frame cache that was made before; `reader` is who will see them."""
    if not is_frame_store(folder):
        return open_store(folder, images, cache, skip_broken)
    store = FrameStore.open(folder)
    if store.frames.shape[1:3] != images.shrunk:
        raise SayactError(
            f"{folder} caches frames of {store.frames.shape[1:3]} pixels; {reader} needs "
            f"{images.shrunk}. Give the dataset that it was made from."
        )
    return store


def knows_places(store: FrameStore) -> bool:
    """Whether the simulator said where things are; recordings of a robot do not know."""
    return {"pushed_xy", "goal_xy"} <= set(store.privileged)


def locate_task(store: FrameStore) -> Float32[np.ndarray, "N 3 2"]:
    """Where the effector, the block to push and its goal are in the picture: what to point at."""
    board = (store.states[:, :2], store.privileged["pushed_xy"], store.privileged["goal_xy"])
    return np.stack([project(xy.astype(np.float64)) for xy in board], 1).astype(np.float32)


def describe(
    recipe: Recipe, processor: Processor, weights: dict[str, Tensor], began: Sequence[str]
) -> Checkpoint:
    """Everything that a checkpoint folder of this recipe holds; `began` tells of its start."""
    return Checkpoint(
        weights=weights,
        config={
            "model": "rt1",
            "architecture": to_json(recipe.model),
            "recipe": {"name": recipe.name, "train": to_json(recipe.train)},
            BACKBONE: list(began),
            "made_by": provenance(),
        },
        action_space=processor.action_space,
        processor=processor.to_json(),
        card=card(recipe, processor.action_space, began),
    )


def card(recipe: Experiment, space: ActionSpace, began: Sequence[str], kind: str = "RT-1") -> str:
    """The model card: what it is, how to use it, what its numbers mean."""
    tiny = TINY if recipe.tiny else ""
    return (
        f"# {recipe.name}{', tiny' if recipe.tiny else ''}\n\n"
        f"{tiny}"
        f"An {kind} policy trained by Sayact's recipe `{recipe.name}` on the Language-Table task "
        f"families {', '.join(recipe.families)}, in the block mode {recipe.block_mode}.\n\n"
        f"{usage(recipe.images, space, began)}"
    )


def usage(images: ImageCodec, space: ActionSpace, began: Sequence[str]) -> str:
    """The part of a model card that says how to use it, what it sees and answers, how it began."""
    start = "".join(f"{line[0].upper()}{line[1:]}.\n\n" for line in began)
    dimensions = ", ".join(f"`{d.name}` {d.low:g} to {d.high:g} {d.unit}" for d in space.dimensions)
    height, width = images.camera
    return (
        "```python\n"
        'policy = sayact.load_policy("this folder")\n'
        "policy.reset()\n"
        "action = policy.act(observation)\n"
        "```\n\n"
        f"It sees pictures of {height} × {width} pixels (height × width) and a sentence, and "
        f"answers at {space.rate_hz:g} Hz in the action space `{space.name}`: {dimensions}.\n\n"
        f"{start}"
        "How it was made stands in config.json. To measure it: `sayact eval` and this folder.\n"
    )


def watch(recipe: Experiment, content: Checkpoint, device: str) -> dict[str, float]:
    """Closed-loop success of the weights so far, on starts kept for watching."""
    protocol = Protocol(
        families=recipe.watch_families,
        episodes=recipe.watch_episodes,
        seed=WATCHING_SEED,
        block_mode=recipe.block_mode,
    )
    result = evaluate(
        build_policy(content, device), protocol, beside=(), progress=False, device=device
    )
    return {f"success/{name}": family.success for name, family in result.families.items()}
