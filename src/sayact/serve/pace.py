"""What a batcher expects: how long a forward pass takes, and when each robot sends again."""

from collections.abc import Container
from dataclasses import dataclass

NEWEST = 0.3  # weight of the newest measurement in a running mean
# A refusal measures nothing. Were the estimate too high, it would refuse for ever: so it gives way.
DOUBT = 0.9
LATE = 0.5  # of its interval; a robot that is later than that may have stopped


class Pace:
    """Seconds of a forward pass, by its number of robots."""

    def __init__(self) -> None:
        self._seconds: dict[int, float] = {}

    def measured(self, robots: int, seconds: float) -> None:
        before = self._seconds.get(robots, seconds)
        self._seconds[robots] = before + NEWEST * (seconds - before)

    def expected(self, robots: int) -> float:
        """Of the nearest size that has been measured; 0 before the first."""
        if not self._seconds:
            return 0.0
        larger = [size for size in self._seconds if size >= robots]
        if larger:
            return self._seconds[min(larger)]
        largest = max(self._seconds)
        return self._seconds[largest] * robots / largest

    def doubt(self) -> None:
        """An action was refused because it takes too long."""
        self._seconds = {size: DOUBT * seconds for size, seconds in self._seconds.items()}


@dataclass(frozen=True)
class Beat:
    """When a robot was last heard, and how long after the time before; None: heard once."""

    at: float
    interval: float | None


class Rhythm:
    """When each robot will be heard next, if it goes on as it does."""

    def __init__(self) -> None:
        self._beats: dict[str, Beat] = {}

    def heard(self, robot: str, now: float) -> None:
        self._forget(now)
        before = self._beats.get(robot)
        self._beats[robot] = Beat(now, None if before is None else now - before.at)

    def expects(self, now: float, within: float, here: Container[str]) -> bool:
        """Is any robot that is not `here` about to be heard in so many seconds?"""
        self._forget(now)
        return any(
            beat.interval is not None and beat.at + beat.interval <= now + within
            for robot, beat in self._beats.items()
            if robot not in here
        )

    def _forget(self, now: float) -> None:
        self._beats = {r: b for r, b in self._beats.items() if not _gone(b, now)}


FIRST_SECONDS = 10.0  # a robot that was heard once is remembered so long


def _gone(beat: Beat, now: float) -> bool:
    wait = FIRST_SECONDS if beat.interval is None else (1 + LATE) * beat.interval
    return now > beat.at + wait
