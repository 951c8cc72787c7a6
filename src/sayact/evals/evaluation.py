"""What an evaluation is: the protocol asked for, the episodes played, and what they add up to."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from sayact.evals.rollouts import EpisodeResult
from sayact.evals.statistics import Interval, Paired, mean_interval, paired, wilson
from sayact.evals.suites.means import means_of

# The five families that the official evaluation script of Language-Table (commit 5b7bf0e) plays, in
# its order. Their mean is the headline; the other two are reported beside it.
OFFICIAL_FAMILIES: tuple[str, ...] = (
    "block2block",
    "block2absolute",
    "block2relative",
    "block2block_relative",
    "separate",
)
ALL_FAMILIES: tuple[str, ...] = (*OFFICIAL_FAMILIES, "point2block", "block1_to_corner")


# What an evaluation says of how it was made; the oldest do not say what computed the network.
# A language model's also says how often it planned, where that was asked for; one of suites, which
# versions of them were played; one of a checkpoint, the digest of its weights.
PROVENANCE = (
    "version",
    "commit",
    "command",
    "hardware",
    "computed_by",
    "plan_every",
    "suite_versions",
    "weights",
)

# Steps of an episode of a family: the official script's. A suite knows its own.
FAMILY_STEPS = 200


@dataclass(frozen=True, kw_only=True)
class FamilyResult:
    """`mean_steps` counts every episode, failures with all they took."""

    successes: int
    episodes: int
    interval: Interval
    mean_steps: float
    mean_steps_of_successes: float | None
    errors: int

    @property
    def success(self) -> float:
        return self.successes / self.episodes

    def to_json(self) -> dict[str, Any]:
        return {"success": self.success, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class MeanResult:
    """The mean of several suites (`suites.means`)."""

    success: float
    interval: Interval


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """What was asked: families of tasks, or suites. Seed 0 and 200 steps are the official script's.

    suites: where there are any, they are played and nothing else; `families` is empty then, and
        `block_mode` says nothing: a suite lays its own table.
    max_steps: None for as many as each suite says.
    """

    world: str = "language_table"
    families: tuple[str, ...] = ALL_FAMILIES
    episodes: int = 50
    seed: int = 0
    max_steps: int | None = FAMILY_STEPS
    block_mode: str = "BLOCK_8"
    suites: tuple[str, ...] = ()

    @property
    def parts(self) -> tuple[str, ...]:
        """What successes are counted by, in the order of tables."""
        return self.suites or self.families


def suite_protocol(
    suites: Sequence[str], *, episodes: int = 50, seed: int = 0, max_steps: int | None = None
) -> Protocol:
    """To play suites, each with its own number of steps unless told."""
    return Protocol(
        families=(), suites=tuple(suites), episodes=episodes, seed=seed, max_steps=max_steps
    )


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The episodes of one policy, ordered by part and index, and those played for comparison.

    A part is a family or, where suites were played, a suite; `EpisodeResult.family` names it.
    """

    policy: str
    protocol: Protocol
    episodes: tuple[EpisodeResult, ...]
    provenance: dict[str, str]
    date: str
    seconds: float
    beside: tuple["Evaluation", ...] = ()

    @cached_property
    def families(self) -> dict[str, FamilyResult]:
        """Counts by part."""
        return {part: summarise(self.played(part)) for part in self.protocol.parts}

    @cached_property
    def means(self) -> dict[str, MeanResult]:
        """Of suites, where all that belong to a mean were played."""
        return {mean.name: self._mean_of(mean.weights) for mean in means_of(self.protocol.suites)}

    def _mean_of(self, weights: Mapping[str, float]) -> MeanResult:
        parts = [self.families[suite] for suite in weights]
        shares = tuple(weights.values())
        return MeanResult(
            success=sum(w * p.success for w, p in zip(shares, parts, strict=True)),
            interval=mean_interval([(p.successes, p.episodes) for p in parts], shares),
        )

    def played(self, *parts: str) -> list[EpisodeResult]:
        """The episodes of these parts."""
        return [e for e in self.episodes if e.family in parts]

    @property
    def mean_families(self) -> tuple[str, ...]:
        """The parts behind the headline: the official families, or all when none of them ran."""
        return tuple(f for f in self.families if f in OFFICIAL_FAMILIES) or tuple(self.families)

    @property
    def mean_success(self) -> float:
        return sum(self.families[f].success for f in self.mean_families) / len(self.mean_families)

    @property
    def mean_interval(self) -> Interval:
        chosen = [self.families[f] for f in self.mean_families]
        return mean_interval([(f.successes, f.episodes) for f in chosen])

    @property
    def control_hz(self) -> float:
        """Actions a second the policy can answer: one process, one thread, no waiting."""
        seconds = sum(e.acting_seconds for e in self.episodes)
        return sum(e.steps for e in self.episodes) / max(seconds, 1e-9)

    @property
    def illegal(self) -> float | None:
        """Mean probability that a language model gave to what is no action, over all steps."""
        steps = [(e.illegal, e.steps) for e in self.episodes if e.illegal is not None]
        total = sum(count for _, count in steps)
        return sum(mass * count for mass, count in steps) / total if total else None

    def against(self, other: "Evaluation", *parts: str) -> Paired:
        """Start by start against another policy of the same protocol; all parts unless told."""
        mine, theirs = (one.played(*(parts or self.protocol.parts)) for one in (self, other))
        return paired([e.success for e in mine], [e.success for e in theirs])

    def to_json(self) -> dict[str, Any]:
        return {
            "policy": self.policy,
            "families": {name: family.to_json() for name, family in self.families.items()},
            "mean_success": self.mean_success,
            "mean_interval": self.mean_interval,
            "mean_families": self.mean_families,
            "means": {name: asdict(mean) for name, mean in self.means.items()},
            "control_hz": round(self.control_hz, 1),
            "illegal": self.illegal,
            "world": self.protocol.world,
            "seed": self.protocol.seed,
            "protocol": asdict(self.protocol),
            "date": self.date,
            "seconds": round(self.seconds, 1),
            **self.provenance,
            "beside": {e.policy: e.to_json() for e in self.beside},
            "against": {e.policy: asdict(self.against(e)) for e in self.beside},
            "episodes": [asdict(e) for e in self.episodes],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Evaluation":
        asked = dict(data["protocol"])
        asked |= {key: tuple(asked[key]) for key in ("families", "suites") if key in asked}
        return cls(
            policy=data["policy"],
            protocol=Protocol(**asked),
            episodes=tuple(EpisodeResult(**e) for e in data["episodes"]),
            provenance={k: data[k] for k in PROVENANCE if k in data},
            date=data["date"],
            seconds=data["seconds"],
            beside=tuple(cls.from_json(e) for e in data["beside"].values()),
        )


def summarise(episodes: Sequence[EpisodeResult]) -> FamilyResult:
    """Counts of one family; there must be at least one episode."""
    won = [e.steps for e in episodes if e.success]
    return FamilyResult(
        successes=len(won),
        episodes=len(episodes),
        interval=wilson(len(won), len(episodes)),
        mean_steps=sum(e.steps for e in episodes) / len(episodes),
        mean_steps_of_successes=sum(won) / len(won) if won else None,
        errors=sum(e.error is not None for e in episodes),
    )
