"""What `sayact run` shows: a line that lives while the robot moves, and a table at the end."""

import time
from collections.abc import Sequence

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from sayact.robots.keyboard import Keyboard
from sayact.robots.report import RunReport, Status, figures

FRAMES_A_SECOND = 8
PLAIN_SECONDS = 1.0  # between lines where there is no terminal to redraw one in
HINT = "Esc stops · a sentence + Enter changes the task · Enter ends it as done"


class Display:
    """Use as a context; `show` is the loop's watcher, and returns at once."""

    def __init__(self, console: Console, keyboard: Keyboard, hz: float) -> None:
        self._console, self._keyboard, self._hz = console, keyboard, hz
        self._status: Status | None = None
        self._told = 0.0
        self._live: Live | None = None

    def __enter__(self) -> "Display":
        if self._console.is_terminal:
            self._live = Live(
                get_renderable=self._lines,
                console=self._console,
                refresh_per_second=FRAMES_A_SECOND,
                transient=True,
            )
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def show(self, status: Status) -> None:
        """From the loop's thread; with a terminal, drawing is another's."""
        self._status = status
        now = time.monotonic()
        if not self._console.is_terminal and now - self._told >= PLAIN_SECONDS:
            self._told = now
            self._console.print(line(status, self._hz), soft_wrap=True)

    def ended(self, report: RunReport) -> None:
        """One line an episode, which stays."""
        verdict = {True: "success", False: "no success", None: report.outcome}[report.success]
        said = " → ".join(report.instructions)
        self._console.print(
            f"{verdict}: {escape(said)} ({report.counts.steps} steps, {report.seconds:.1f} s; "
            f"{escape(report.reason)})",
            soft_wrap=True,
        )
        self._status = None

    def _lines(self) -> Text:
        if self._status is None:
            return Text("waiting for the policy …", style="dim")
        text = line(self._status, self._hz)
        if self._keyboard.listening:
            typed = self._keyboard.typed
            text.append(f"\n› {typed}▏" if typed else f"\n{HINT}", "" if typed else "dim")
        return text


def line(status: Status, hz: float) -> Text:
    """What goes on, in one line."""
    counts = status.counts
    text = Text()
    text.append("held  " if status.action is None else "acts  ", "red" if not status.action else "")
    text.append(status.instruction, "bold")
    rate_is_low = counts.steps > 5 and status.hz < 0.9 * hz
    text.append(f"  {status.hz:4.1f} of {hz:g} Hz", "yellow" if rate_is_low else "")
    text.append(f"  {status.latency_ms:4.0f} ms  step {counts.steps}")
    for count, name in (
        (counts.overruns, "overruns"),
        (counts.holds, "holds"),
        (status.clamped, "clamped"),
    ):
        text.append(f"  {count} {name}", "yellow" if count else "dim")
    if status.action is not None and status.action.tokens is not None:
        text.append(f"  tokens {' '.join(map(str, status.action.tokens.tolist()))}", "dim")
    return text


def summary(reports: Sequence[RunReport]) -> Table:
    """The figures of all episodes together."""
    counts = [report.counts for report in reports]
    steps = sum(c.steps for c in counts)
    pauses = sum(max(0, c.steps + c.holds - 1) for c in counts)  # between ticks
    seconds = sum(report.seconds for report in reports)
    clamped: dict[str, int] = {}
    errors: dict[str, int] = {}
    for report in reports:
        for name, count in report.clamped.items():
            clamped[name] = clamped.get(name, 0) + count
        for name, count in report.counts.errors.items():
            errors[name] = errors.get(name, 0) + count
    rows = [
        ("episodes", str(len(reports))),
        ("success", _success(reports)),
        ("steps", f"{steps} in {seconds:.1f} s"),
        ("ticks", f"{_rate(pauses, seconds)} of {reports[0].hz:g} Hz"),
        ("latency, ms", _milliseconds([ms for r in reports for ms in r.latency_ms])),
        ("ticks late by, ms", _milliseconds([ms for r in reports for ms in r.lateness_ms])),
        ("overruns", str(sum(c.overruns for c in counts))),
        ("holds", str(sum(c.holds for c in counts))),
        ("stale answers", str(sum(c.stale for c in counts))),
        ("missed ticks", str(sum(c.missed for c in counts))),
        ("clamped", _counted(clamped)),
        ("errors", _counted(errors)),
    ]
    table = Table(title="run", show_header=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for row in rows:
        table.add_row(*row)
    return table


def _success(reports: Sequence[RunReport]) -> str:
    told = [report.success for report in reports if report.success is not None]
    return f"{sum(told)} of {len(told)}" if told else "nobody told"


def _rate(periods: int, seconds: float) -> str:
    return f"{periods / seconds:.1f}" if seconds > 0 else "–"


def _milliseconds(values: Sequence[float]) -> str:
    found = figures(values)
    if found is None:
        return "–"
    return (
        f"mean {found['mean']:.1f}, p50 {found['p50']:.1f}, p95 {found['p95']:.1f}, "
        f"p99 {found['p99']:.1f}, most {found['max']:.1f}"
    )


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "0"
