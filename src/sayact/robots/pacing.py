"""When to look and when to act: the clock of a control loop.

      tick k               tick k+1             tick k+2
    ────┬──────────────┬─────┬──────────────┬─────┬────▶  time.monotonic
     apply a(k)      look  apply a(k+1)   look  apply
                       └lead─┘

A picture is old by the time its action is applied: by the latency of camera, wire and network. It
is taken as late as the latencies measured so far allow (`lead`), so that the action lands on its
tick and answers the freshest picture possible, at equal intervals.
"""

import math
import time
from collections import deque

import numpy as np

GRACE = 0.25  # of a period: how late an action may be applied and still belong to its tick
REMEMBERED = 20  # latencies that the next one is guessed from
GUESS = 90  # percentile of these
# What a thread switch or a neighbour on the same core may cost beyond the guess, seconds.
MARGIN = 0.01


class Clock:
    """Ticks `1 / hz` apart. Monotonic: a changed date moves nothing."""

    def __init__(self, hz: float) -> None:
        self.period = 1 / hz
        self._due = time.monotonic()
        self._latencies: deque[float] = deque(maxlen=REMEMBERED)

    @property
    def due(self) -> float:
        """The moment of the tick at hand."""
        return self._due

    @property
    def lead(self) -> float:
        """How long before its tick a picture is taken, seconds; a period at most."""
        if not self._latencies:
            return self.period
        guess = float(np.percentile(self._latencies, GUESS)) + MARGIN
        return min(guess, self.period)

    def start(self, latency: float) -> None:
        """The first tick is now; `latency` is that of its action, and the only one that counts."""
        self._due = time.monotonic()
        self._latencies.clear()
        self.measured(latency)

    def measured(self, latency: float) -> None:
        """From looking to an answer, seconds."""
        self._latencies.append(latency)

    def next(self) -> int:
        """On to the next tick; how many were missed because now is later than that already."""
        late = time.monotonic() - (self._due + self.period)
        missed = max(0, math.floor(late / self.period))
        self._due += (1 + missed) * self.period
        return missed


class Rate:
    """How many a second, lately."""

    def __init__(self) -> None:
        self._at: deque[float] = deque(maxlen=REMEMBERED)

    def count(self) -> None:
        self._at.append(time.monotonic())

    @property
    def hz(self) -> float:
        """0 before there were two."""
        if len(self._at) < 2:
            return 0.0
        # Up to now: a loop that stands still is seen to slow down.
        usual = (self._at[-1] - self._at[0]) / (len(self._at) - 1)
        return 1 / max(usual, time.monotonic() - self._at[-1], 1e-9)
