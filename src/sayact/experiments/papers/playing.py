"""Every player on every suite it plays: one JSON each, so that a stop costs one at most.

OUT/played/PLAYER/SUITE.json      an `Evaluation`, as `sayact eval --suite SUITE --json` writes it
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sayact.data.layout import write_json
from sayact.evals.evaluate import evaluate, weights_of
from sayact.evals.evaluation import Evaluation, suite_protocol
from sayact.evals.findings import Played
from sayact.evals.pool import run_tasks
from sayact.evals.suites.catalogue import SUITES
from sayact.experiments.papers.plan import Plan
from sayact.experiments.papers.players import Player

FOLDER = "played"
TINY_MAX_STEPS = 4


@dataclass(frozen=True, kw_only=True)
class Round:
    """The starts of one suite, played by one player. max_steps: as the suite says unless told."""

    player: Player
    suite: str
    starts: int
    seed: int
    max_steps: int | None = None

    def file(self, out: Path) -> Path:
        return out / FOLDER / self.player.name / f"{self.suite}.json"


def rounds_of(players: Sequence[Player], plan: Plan) -> tuple[Round, ...]:
    """All that is to be played; main players first."""
    return tuple(
        Round(
            player=player,
            suite=suite,
            starts=plan.starts_of(player.tier),
            seed=plan.seed,
            max_steps=TINY_MAX_STEPS if plan.tiny else None,
        )
        for player in players
        for suite in plan.suites_of(player.tier, player.model)
    )


def missing_rounds(rounds: Sequence[Round], out: Path) -> tuple[Round, ...]:
    """Those that were not played, or on another list of starts."""
    return tuple(one for one in rounds if not _is_played(one, out))


def play_rounds(rounds: Sequence[Round], out: Path, workers: int) -> Iterator[Round]:
    """Play them; each as it is done."""
    for done, _ in run_tasks(partial(_stage, out), rounds, workers):
        yield done


@contextmanager
def _stage(out: Path) -> Iterator[Callable[[Round], None]]:
    yield partial(play, out)


def play(out: Path, one: Round) -> None:
    """Play one suite and keep what came of it."""
    evaluation = evaluate(
        one.player.policy,
        suite_protocol((one.suite,), episodes=one.starts, seed=one.seed, max_steps=one.max_steps),
        workers=0,
        beside=(),
        progress=False,
        plan_every=one.player.plan_every,
    )
    write_json(one.file(out), evaluation.to_json())


def read_round(one: Round, out: Path) -> Evaluation:
    """What `play` has kept."""
    return Evaluation.from_json(json.loads(one.file(out).read_text()))


def outcomes(rounds: Sequence[Round], out: Path) -> Played:
    """Was each start a success, by player and suite; what was not played is left out."""
    found: dict[str, dict[str, list[bool]]] = {}
    for one in rounds:
        if _is_played(one, out):
            episodes = read_round(one, out).episodes
            found.setdefault(one.player.name, {})[one.suite] = [e.success for e in episodes]
    return found


def _is_played(one: Round, out: Path) -> bool:
    """Is the file there, of this list of starts, and of this policy with these weights?

    Evaluations of before they said which weights count as being of these.
    """
    if not one.file(out).exists():
        return False
    kept = read_round(one, out)
    asked = kept.protocol
    version = kept.provenance.get("suite_versions")
    return (
        len(kept.episodes) == one.starts
        and asked.seed == one.seed
        and kept.policy == one.player.policy
        and kept.provenance.get("weights") in (None, weights_of(one.player.policy))
        and version == f"{one.suite} {SUITES[one.suite].version}"
    )
