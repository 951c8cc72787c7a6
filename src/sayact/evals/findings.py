"""Does a paper's finding hold here? Said by intervals of what was played, never by hand.

Finding: "co-fine-tuned beats fine-tuned on what is unseen"   first, second, suites
    + Played: player → suite → outcome of every start  ─▶  Verdict: held ▷ did not hold ▷
                                                           not distinguishable ▷ not measured
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from sayact.evals.statistics import (
    Interval,
    PairedMeans,
    PairedOutcomes,
    mean_interval,
    paired_means,
)

# player → suite → was start 0, 1, 2 … a success
Played = Mapping[str, Mapping[str, Sequence[bool]]]

Word = Literal["held", "did not hold", "not distinguishable", "not measured"]
CHANCE = "random"  # the player whose success is chance
BOOTSTRAP_SEED = 0


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One claim of a paper that can be put as: `first` succeeds more often than `second`.

    over: the suites over whose mean, and how much each counts. paper: its numbers and where they
    stand. differs: what is not the same here. at_least: for a claim about `first` alone, the
    success that it must reach; then there is no `second`.
    """

    name: str
    claim: str
    paper: str
    first: str
    second: str | None = None
    over: Mapping[str, float]
    differs: str = ""
    at_least: float | None = None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came of it. compared: the two policies; None for a claim about one alone.

    rate, interval: of `first`. suites: those that both played. reason: why it is not more.
    """

    word: Word
    suites: tuple[str, ...] = ()
    rate: float = 0.0
    interval: Interval = (0.0, 1.0)
    compared: PairedMeans | None = None
    reason: str = ""


def judge(finding: Finding, played: Played) -> Verdict:
    """The verdict on a finding.

    It holds where the 95 % interval of the difference lies above zero, and does not where it lies
    below. Where neither policy is distinguishable from random play, nothing is claimed.
    """
    players = [finding.first, *([finding.second] if finding.second else [])]
    over = common(players, finding.over, played)
    if not over:
        return Verdict(word="not measured")
    outcomes = [played[finding.first][suite] for suite in over]
    shares = tuple(over.values())
    rate = sum(w * float(np.mean(won)) for w, won in zip(shares, outcomes, strict=True))
    interval = mean_interval([(sum(won), len(won)) for won in outcomes], shares)
    verdict = Verdict(word="held", suites=tuple(over), rate=rate, interval=interval)
    if finding.second is None:
        return replace(verdict, word=_above(interval, finding.at_least or 0.0))
    compared = compare(finding.first, finding.second, over, played)
    if all(at_chance(player, over, played) for player in players):
        reason = "neither is above random play"
        return replace(verdict, word="not distinguishable", compared=compared, reason=reason)
    return replace(verdict, word=_above(compared.interval, 0.0), compared=compared)


def compare(first: str, second: str, over: Mapping[str, float], played: Played) -> PairedMeans:
    """Two players on the starts of these suites that both have played."""
    pairs: list[PairedOutcomes] = []
    for suite in over:
        one, other = played[first][suite], played[second][suite]
        starts = min(len(one), len(other))  # who played more starts began with the same ones
        pairs.append((one[:starts], other[:starts]))
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    return paired_means(pairs, rng, tuple(over.values()))


def common(players: Sequence[str], over: Mapping[str, float], played: Played) -> dict[str, float]:
    """Of the suites, those that all of the players played, with weights that sum to 1 again."""
    found = {
        suite: weight
        for suite, weight in over.items()
        if all(played.get(player, {}).get(suite) for player in players)
    }
    total = sum(found.values())
    return {suite: weight / total for suite, weight in found.items()}


def at_chance(player: str, over: Mapping[str, float], played: Played) -> bool:
    """Is its mean not above that of random play, as far as the starts can tell?

    Where random play was not measured, nobody is said to be at chance.
    """
    measured = common((player, CHANCE), over, played)
    return bool(measured) and compare(player, CHANCE, measured, played).interval[0] <= 0


def _above(interval: Interval, bar: float) -> Word:
    low, high = interval
    if low > bar or (bar > 0 and low >= bar):
        return "held"
    return "did not hold" if high < bar else "not distinguishable"
