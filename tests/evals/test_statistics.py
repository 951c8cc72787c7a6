"""Intervals against published values and against their own definition."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayact.evals.statistics import Z95, mean_interval, paired, percent, wilson

counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("successes", "episodes", "low", "high"),
    [
        # Newcombe 1998, table I, the score method without continuity correction.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        # Random play on "separate", 9 of 20, as measured in the original simulator: 26-66 %.
        (9, 20, 0.2582, 0.6579),
    ],
)
def test_wilson_against_published_values(
    successes: int, episodes: int, low: float, high: float
) -> None:
    assert wilson(successes, episodes) == pytest.approx((low, high), abs=1e-4)


@given(counts)
def test_wilson_bounds_solve_the_score_equation(count: tuple[int, int]) -> None:
    successes, episodes = count
    rate = successes / episodes
    low, high = wilson(successes, episodes)
    assert 0 <= low <= rate <= high <= 1
    for bound in (low, high):
        if 0 < bound < 1:
            error = Z95 * math.sqrt(bound * (1 - bound) / episodes)
            assert abs(rate - bound) == pytest.approx(error, rel=1e-6, abs=1e-9)


def test_wilson_knows_nothing_without_episodes_and_refuses_nonsense() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="cannot be"):
        wilson(3, 2)


@given(counts)
def test_mean_of_one_family_is_its_wilson_interval(count: tuple[int, int]) -> None:
    assert mean_interval([count]) == pytest.approx(wilson(*count))


def test_mean_of_many_families_is_surer_than_one() -> None:
    one, five = mean_interval([(40, 50)]), mean_interval([(40, 50)] * 5)
    assert five[1] - five[0] == pytest.approx((one[1] - one[0]) / math.sqrt(5))
    assert mean_interval([(50, 50)] * 5)[0] < 1  # perfect families leave doubt


def test_paired_counts_only_what_differs() -> None:
    first = [True] * 12 + [False] * 4 + [True] * 30
    second = [False] * 12 + [True] * 4 + [True] * 30
    result = paired(first, second)
    assert (result.only_first, result.only_second) == (12, 4)
    assert result.difference == pytest.approx(8 / 46)
    # 2 * sum of C(16, k) for k = 0..4, over 2^16.
    assert result.p_value == pytest.approx(2 * 2517 / 65536)
    low, high = result.interval
    assert low < result.difference < high


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1))
def test_paired_is_antisymmetric(pairs: list[tuple[bool, bool]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    there, back = paired(first, second), paired(second, first)
    assert there.difference == -back.difference
    assert there.p_value == back.p_value
    assert there.interval == pytest.approx((-back.interval[1], -back.interval[0]))
    assert 0 < there.p_value <= 1


def test_percent_is_written_one_way() -> None:
    assert percent(0.94, (0.838, 0.979)) == "94 (84–98)"
