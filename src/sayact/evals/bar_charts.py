"""Bar charts in the style of the papers: groups of bars, an interval on each, no other ink."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sayact.evals.statistics import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INCHES_A_GROUP, INCHES_A_BAR, HEIGHT = 1.1, 0.28, 3.2
LEAST_WIDTH = 3.6  # inches of a panel: room for its title and three names of the legend
DPI = 110  # a figure of two panels stays under 150 kB
BAR_SPACE = 0.82  # of a group's width


@dataclass(frozen=True, kw_only=True)
class Bars:
    """One policy: a rate in 0…1 for each group of its panel, None where there is none."""

    title: str
    rates: tuple[float | None, ...]
    intervals: tuple[Interval | None, ...] = ()
    color: str | None = None


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Groups side by side, in each a bar of every policy."""

    title: str
    groups: tuple[str, ...]
    bars: tuple[Bars, ...]


def draw_panels(panels: Sequence[Panel], path: Path) -> Path:
    """Panels side by side, as a PNG."""
    panels_figure(panels).savefig(path, metadata={"Software": None})
    return path


def panels_figure(panels: Sequence[Panel]) -> "Figure":
    """Panels side by side."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    widths = [
        max(LEAST_WIDTH, len(panel.groups) * max(INCHES_A_GROUP, INCHES_A_BAR * len(panel.bars)))
        for panel in panels
    ]
    figure = Figure(figsize=(sum(widths) + 0.8, HEIGHT), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False, width_ratios=widths)[0]
    for axis, panel in zip(axes, panels, strict=True):
        draw_panel(axis, panel)
    axes[0].set_ylabel("success, %", fontsize=9)
    return figure


def draw_panel(axis: "Axes", panel: Panel) -> None:
    """Bars, their intervals and the legend."""
    from matplotlib.patheffects import withStroke

    width = BAR_SPACE / max(len(panel.bars), 1)
    places = np.arange(len(panel.groups))
    for number, bars in enumerate(panel.bars):
        x = places + (number - (len(panel.bars) - 1) / 2) * width
        there = [(p, 100 * rate) for p, rate in zip(x, bars.rates, strict=True) if rate is not None]
        axis.bar(
            [place for place, _ in there],
            [percent for _, percent in there],
            0.92 * width,
            label=bars.title,
            color=bars.color,
        )
        for place, percent in there:
            axis.annotate(
                f"{percent:.0f}",
                (place, 1),
                ha="center",
                va="bottom",
                fontsize=6.5,
                color="#222222",
                path_effects=[withStroke(linewidth=1.5, foreground="white")],
                zorder=5,  # above the intervals
            )
        known = [
            (place, rate, interval)
            for place, rate, interval in zip(x, bars.rates, bars.intervals, strict=False)
            if rate is not None and interval is not None
        ]
        if known:
            low = [100 * (rate - interval[0]) for _, rate, interval in known]
            high = [100 * (interval[1] - rate) for _, rate, interval in known]
            axis.errorbar(
                [place for place, _, _ in known],
                [100 * rate for _, rate, _ in known],
                yerr=[low, high],
                fmt="none",
                ecolor="#444444",
                elinewidth=0.8,
                capsize=1.5,
            )
    axis.set_title(panel.title, fontsize=9)
    axis.set_xticks(places, panel.groups, fontsize=8)
    axis.set_xlim(-0.5, len(panel.groups) - 0.5)  # a group without bars keeps its place
    axis.set_ylim(0, 100)
    axis.tick_params(axis="y", labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(
        frameon=False,
        fontsize=7,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.1),
        ncols=min(len(panel.bars), 4 if len(panel.groups) > 2 else 3),
    )
