"""How sure a success rate is. Plain counting statistics, so that no number stands alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

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


def mean_interval(counts: Sequence[tuple[int, int]]) -> Interval:
    """95 % interval of the unweighted mean of several rates, from (successes, episodes) of each.

    The squared distances from each rate to its Wilson bounds add up like variances (MOVER; Donner
    and Zou, 2012), so rates of exactly 0 or 1 still carry their doubt. It covers the chance of
    episodes within these families, not the choice of families.
    """
    rates = [successes / episodes for successes, episodes in counts]
    bounds = [wilson(successes, episodes) for successes, episodes in counts]
    mean = sum(rates) / len(rates)
    below = math.hypot(*(r - low for r, (low, _) in zip(rates, bounds, strict=True)))
    above = math.hypot(*(high - r for r, (_, high) in zip(rates, bounds, strict=True)))
    return max(0.0, mean - below / len(rates)), min(1.0, mean + above / len(rates))


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


def _sign_test(wins: int, losses: int) -> float:
    """Chance of a split at least this uneven when both outcomes are equally likely."""
    total = wins + losses
    tail = sum(math.comb(total, k) for k in range(min(wins, losses) + 1))
    return min(1.0, 2 * tail / 2**total)


def percent(rate: float, interval: Interval) -> str:
    """How this project writes a rate and its interval in percent: `94 (84–98)`."""
    low, high = interval
    return f"{100 * rate:.0f} ({100 * low:.0f}–{100 * high:.0f})"
