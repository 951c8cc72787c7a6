"""The two drawings of a report, as SVG that follows the page's colours."""

from collections.abc import Sequence
from dataclasses import dataclass

from sayact.evals.statistics import Interval

WIDTH, HEIGHT = 460, 220  # of a curve's canvas
LEFT, RIGHT, TOP, BOTTOM = 48, 10, 12, 26  # margins for the labels
GRID_LINES = 4


def interval_bar(rate: float, interval: Interval) -> str:
    """A rate between 0 and 1 with its interval: a track, a band, a mark."""
    left, right = (100 * bound for bound in interval)
    mark = min(97.0, max(0.0, 100 * rate - 1.5))
    return (
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect width="100" height="8" rx="2" fill="var(--line)"/>'
        f'<rect x="{left:.1f}" width="{right - left:.1f}" height="8" fill="var(--band)"/>'
        f'<rect x="{mark:.1f}" width="3" height="8" fill="var(--accent)"/></svg>'
    )


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One quantity over training: (x, y) points in the order of x. `top` fixes the upper end."""

    title: str
    points: Sequence[tuple[float, float]]
    across: str = "steps"
    percent: bool = False
    top: float | None = None


def curve(drawn: Curve) -> str:
    """A line from zero upwards with a few grid lines, and its last value marked."""
    end = max(x for x, _ in drawn.points) or 1.0
    top = drawn.top or max(y for _, y in drawn.points) * 1.05 or 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + (WIDTH - LEFT - RIGHT) * x / end,
            HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(y, top) / top,
        )

    parts: list[str] = []
    for step in range(GRID_LINES + 1):
        value = top * step / GRID_LINES
        y = place(0, value)[1]
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="var(--line)"/>')
        label = _number(value, drawn.percent)
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in drawn.points))
    parts.append(
        f'<polyline points="{path}" fill="none" stroke="var(--accent)" stroke-width="2" '
        'stroke-linejoin="round"/>'
    )
    x, y = place(*drawn.points[-1])
    parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="var(--accent)"/>')
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 6}">0</text>')
    parts.append(
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 6}" text-anchor="end">'
        f"{_number(end, percent=False)} {drawn.across}</text>"
    )
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(parts)}</svg>'


def last_value(drawn: Curve) -> str:
    return _number(drawn.points[-1][1], drawn.percent)


def _number(value: float, percent: bool) -> str:
    if percent:
        return f"{100 * value:.0f} %"
    return f"{value:,.0f}" if value >= 10 or value == 0 else f"{value:.2g}"
