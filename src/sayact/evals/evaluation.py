"""What an evaluation is: the protocol asked for, the episodes played, and what they add up to."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from sayact.evals.rollouts import EpisodeResult
from sayact.evals.statistics import Interval, Paired, mean_interval, paired, wilson

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
# A language model's also says how often it planned, where that was asked for.
PROVENANCE = ("version", "commit", "command", "hardware", "computed_by", "plan_every")


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
class Protocol:
    """What was asked. `seed` and `max_steps` are the official script's: seed 0, 200 steps."""

    world: str = "language_table"
    families: tuple[str, ...] = ALL_FAMILIES
    episodes: int = 50
    seed: int = 0
    max_steps: int = 200
    block_mode: str = "BLOCK_8"


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The episodes of one policy, ordered by family and index, and those played for comparison."""

    policy: str
    protocol: Protocol
    episodes: tuple[EpisodeResult, ...]
    provenance: dict[str, str]
    date: str
    seconds: float
    beside: tuple["Evaluation", ...] = ()

    @cached_property
    def families(self) -> dict[str, FamilyResult]:
        found = {
            family: [e for e in self.episodes if e.family == family]
            for family in self.protocol.families
        }
        return {family: summarise(episodes) for family, episodes in found.items()}

    @property
    def mean_families(self) -> tuple[str, ...]:
        """The families behind the headline: the official ones, or all when none of them ran."""
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

    def against(self, other: "Evaluation") -> Paired:
        """Start by start against another policy of the same protocol."""
        return paired([e.success for e in self.episodes], [e.success for e in other.episodes])

    def to_json(self) -> dict[str, Any]:
        return {
            "policy": self.policy,
            "families": {name: family.to_json() for name, family in self.families.items()},
            "mean_success": self.mean_success,
            "mean_interval": self.mean_interval,
            "mean_families": self.mean_families,
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
        asked["families"] = tuple(asked["families"])
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
