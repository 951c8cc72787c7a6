"""How sure a success rate is. Plain counting statistics, so that no number stands alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Two-sided 95 % point of the normal distribution; every interval of this project uses it.
Z95 = 1.959963984540054

Interval = tuple[float, float]


def wilson(successes: int, episodes: int) -> Interval:
    """95 % score interval of a proportion (Wilson, 1927): honest for few episodes and near 0 and 1.

    Nothing observed tells nothing: zero episodes give (0, 1).
    """
    if not 0 <= successes <= episodes:
        raise ValueError(f"{successes} successes in {episodes} episodes cannot be")
    if episodes == 0:
        return 0.0, 1.0
    rate = successes / episodes
    shrink = 1 + Z95**2 / episodes
    middle = (rate + Z95**2 / (2 * episodes)) / shrink
    spread = rate * (1 - rate) / episodes + Z95**2 / (4 * episodes**2)
    half = Z95 * math.sqrt(spread) / shrink
    # At 0 and 1 the bound equals the rate; rounding must not push it past.
    return max(0.0, min(rate, middle - half)), min(1.0, max(rate, middle + half))


def mean_interval(
    counts: Sequence[tuple[int, int]], weights: Sequence[float] | None = None
) -> Interval:
    """95 % interval of the mean of several rates, from (successes, episodes) of each.

    It covers the chance of episodes within these families, not the choice of families. `weights`
    sum to 1; all the same unless given.
    """
    shares = weights or [1 / len(counts)] * len(counts)
    rates = [(successes / episodes, wilson(successes, episodes)) for successes, episodes in counts]
    _, (low, high) = _weighted_sum(rates, shares)
    return max(0.0, low), min(1.0, high)


def _weighted_sum(
    estimates: Sequence[tuple[float, Interval]], weights: Sequence[float]
) -> tuple[float, Interval]:
    """The sum of independent estimates with their intervals, and its interval.

    Squared distances to the bounds add up like variances (MOVER; Donner and Zou, 2012), so rates of
    exactly 0 or 1 still carry their doubt.
    """
    total, below, above = 0.0, 0.0, 0.0
    for (estimate, (low, high)), weight in zip(estimates, weights, strict=True):
        total += weight * estimate
        below = math.hypot(below, weight * (estimate - low))
        above = math.hypot(above, weight * (high - estimate))
    return total, (total - below, total + above)


@dataclass(frozen=True, kw_only=True)
class Paired:
    """Two policies on the same starts. `difference` is the first rate minus the second."""

    episodes: int
    only_first: int
    only_second: int
    difference: float
    interval: Interval
    p_value: float


def paired(first: Sequence[bool], second: Sequence[bool]) -> Paired:
    """Compare two policies start by start: only episodes with different outcomes count.

    The p-value is McNemar's exact one (two-sided binomial over the discordant episodes); the 95 %
    interval is Agresti and Min's (2005), which adds half an episode to each of the four outcomes.
    """
    if len(first) != len(second) or not first:
        raise ValueError(f"pairs need two equal, non-empty lists; got {len(first)}, {len(second)}")
    only_first = sum(a and not b for a, b in zip(first, second, strict=True))
    only_second = sum(b and not a for a, b in zip(first, second, strict=True))
    episodes = len(first)
    # Agresti-Min: discordant cells b + 1/2 and c + 1/2 out of n + 2.
    wins, losses, total = only_first + 0.5, only_second + 0.5, episodes + 2
    middle = (wins - losses) / total
    half = Z95 * math.sqrt(wins + losses - (wins - losses) ** 2 / total) / total
    return Paired(
        episodes=episodes,
        only_first=only_first,
        only_second=only_second,
        difference=(only_first - only_second) / episodes,
        interval=(max(-1.0, middle - half), min(1.0, middle + half)),
        p_value=_sign_test(only_first, only_second),
    )


@dataclass(frozen=True, kw_only=True)
class PairedMeans:
    """Two policies on the same starts of several suites; first, second: the means of their rates.

    `difference` is the first mean minus the second, `ratio` the first over the second.
    """

    episodes: int
    first: float
    second: float
    difference: float
    interval: Interval
    p_value: float
    ratio: float
    ratio_interval: Interval


# A suite's outcomes of the first and of the second policy, start by start.
PairedOutcomes = tuple[Sequence[bool], Sequence[bool]]


def paired_means(
    suites: Sequence[PairedOutcomes],
    rng: np.random.Generator,
    weights: Sequence[float] | None = None,
    draws: int = 4000,
) -> PairedMeans:
    """Compare the means of several suites on the same starts; `weights` as in `mean_interval`.

    The difference's 95 % interval puts the suites' Agresti-Min intervals together as
    `mean_interval` does those of rates. The p-value is McNemar's exact one over the discordant
    starts of all suites. `rng` draws the bootstrap of the ratio.
    """
    shares = weights or [1 / len(suites)] * len(suites)
    pairs = [paired(first, second) for first, second in suites]
    first, second = (
        sum(
            share * float(np.mean(outcomes[i]))
            for share, outcomes in zip(shares, suites, strict=True)
        )
        for i in (0, 1)
    )
    differences = [(pair.difference, pair.interval) for pair in pairs]
    difference, (low, high) = _weighted_sum(differences, shares)
    ratio, ratio_interval = _ratio(suites, shares, rng, draws)
    return PairedMeans(
        episodes=sum(pair.episodes for pair in pairs),
        first=first,
        second=second,
        difference=difference,
        interval=(max(-1.0, low), min(1.0, high)),
        p_value=_sign_test(sum(p.only_first for p in pairs), sum(p.only_second for p in pairs)),
        ratio=ratio,
        ratio_interval=ratio_interval,
    )


def _ratio(
    suites: Sequence[PairedOutcomes],
    shares: Sequence[float],
    rng: np.random.Generator,
    draws: int,
) -> tuple[float, Interval]:
    """Of the two means, with the 95 % percentile interval of starts drawn anew within each suite.

    Half a success among all starts is added to both means, lest something be divided by nothing.
    """
    means = np.full((draws + 1, 2), 0.5 / sum(len(first) for first, _ in suites))
    for share, outcomes in zip(shares, suites, strict=True):
        played = np.array(outcomes, float)  # (2, starts)
        starts = played.shape[1]
        drawn = rng.integers(starts, size=(draws, starts))
        means[0] += share * played.mean(1)
        means[1:] += share * played[:, drawn].mean(2).T
    ratios = means[:, 0] / means[:, 1]
    low, high = np.quantile(ratios[1:], (0.025, 0.975))
    return float(ratios[0]), (float(low), float(high))


def _sign_test(wins: int, losses: int) -> float:
    """Chance of a split at least this uneven when both outcomes are equally likely."""
    total = wins + losses
    tail = sum(math.comb(total, k) for k in range(min(wins, losses) + 1))
    return min(1.0, 2 * tail / 2**total)


def percent(rate: float, interval: Interval) -> str:
    """How this project writes a rate and its interval in percent: `94 (84–98)`."""
    low, high = interval
    return f"{100 * rate:.0f} ({100 * low:.0f}–{100 * high:.0f})"
