"""What an experiment is made of: data, network, pictures, schedule. `experiments.runs` runs it."""

from dataclasses import dataclass, replace

from sayact.codecs import ImageCodec, Processor, UniformBins
from sayact.data.augmentation import ColourJitter, PadThenCrop
from sayact.experiments.episodes import Chosen
from sayact.models.rt1 import RT1Config
from sayact.schema import LANGUAGE_TABLE
from sayact.train import TrainConfig

OFFICIAL_JITTER = ColourJitter()


@dataclass(frozen=True, kw_only=True)
class Round:
    """Collect `episodes` of `families` (the recipe's by default), then train up to step `until`."""

    episodes: int
    until: int
    follow: bool = False  # the policy acts and the oracle labels
    families: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What all recipes on Language-Table have.

    noise: share of steps at which the demonstrating oracle gets a kick. chosen: of the episodes,
    which are learned from. watch_episodes: closed-loop episodes of each of `watch_families` at
    every evaluation during training; none: it is not watched. jitter: what the colours of training
    pictures go through. tiny: made by `tiny`, which its checkpoints say of themselves.
    """

    name: str
    images: ImageCodec
    train: TrainConfig
    rounds: tuple[Round, ...]
    families: tuple[str, ...]
    block_mode: str = "BLOCK_8"
    noise: float = 0.1
    chosen: Chosen = Chosen()  # noqa: RUF009 - frozen
    watch_families: tuple[str, ...] = ("block2block",)
    watch_episodes: int = 20
    jitter: ColourJitter | None = OFFICIAL_JITTER
    tiny: bool = False


@dataclass(frozen=True, kw_only=True)
class Recipe(Experiment):
    """One reproducible experiment with RT-1.

    shift: what training pictures go through, besides random crops where `images` leaves them room.
    pretrained: begin with ImageNet weights in the backbone where there are any
    (`experiments.pretrained`). rephrased: share of windows whose sentence is said in other words
    (`experiments.rephrasing`).
    """

    model: RT1Config
    shift: PadThenCrop | None = None
    pretrained: bool = False
    rephrased: float = 0.0

    def processor(self) -> Processor:
        return Processor(
            images=self.images,
            actions=UniformBins(action_space=LANGUAGE_TABLE, bins=self.model.bins),
        )


def tiny(recipe: Recipe) -> Recipe:
    """The same path in minutes: few episodes, few steps, small pictures, a narrow transformer of
    one layer. The backbone stays as it is, so a tiny EfficientNet-B3 has 15 million parameters."""
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
        warmup_steps=min(recipe.train.warmup_steps, 5),
        log_every=5,
        evaluate_every=last,
        checkpoint_every=10,
    )
    return replace(recipe, model=model, rounds=rounds, train=steps, watch_episodes=2, tiny=True)
