"""What an experiment is made of, and the one way to run it: collect, train, and again.

round 0   the oracle demonstrates, disturbed now and then     ─▶ train to step `until`
round 1…  the policy so far acts, the oracle says what it     ─▶ train on, on everything
          would have done there (DAgger, arXiv 1011.0686)        collected up to here
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from sayact import models
from sayact.codecs import ImageCodec, Processor, UniformBins
from sayact.config import to_json
from sayact.data.augmentation import ColourJitter
from sayact.data.dataset import Dataset
from sayact.data.frames import FrameStore
from sayact.data.windows import WindowSampler
from sayact.envs.language_table.camera import project
from sayact.evals.collect import collect
from sayact.evals.evaluate import evaluate
from sayact.evals.evaluation import Protocol
from sayact.evals.provenance import provenance
from sayact.models.checkpoint import Checkpoint, latest_checkpoint, saved_steps
from sayact.models.rt1 import RT1, RT1Config
from sayact.policies.loading import build_policy
from sayact.schema import LANGUAGE_TABLE, ActionSpace
from sayact.schema.errors import SayactError
from sayact.train import TrainConfig, check_free, train

# Training and its evaluations draw their starts from here on; the official seed 0 is never touched.
TRAINING_SEED, WATCHING_SEED = 1_000, 2_000

DEMONSTRATED_STEPS, FOLLOWED_STEPS = 200, 80  # longest episode of a round

OFFICIAL_JITTER = ColourJitter()

RECIPE_FILE, MODEL_FILE = "recipe.json", "model.txt"  # kept in a run's folder, for people

Progress = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True, kw_only=True)
class Round:
    """Collect `episodes` of `families` (the recipe's by default), then train up to step `until`."""

    episodes: int
    until: int
    follow: bool = False  # the policy acts and the oracle labels
    families: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One reproducible experiment on Language-Table.

    noise: share of steps at which the demonstrating oracle gets a kick. watch_episodes: closed-loop
    episodes of each of `watch_families` at every evaluation during training.
    """

    name: str
    model: RT1Config
    images: ImageCodec
    train: TrainConfig
    rounds: tuple[Round, ...]
    families: tuple[str, ...]
    block_mode: str = "BLOCK_8"
    noise: float = 0.1
    watch_families: tuple[str, ...] = ("block2block",)
    watch_episodes: int = 20
    jitter: ColourJitter | None = OFFICIAL_JITTER

    def processor(self) -> Processor:
        return Processor(
            images=self.images,
            actions=UniformBins(action_space=LANGUAGE_TABLE, bins=self.model.bins),
        )


def tiny(recipe: Recipe) -> Recipe:
    """The same path in a minute: few episodes, few steps, a network of a tenth of the size."""
    model = replace(recipe.model, picture=(84, 152), layers=1, width=64, token_width=64)
    rounds = tuple(
        Round(episodes=4, until=30 * (i + 1), follow=r.follow)
        for i, r in enumerate(recipe.rounds[:2])
    )
    last = rounds[-1].until
    steps = replace(
        recipe.train,
        steps=last,
        single_frame_steps=min(recipe.train.single_frame_steps, last * 2 // 3),
        frames_a_step=24,
        warmup_steps=5,
        log_every=5,
        evaluate_every=last,
        checkpoint_every=10,
    )
    return replace(recipe, model=model, rounds=rounds, train=steps, watch_episodes=2)


def run(
    recipe: Recipe,
    *,
    out: Path,
    data: Sequence[Path] = (),
    resume: bool = False,
    workers: int = 2,
    skip_broken: bool = False,
    progress: Progress = lambda step, values: None,
    device: str = "cpu",
) -> Path:
    """Run all rounds and return the folder of the final checkpoint.

    `data` are datasets collected before; they replace the demonstrations of the first round.
    """
    check_free(out, resume)
    check_same(recipe, out)
    check_names(data)
    processor = recipe.processor()
    torch.manual_seed(recipe.train.seed)
    model = RT1(recipe.model)
    out.mkdir(parents=True, exist_ok=True)
    (out / RECIPE_FILE).write_text(json.dumps(to_json(recipe), indent=2) + "\n")
    (out / MODEL_FILE).write_text(models.describe(model), encoding="utf-8")
    stores: list[FrameStore] = []
    checkpoint = out
    for number, stage in enumerate(recipe.rounds):
        folders = list(data) if data and number == 0 else [out / "data" / f"round-{number}"]
        if not (data and number == 0):
            collect_round(recipe, number, folders[0], out, workers)
        for folder in folders:
            stores.append(open_store(folder, processor, out / "cache", skip_broken))
        sampler = WindowSampler(
            FrameStore.join(stores),
            processor,
            seed=recipe.train.seed,
            jitter=recipe.jitter,
            locate=locate_task if recipe.model.points else None,
        )
        checkpoint = train(
            recipe.train,
            model,
            sampler,
            out=out,
            describe=lambda weights: describe(recipe, processor, weights),
            evaluators=(lambda checkpoint, step: watch(recipe, checkpoint),),
            progress=progress,
            resume=resume or number > 0,
            until=stage.until,
            device=device,
        )
    return checkpoint


def check_same(recipe: Recipe, out: Path) -> None:
    """A run goes on with the network and the pictures that it began with; other weights do not fit.

    Schedules and rounds may change, as between a short run and a longer one.
    """
    kept = out / RECIPE_FILE
    if not saved_steps(out) or not kept.exists():
        return
    began, given = json.loads(kept.read_text()), json.loads(json.dumps(to_json(recipe)))
    for key in ("name", "model", "images"):
        if began[key] != given[key]:
            raise SayactError(
                f"{out} was begun with another recipe ({began['name']}; its {key} differs). Give "
                "the same recipe, with --tiny where it began so, or another --out."
            )


def check_names(data: Sequence[Path]) -> None:
    """The frame cache is kept by the names of the datasets' folders."""
    names = [folder.resolve().name for folder in data]
    if len(set(names)) < len(names):
        raise SayactError(
            f"datasets of one run need folders of different names; got {', '.join(names)}"
        )


def collect_round(recipe: Recipe, number: int, folder: Path, out: Path, workers: int) -> None:
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


def open_store(folder: Path, processor: Processor, cache: Path, skip_broken: bool) -> FrameStore:
    """The shrunk frames of a dataset, made on first use."""
    dataset = Dataset.open(folder)
    return FrameStore.build(
        dataset,
        processor.shrink,
        cache / folder.name,
        key=json.dumps(asdict(processor.images)),
        skip_broken=skip_broken,
    )


def locate_task(store: FrameStore) -> Float32[np.ndarray, "N 3 2"]:
    """Where the effector, the block to push and its goal are in the picture: what to point at."""
    board = (store.states[:, :2], store.privileged["pushed_xy"], store.privileged["goal_xy"])
    return np.stack([project(xy.astype(np.float64)) for xy in board], 1).astype(np.float32)


def describe(recipe: Recipe, processor: Processor, weights: dict[str, Tensor]) -> Checkpoint:
    """Everything that a checkpoint folder of this recipe holds."""
    return Checkpoint(
        weights=weights,
        config={
            "model": "rt1",
            "architecture": to_json(recipe.model),
            "recipe": {"name": recipe.name, "train": to_json(recipe.train)},
            "made_by": provenance(),
        },
        action_space=processor.action_space,
        processor=processor.to_json(),
        card=card(recipe, processor.action_space),
    )


def card(recipe: Recipe, space: ActionSpace) -> str:
    """The model card: what it is, how to use it, what its numbers mean."""
    dimensions = ", ".join(f"`{d.name}` {d.low:g} to {d.high:g} {d.unit}" for d in space.dimensions)
    return (
        f"# {recipe.name}\n\n"
        f"An RT-1 policy trained by Sayact's recipe `{recipe.name}` on the Language-Table task "
        f"families {', '.join(recipe.families)}, in the block mode {recipe.block_mode}.\n\n"
        "```python\n"
        'policy = sayact.load_policy("this folder")\n'
        "policy.reset()\n"
        "action = policy.act(observation)\n"
        "```\n\n"
        f"It sees pictures of {recipe.images.camera[0]} × {recipe.images.camera[1]} pixels (height "
        f"× width) and a sentence, and answers at {space.rate_hz:g} Hz in the action space "
        f"`{space.name}`: {dimensions}.\n\n"
        "How it was made stands in config.json. To measure it: `sayact eval` and this folder.\n"
    )


def watch(recipe: Recipe, content: Checkpoint) -> dict[str, float]:
    """Closed-loop success of the weights so far, on starts kept for watching."""
    protocol = Protocol(
        families=recipe.watch_families,
        episodes=recipe.watch_episodes,
        seed=WATCHING_SEED,
        block_mode=recipe.block_mode,
    )
    result = evaluate(build_policy(content), protocol, beside=(), progress=False)
    return {f"success/{name}": family.success for name, family in result.families.items()}
