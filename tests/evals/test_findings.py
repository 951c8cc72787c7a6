"""Verdicts on findings: said by intervals, and only above chance."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from sayact.evals.bar_charts import Bars, Panel, draw_panel, draw_panels, panels_figure
from sayact.evals.findings import Finding, Played, compare, judge
from sayact.evals.statistics import mean_interval, paired, paired_means

OVER = {"seen": 0.5, "symbols": 0.5}
BETTER = Finding(
    name="a", claim="one beats other", paper="", first="one", second="other", over=OVER
)


def outcomes(won: int, starts: int = 40) -> list[bool]:
    return [index < won for index in range(starts)]


def played(one: int, other: int, chance: int = 0, starts: int = 40) -> Played:
    """So many successes in both suites."""
    counts = {"one": one, "other": other, "random": chance}
    return {name: dict.fromkeys(OVER, outcomes(count, starts)) for name, count in counts.items()}


@pytest.mark.parametrize(
    ("one", "other", "word"),
    [
        (36, 10, "held"),
        (10, 36, "did not hold"),
        (20, 19, "not distinguishable"),
        (1, 0, "not distinguishable"),
    ],
)
def test_a_finding_holds_where_the_interval_is_above_zero(one, other, word):
    verdict = judge(BETTER, played(one, other))
    assert verdict.word == word
    assert verdict.compared is not None
    assert verdict.compared.difference == pytest.approx((one - other) / 40)
    assert verdict.rate == pytest.approx(one / 40)


def test_nothing_is_claimed_at_chance():
    """Random play does as well as the better of the two."""
    verdict = judge(BETTER, played(30, 10, chance=30))
    assert verdict.word == "not distinguishable"
    assert "random play" in verdict.reason
    assert judge(BETTER, played(30, 10)).word == "held"


def test_what_was_not_played_is_not_measured():
    some = {name: suites for name, suites in played(30, 10).items() if name != "other"}
    assert judge(BETTER, some).word == "not measured"


def test_only_suites_that_both_played_are_compared_and_their_weights_sum_to_one():
    found = {name: dict(suites) for name, suites in played(30, 10).items()}
    del found["other"]["symbols"]
    verdict = judge(BETTER, found)
    assert verdict.suites == ("seen",)
    assert verdict.compared is not None
    assert verdict.compared.difference == pytest.approx(0.5)


def test_who_played_more_starts_is_compared_on_the_first_ones():
    found = {"one": {"seen": outcomes(10, 40)}, "other": {"seen": outcomes(0, 10)}}
    assert compare("one", "other", {"seen": 1.0}, found).difference == 1.0


@pytest.mark.parametrize(
    ("won", "word"), [(39, "held"), (10, "did not hold"), (30, "not distinguishable")]
)
def test_a_bar_is_reached_by_the_whole_interval(won, word):
    bar = Finding(name="b", claim="", paper="", first="one", over=OVER, at_least=0.75)
    assert judge(bar, played(won, 0)).word == word


def test_one_suite_is_compared_as_ever(rng):
    first, second = outcomes(30), outcomes(12)[::-1]
    whole, pair = paired_means([(first, second)], rng), paired(first, second)
    assert whole.interval == pytest.approx(pair.interval)
    assert (whole.difference, whole.p_value) == (pair.difference, pair.p_value)


def test_suites_count_by_their_weights(rng):
    suites = [(outcomes(40), outcomes(0)), (outcomes(0), outcomes(0))]
    assert paired_means(suites, rng).difference == pytest.approx(0.5)
    assert paired_means(suites, rng, (0.9, 0.1)).first == pytest.approx(0.9)
    low, high = paired_means(suites, rng, (0.9, 0.1)).interval
    assert low < 0.9 < high


def test_intervals_of_differences_and_ratios_cover_what_is_true():
    """Of 150 experiments of three suites, some 95 % of the intervals hold the truth."""
    rng = np.random.default_rng(1)
    rates = [(0.8, 0.4), (0.5, 0.2), (0.6, 0.3)]
    truth = np.mean(rates, 0)
    differences = ratios = 0
    for _ in range(150):
        suites = [tuple((rng.random(20) < rate).tolist() for rate in pair) for pair in rates]
        found = paired_means(suites, rng, draws=400)  # pyright: ignore[reportArgumentType]
        differences += found.interval[0] <= truth[0] - truth[1] <= found.interval[1]
        ratios += found.ratio_interval[0] <= truth[0] / truth[1] <= found.ratio_interval[1]
    assert differences >= 135
    assert ratios >= 130


def test_the_mean_and_its_interval_agree_with_the_tables(rng):
    counts = [(30, 40), (30, 40)]
    verdict = judge(BETTER, played(30, 10))
    assert verdict.interval == pytest.approx(mean_interval(counts))


def test_what_has_no_rate_has_no_bar_and_the_legend_shows_colours_all_the_same():
    panel = Panel(
        title="here",
        groups=("1 M", "3.2 M"),
        bars=(
            Bars(title="scratch", rates=(None, 0.2), color="#112233"),
            Bars(title="co-fine-tuned", rates=(None, 0.6), color="#445566"),
        ),
    )
    axis = Figure().subplots()
    draw_panel(axis, panel)
    heights = [bar.get_height() for bar in axis.patches if isinstance(bar, Rectangle)]
    assert heights == [20, 60]
    legend = axis.get_legend()
    assert legend is not None
    swatches = legend.get_patches()
    assert all(swatch.get_visible() for swatch in swatches)
    assert [to_hex(swatch.get_facecolor()) for swatch in swatches] == ["#112233", "#445566"]


def test_a_legend_fits_under_its_panel():
    """The shortest panel there is, with the longest names: nothing runs into the next panel."""
    titles = ("from scratch", "fine-tuned", "co-fine-tuned")
    panel = Panel(
        title="here",
        groups=("5B", "55B"),
        bars=tuple(Bars(title=title, rates=(0.1, 0.2)) for title in titles),
    )
    figure = panels_figure((panel, panel))
    figure.canvas.draw()
    left, right = (axis.get_legend() for axis in figure.axes)
    assert left is not None
    assert right is not None
    boxes = [legend.get_window_extent() for legend in (left, right)]
    assert 0 <= boxes[0].x0 < boxes[0].x1 < boxes[1].x0 < boxes[1].x1 <= figure.bbox.x1


def test_a_figure_is_drawn_and_is_small(tmp_path):
    bars = Bars(title="RT-2", rates=(0.9, None), intervals=((0.8, 0.95), None))
    panel = Panel(title="here", groups=("seen", "unseen"), bars=(bars, bars))
    path = draw_panels((panel, panel), tmp_path / "figure.png")
    assert 3_000 < path.stat().st_size < 150_000
