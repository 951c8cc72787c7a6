"""The papers' bar charts, ours beside them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from sayact.evals.bar_charts import Bars, Panel, draw_panels
from sayact.evals.findings import Played, common
from sayact.evals.statistics import mean_interval
from sayact.experiments.papers.suites import ABLATION_SUITES, equal, weights

Means = Mapping[str, Mapping[str, float]]  # title of a group of bars → suites and weights

GENERALISATION: Means = {
    "seen": equal("seen"),
    "objects": equal("objects_easy", "objects_hard"),
    "backgrounds": equal("backgrounds_easy", "backgrounds_hard"),
    "environments": equal("environments_easy", "environments_hard"),
    "unseen mean": weights("unseen"),
}
EMERGENT: Means = {
    "symbols": equal("symbols"),
    "reasoning": weights("reasoning"),
    "people": equal("people"),
    "mean": weights("emergent"),
}
ABLATED = equal(*(suite for suite in weights("unseen") if suite in ABLATION_SUITES))

DATA: Means = {"seen": equal("seen"), "unseen": ABLATED}

# RT-2 (arXiv 2307.15818), sections 4.1 to 4.3; easy and hard of a kind are averaged. Percent.
PAPER_GENERALISATION = {
    "R3M": (45, 23, 11, 1, 12),
    "VC-1": (63, 22, 8, 0, 10),
    "RT-1": (92, 37, 40, 20, 32),
    "RT-2": (91, 66, 72, 49, 62),
}
PAPER_EMERGENT = {"VC-1": (11, 10, 13, 11), "RT-1": (16, 16, 20, 17), "RT-2": (82, 46, 53, 60)}
PAPER_ABLATION = {
    "from scratch": (9, None),
    "fine-tuned": (42, 52),
    "co-fine-tuned": (44, 63),
}

COLORS = {
    "random": "#c9ccd1",
    "RT-1": "#7a9cc6",
    "RT-2": "#d1495b",
    "R3M": "#dcd3b8",
    "VC-1": "#b8a97c",
    "from scratch": "#c9ccd1",
    "fine-tuned": "#7a9cc6",
    "co-fine-tuned": "#d1495b",
    "all": "#d1495b",
    "half": "#de7c89",
    "a quarter": "#eab0b8",
    "an eighth": "#f3d3d8",
    "an eighth, four blocks": "#7a9cc6",
}
PAPER, OURS = "the paper, real robots", "here, simulated, 95 % intervals"


def draw_figures(played: Played, folder: Path) -> tuple[Path, ...]:
    """One PNG each of what was played; what was not is left out, and so is a player on its own."""
    folder.mkdir(parents=True, exist_ok=True)
    figures = {
        "generalisation": (
            _paper(PAPER_GENERALISATION, tuple(GENERALISATION)),
            _ours({"random": "random", "RT-1": "rt1", "RT-2": "rt2"}, GENERALISATION, played),
        ),
        "emergent": (
            _paper(PAPER_EMERGENT, tuple(EMERGENT)),
            _ours({"random": "random", "RT-1": "rt1", "RT-2": "rt2"}, EMERGENT, played),
        ),
        "training": (_paper(PAPER_ABLATION, ("5B", "55B")), _sizes(played)),
        "data": (
            _ours(
                {
                    "all": "co-fine-tuned",
                    "half": "half",
                    "a quarter": "quarter",
                    "an eighth": "eighth",
                    "an eighth, four blocks": "narrow",
                },
                DATA,
                played,
            ),
        ),
    }
    drawn: list[Path] = []
    for name, panels in figures.items():
        if len(panels[-1].bars) > 1:
            drawn.append(draw_panels(panels, folder / f"{name}.png"))
    return tuple(drawn)


def _paper(numbers: Mapping[str, Sequence[float | None]], groups: tuple[str, ...]) -> Panel:
    bars = tuple(
        Bars(
            title=title,
            color=COLORS.get(title),
            rates=tuple(None if rate is None else rate / 100 for rate in rates),
        )
        for title, rates in numbers.items()
    )
    return Panel(title=PAPER, groups=groups, bars=bars)


def _ours(players: Mapping[str, str], means: Means, played: Played) -> Panel:
    """players: title → name. Groups that a player did not play have no bar."""
    bars = [
        _bars(title, [(player, over) for over in means.values()], played)
        for title, player in players.items()
    ]
    return Panel(title=OURS, groups=tuple(means), bars=tuple(b for b in bars if _drawn(b)))


def _sizes(played: Played) -> Panel:
    """How it was trained, in two sizes, as the paper's ablation."""
    pairs = {
        "from scratch": ("pico-scratch", "scratch"),
        "fine-tuned": ("pico-fine-tuned", "fine-tuned"),
        "co-fine-tuned": ("pico", "co-fine-tuned"),
    }
    bars = [
        _bars(title, [(player, ABLATED) for player in players], played)
        for title, players in pairs.items()
    ]
    return Panel(title=OURS, groups=("0.45 M", "1 M"), bars=tuple(b for b in bars if _drawn(b)))


def _drawn(bars: Bars) -> bool:
    return any(rate is not None for rate in bars.rates)


def _bars(title: str, places: Sequence[tuple[str, Mapping[str, float]]], played: Played) -> Bars:
    """A bar for each (player, suites) that was played whole."""
    rates: list[float | None] = []
    intervals: list[tuple[float, float] | None] = []
    for player, wanted in places:
        over = common((player,), wanted, played)
        over = over if len(over) == len(wanted) else {}
        outcomes = [played[player][suite] for suite in over]
        counts = [(sum(won), len(won)) for won in outcomes]
        shares = tuple(over.values())
        rates.append(
            sum(w * won / n for w, (won, n) in zip(shares, counts, strict=True)) if over else None
        )
        intervals.append(mean_interval(counts, shares) if over else None)
    return Bars(
        title=title, color=COLORS.get(title), rates=tuple(rates), intervals=tuple(intervals)
    )
