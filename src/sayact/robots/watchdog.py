"""Two who watch while a robot moves.

`Patience` counts for how long there has been no action: hold position, then stop.
`Guard` is a thread that watches the loop itself: should a call to the robot not return, or an
emergency stop not get through, it stops the robot from outside.
"""

import logging
import threading
import time
from collections.abc import Callable

from sayact.robots.desk import Desk

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.02  # between two looks of the guard
# An emergency stop reaches a sound loop within a millisecond or the robot call at hand; after this
# long the guard does it.
EMERGENCY_SECONDS = 0.25
# The guard's own look came so late: the whole program stood still, be it that a network that wakes
# kept Python's lock. That is no fault of the robot's code, which gets as much time more.
STARVED_SECONDS = 0.1


class Patience:
    """For how long nothing of the policy could be applied."""

    def __init__(self, hold_seconds: float) -> None:
        self.hold_seconds = hold_seconds
        self._since: float | None = None

    def acted(self) -> None:
        """An action was applied: all is well."""
        self._since = None

    def held(self, due: float) -> bool:
        """No action was there for the moment `due`, by the monotonic clock; is it enough now?"""
        if self._since is None:
            self._since = due
        return due - self._since >= self.hold_seconds


class Guard:
    """Calls `stop` when the loop cannot: use as a context around the loop, and let it `beat`."""

    def __init__(self, stop: Callable[[], None], desk: Desk, hang_seconds: float) -> None:
        """hang_seconds: without a beat for so long, the loop hangs."""
        self._stop, self._desk, self._hang_seconds = stop, desk, hang_seconds
        self._beaten = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="guard", daemon=True)

    def __enter__(self) -> "Guard":
        self.beat()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def beat(self) -> None:
        """The loop lives."""
        self._beaten = time.monotonic()

    def rest(self) -> None:
        """The loop has stopped the robot itself: nothing is left to guard."""
        self._done.set()

    def _watch(self) -> None:
        pressed: float | None = None
        looked, beaten, excused = time.monotonic(), self._beaten, 0.0
        while not self._done.wait(LOOK_SECONDS):
            now = time.monotonic()
            if self._beaten != beaten:
                beaten, excused = self._beaten, 0.0
            if now - looked > STARVED_SECONDS:
                excused += now - max(looked, beaten)  # also where the last beat came just before
            looked = now
            if self._desk.stopped is not None and pressed is None:
                pressed = now
            if pressed is not None and now - pressed > EMERGENCY_SECONDS:
                self._act(f"{self._desk.stopped}; the loop did not react")
                return
            if now - beaten - excused > self._hang_seconds:
                self._act(f"the robot's own code has not returned for {self._hang_seconds:g} s")
                return

    def _act(self, reason: str) -> None:
        logger.error("stopping the robot from outside its loop: %s", reason)
        self._desk.stop(reason)
        try:
            self._stop()
        except Exception:
            logger.exception("the robot's stop() failed")
