"""Evaluations made by hand, for tests that need no world."""

from sayact.evals.evaluation import Evaluation, Protocol
from sayact.evals.rollouts import EpisodeResult

PROVENANCE = {"version": "0", "commit": "c0ffee", "command": "sayact eval", "hardware": "a machine"}


def made(won: dict[str, int], episodes: int = 10, policy: str = "random") -> Evaluation:
    """`won` successes of every family, the first ones; episode i takes 50 + i steps."""
    played = [
        EpisodeResult(
            family=family,
            index=index,
            seed=index,
            instruction="push it",
            success=index < successes,
            steps=50 + index,
            acting_seconds=0.5,
        )
        for family, successes in won.items()
        for index in range(episodes)
    ]
    return Evaluation(
        policy=policy,
        protocol=Protocol(families=tuple(won), episodes=episodes),
        episodes=tuple(played),
        provenance=PROVENANCE,
        date="2026-01-01T00:00:00+00:00",
        seconds=1.0,
    )
