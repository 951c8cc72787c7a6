"""Several copies of one policy side by side, each with a batcher of its own.

robots ─▶ Batchers ─┬─▶ Batcher 0 ─▶ lane 0
                    └─▶ Batcher 1 ─▶ lane 1        a lane that is slow, or away, holds up
                                                   nobody but its own robots
"""

import asyncio
import weakref
from collections.abc import Sequence
from typing import Any

from sayact.policies.many import Answer, ManyRobots, Memory
from sayact.schema import ActionSpace, Observation
from sayact.serve.batching import Acted, Batcher


class Seat:
    """A robot's memory, and the lane it lies in. A lane's own memories may be anything."""

    def __init__(self, lane: int, memory: Memory) -> None:
        self.lane = lane
        self.memory = memory


class Lanes(ManyRobots):
    """All lanes as one policy for many robots. A new episode goes where the fewest are."""

    def __init__(self, lanes: Sequence[ManyRobots]) -> None:
        self.lanes = tuple(lanes)
        self._seats: tuple[weakref.WeakSet[Seat], ...] = tuple(weakref.WeakSet() for _ in lanes)

    @property
    def action_space(self) -> ActionSpace:
        return self.lanes[0].action_space

    @property
    def picture(self) -> tuple[int, int] | None:
        return self.lanes[0].picture

    def begin(self, seed: int = 0) -> Memory:
        lane = min(range(len(self.lanes)), key=lambda number: len(self._seats[number]))
        seat = Seat(lane, self.lanes[lane].begin(seed))
        self._seats[lane].add(seat)
        return seat

    def act_many(
        self, observations: Sequence[Observation], memories: Sequence[Memory]
    ) -> list[Answer]:
        """Lane by lane; `Batchers` does not come here."""
        answers: dict[int, Answer] = {}
        for number, lane in enumerate(self.lanes):
            places = [place for place, seat in enumerate(memories) if seat.lane == number]
            seen, remembered = [observations[p] for p in places], [memories[p] for p in places]
            if places:
                acted = lane.act_many(seen, [seat.memory for seat in remembered])
                answers |= zip(places, acted, strict=True)
        return [answers[place] for place in range(len(memories))]


class Batchers:
    """What a server asks of a `Batcher`, for all lanes; `options` are those of a `Batcher`."""

    def __init__(self, robots: Lanes, **options: Any) -> None:
        self._batchers = [Batcher(lane, **options) for lane in robots.lanes]

    @property
    def queued(self) -> int:
        return sum(batcher.queued for batcher in self._batchers)

    async def act(
        self, robot: str, observation: Observation, memory: Seat, deadline: float | None = None
    ) -> Acted:
        batcher = self._batchers[memory.lane]
        return await batcher.act(robot, observation, memory.memory, deadline)

    async def warm_up(self) -> None:
        await asyncio.gather(*(batcher.warm_up() for batcher in self._batchers))

    async def run(self) -> None:
        await asyncio.gather(*(batcher.run() for batcher in self._batchers))

    def close(self) -> None:
        for batcher in self._batchers:
            batcher.close()


def batcher_for(robots: ManyRobots, **options: Any) -> Batcher | Batchers:
    """One for every lane, where there are lanes."""
    return Batchers(robots, **options) if isinstance(robots, Lanes) else Batcher(robots, **options)
