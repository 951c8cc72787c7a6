"""What an RT-2 experiment is made of: data and their shares, network, schedule, gates.

`experiments.rt2_runs` runs it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from sayact.codecs.action_words import Vocabulary
from sayact.experiments.recipe import Experiment, Round
from sayact.models.vlms.adapters import LoraConfig
from sayact.models.vlms.nano_config import NanoConfig

# What a mixture can be made of.
ROBOT, ROBOT_QUESTIONS, WEB = "robot", "robot questions", "web"
SOURCES = (ROBOT, ROBOT_QUESTIONS, WEB)


@dataclass(frozen=True, kw_only=True)
class Hub:
    """A pretrained backbone of the Hugging Face hub, by its name or a folder."""

    name: str
    lora: LoraConfig | None = None
    checkpointing: bool = False
    dtype: Literal["float32", "bfloat16"] = "float32"


@dataclass(frozen=True, kw_only=True)
class Gate:
    """A phase is over once a number of the log is at least so high (`sayact.evals.answers`)."""

    number: str
    at_least: float


@dataclass(frozen=True, kw_only=True)
class Phase(Round):
    """Train up to step `until` with shares of these sources; sooner where the gate opens.

    mixture: source → weight. A phase with `episodes` collects them first, as a round does.
    """

    mixture: Mapping[str, float]
    gate: Gate | None = None
    episodes: int = 0


@dataclass(frozen=True, kw_only=True)
class Web:
    """The embedded web that is drawn for a run, unless it is given one.

    kinds: weights of kinds of questions, of all pictures alike unless told. languages: only these.
    """

    pictures: int = 40_000
    pages: int = 20_000
    objects: Literal["all", "robot"] = "all"
    seed: int = 0
    kinds: Mapping[str, float] | None = None
    languages: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class RT2Recipe(Experiment):
    """One reproducible experiment with RT-2 on Language-Table.

    action_words: how actions are written (`sayact.codecs.action_words`). soft_actions, soft_places:
    standard deviation, in bins, of the target about the right action or place; 0 is one-hot.
    plan_share: of the robot examples, with a plan. held_out: answers of each kind and scene that
    are measured at every evaluation, on pictures never learned from. bfloat16: keep the weights of
    checkpoints so; what training goes on from stays float32. frozen: parts of the network, such as
    "vlm.eyes", that stay as they are in the checkpoint that the run begins with.
    """

    vlm: NanoConfig | Hub
    rounds: tuple[Phase, ...]
    action_words: Vocabulary = "numeric"
    action_bins: int | None = None
    soft_actions: float = 0.0
    soft_places: float = 0.0
    web: Web = field(default_factory=Web)
    plan_share: float = 0.0
    held_out: int = 100
    bfloat16: bool = True
    frozen: tuple[str, ...] = ()

    def learns_from(self, source: str) -> bool:
        """Is it part of any phase's mixture?"""
        return any(source in phase.mixture for phase in self.rounds)


def tiny(recipe: RT2Recipe) -> RT2Recipe:
    """The same path in a minute: few pictures, episodes and steps, a narrow network of few layers.

    A backbone of the hub stays as it is. Phases run to their last step: the two pictures held out
    of so few do not hold every kind of question that a gate may wait for.
    """
    vlm = recipe.vlm
    if isinstance(vlm, NanoConfig):
        vlm = replace(vlm, width=64, layers=1, heads=2, hidden=64, reader_layers=1, stem_layers=1)
    last = len(recipe.rounds) - 1
    phases = tuple(
        replace(phase, until=20 * (i + 1), episodes=min(phase.episodes, 4), gate=None)
        for i, phase in enumerate(recipe.rounds)
    )
    steps = phases[last].until
    train = replace(
        recipe.train,
        steps=steps,
        frames_a_step=min(recipe.train.frames_a_step, 12),
        warmup_steps=min(recipe.train.warmup_steps, 5),
        log_every=5,
        evaluate_every=20,
        checkpoint_every=10,
    )
    return replace(
        recipe,
        vlm=vlm,
        rounds=phases,
        train=train,
        web=replace(recipe.web, pictures=60, pages=40),
        held_out=2,
        watch_families=recipe.watch_families[:1],
        watch_episodes=min(recipe.watch_episodes, 1),
        tiny=True,
    )
