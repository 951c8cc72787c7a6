"""Control rate and latency of every table over the last half minute."""

from collections import deque
from collections.abc import Sequence
from html import escape

import numpy as np
import viser
from viser import uplot

from sayact.play.player import Player
from sayact.play.view import LEAST_TIMINGS

SAMPLES = 60  # points of a curve
SAMPLE_SECONDS = 0.5  # between two of them
HEIGHT = 115  # pixels of a plot
ROOM = 1.2  # height of the axis, of the highest value
COLOURS = ("#1c7ed6", "#f76707", "#2f9e44", "#ae3ec9")  # one for each table, in order


class Plots:
    """Two plots below each other: steps a second, and milliseconds inside `policy.act`."""

    def __init__(self, server: viser.ViserServer) -> None:
        self._gui = server.gui
        self._players: tuple[Player, ...] = ()
        self._handles: list[viser.GuiUplotHandle] = []
        self._legend: viser.GuiHtmlHandle | None = None
        self._samples: deque[list[tuple[float, float]]] = deque(maxlen=SAMPLES)
        self._folder = server.gui.add_folder("Control rate and latency")

    def follow(self, players: tuple[Player, ...]) -> None:
        """Draw these from here on."""
        self._players = players
        self._samples.clear()
        for handle in self._handles:
            handle.remove()
        self._handles = []
        if self._legend is not None:
            self._legend.remove()
            self._legend = None
        if players:
            with self._folder:
                self._legend = self._gui.add_html(legend([player.name for player in players]))
                self._handles = [self._plot("steps a second"), self._plot("latency, ms")]

    def sample(self) -> None:
        """One more point on each curve. A table that rests has no rate."""
        if not self._players:
            return
        self._samples.append([_sample(player) for player in self._players])
        values = np.array(self._samples)  # (samples, tables, 2)
        ago = SAMPLE_SECONDS * np.arange(1 - len(values), 1, dtype=np.float64)
        for index, handle in enumerate(self._handles):
            handle.scales = _scales(float(values[:, :, index].max()))
            handle.data = (ago, *values[:, :, index].T.copy())

    def _plot(self, title: str) -> viser.GuiUplotHandle:
        nothing = np.zeros(1)
        series = [
            uplot.Series(label=player.name, stroke=COLOURS[index % len(COLOURS)], width=2)
            for index, player in enumerate(self._players)
        ]
        return self._gui.add_uplot(
            (nothing, *[nothing] * len(series)),
            (uplot.Series(label="s"), *series),
            title=title,
            scales=_scales(1.0),
            legend=uplot.Legend(show=False),
            height=HEIGHT,
        )


def legend(names: Sequence[str]) -> str:
    """Which curve is whose, HTML."""
    marks = "".join(
        f'<div style="overflow-wrap:anywhere"><span style="color:{COLOURS[index % len(COLOURS)]}">'
        f"▬</span> {escape(name)}</div>"
        for index, name in enumerate(names)
    )
    style = "display:flex;flex-wrap:wrap;gap:0 1em;padding:0 1em;font-size:0.85em"
    return f'<div style="{style}">{marks}</div>'


def _scales(highest: float) -> dict[str, uplot.Scale]:
    """Seconds that all plots share, and an axis from zero with some room above."""
    seconds = SAMPLES * SAMPLE_SECONDS
    return {
        "x": uplot.Scale(time=False, auto=False, range=(-seconds, 0.0)),
        "y": uplot.Scale(auto=False, range=(0.0, ROOM * max(highest, 1.0))),
    }


def _sample(player: Player) -> tuple[float, float]:
    """Steps a second and milliseconds; 0 until some steps were done, for the first one is slow."""
    view = player.view
    if view is None or len(view.timings) < LEAST_TIMINGS:
        return 0.0, 0.0
    return (view.hz if player.going and view.status == "playing" else 0.0), view.acting_ms
