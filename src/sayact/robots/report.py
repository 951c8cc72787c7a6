"""What a run was: counted while it goes on, told while it goes on and at its end."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from sayact.schema import Action

Outcome = Literal["done", "failed", "ended by the policy", "time is up", "stopped"]


@dataclass(kw_only=True)
class Counts:
    """Of one episode, growing.

    ticks: moments at which an action was due.
    steps: at which one of the policy was applied; in a dry run, would have been.
    holds: at which none was there, and the robot was held.
    overruns: at which it was not there in time: applied late, or held.
    stale: answers that came too late to be used at all.
    missed: moments that passed while a call to the robot had not returned.
    errors: what the policy raised instead of answering, by name.
    """

    ticks: int = 0
    steps: int = 0
    holds: int = 0
    overruns: int = 0
    stale: int = 0
    missed: int = 0
    errors: Counter[str] = field(default_factory=Counter[str])


@dataclass(frozen=True, kw_only=True)
class Status:
    """A running episode as a person watches it.

    hz: of the last few actions. action: None while the robot is held. clamped: numbers so far.
    """

    instruction: str
    counts: Counts
    clamped: int
    hz: float
    latency_ms: float
    seconds: float
    action: Action | None
    success: bool | None


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """A finished episode.

    success: as the world or a person tells; None: nobody did.
    latency_ms: from just before the camera is read to the action at hand, of every answer in order.
    lateness_ms: of every tick, how long after its moment the loop came to it.
    recorded: indices of the episodes in the dataset, one for each sentence.
    """

    instructions: tuple[str, ...]
    outcome: Outcome
    reason: str
    success: bool | None
    seconds: float
    hz: float
    counts: Counts
    clamped: dict[str, int]
    latency_ms: tuple[float, ...]
    lateness_ms: tuple[float, ...]
    dry_run: bool
    recorded: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """For people's files: figures of the latencies in place of each."""
        counted = {**vars(self.counts), "errors": dict(self.counts.errors)}
        lists = {"latency_ms": self.latency_ms, "lateness_ms": self.lateness_ms}
        return {
            **vars(self),
            "counts": counted,
            **{name: figures(values) for name, values in lists.items()},
        }


def figures(values: Sequence[float]) -> dict[str, float] | None:
    """Mean, median, two high percentiles and the maximum; None of nothing."""
    if not values:
        return None
    p50, p95, p99 = np.percentile(values, [50, 95, 99]).tolist()
    return {
        "mean": float(np.mean(values)),
        "p50": p50,
        "p95": p95,
        "p99": p99,
        "max": float(max(values)),
    }
