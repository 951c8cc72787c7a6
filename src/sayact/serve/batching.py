"""Requests of many robots → one forward pass, in a thread of its own.

    robots   a ──┐   b ─┐        c ────┐  d ──┐       wait at most `window`, and only
    window       └──────┴─▶ [a b]      └──────┴─▶     while another robot is expected
    worker                  ███████████ [c d] ██████

The event loop never computes, so that health checks and other connections are answered meanwhile.
What arrives during a forward pass is together in the next one. A robot that is alone never waits.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sayact.policies.many import ManyRobots, Memory
from sayact.schema import Action, Observation
from sayact.schema.errors import DeadlineError, SayactError, ServerBusyError
from sayact.serve.pace import Pace, Rhythm
from sayact.serve.warming import warm_up

WINDOW_SECONDS = 0.005
MOST_ROBOTS = 64  # of one forward pass
# A robot that names no deadline takes its turn as if it had named this one: nobody starves.
PATIENCE_SECONDS = 1.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Acted:
    """An action and what it took: waiting in the queue and the forward pass, in seconds, shared
    with `batch` robots."""

    action: Action
    queue_seconds: float
    infer_seconds: float
    batch: int


@dataclass(eq=False, kw_only=True)
class Request:
    """One robot's. `deadline` is when its action must be ready, by the batcher's clock."""

    robot: str
    observation: Observation
    memory: Memory
    deadline: float | None
    arrived: float
    answer: asyncio.Future[Acted]

    @property
    def due(self) -> float:
        return self.arrived + PATIENCE_SECONDS if self.deadline is None else self.deadline


class Batcher:
    """`watch` is told the size and the seconds of every forward pass."""

    def __init__(
        self,
        robots: ManyRobots,
        *,
        window_seconds: float = WINDOW_SECONDS,
        most: int = MOST_ROBOTS,
        watch: Callable[[int, float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._robots = robots
        self._window = window_seconds
        self._most = most
        self._watch = watch
        self._clock = clock
        self._pace, self._rhythm = Pace(), Rhythm()
        self._waiting: list[Request] = []
        self._computing: list[Request] = []
        self._arrived = asyncio.Event()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sayact-forward")

    @property
    def queued(self) -> int:
        """Robots that wait for a forward pass."""
        return len(self._waiting)

    async def act(
        self,
        robot: str,
        observation: Observation,
        memory: Memory,
        deadline: float | None = None,
    ) -> Acted:
        """The robot's action; its memory is then one step further.

        Raises DeadlineError where it could not be ready in time, and what is wrong with the
        observation; the memory is then as it was.
        """
        arrived = self._clock()
        self._rhythm.heard(robot, arrived)
        request = Request(
            robot=robot,
            observation=observation,
            memory=memory,
            deadline=deadline,
            arrived=arrived,
            answer=asyncio.get_running_loop().create_future(),
        )
        self._waiting.append(request)
        self._arrived.set()
        return await request.answer

    async def warm_up(self) -> None:
        """Compute a few steps, so that the first robot waits no longer than the others."""
        await asyncio.get_running_loop().run_in_executor(self._worker, warm_up, self._robots)

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            await self._next_arrival(None)
            await self._collect()
            batch = self._choose()
            if batch:
                await self._forward(batch)

    def close(self) -> None:
        """Whoever still waits is told; a forward pass that runs is not waited for."""
        for request in [*self._waiting, *self._computing]:
            if not request.answer.done():
                request.answer.set_exception(ServerBusyError("the server is stopping"))
        self._waiting, self._computing = [], []
        self._worker.shutdown(wait=False, cancel_futures=True)

    async def _next_arrival(self, seconds: float | None) -> bool:
        """Wait until there are requests, with a time limit until there is another one."""
        if seconds is None and self._waiting:
            return True
        self._arrived.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._arrived.wait()
        except TimeoutError:
            return False
        return True

    async def _collect(self) -> None:
        """Let others join, until the window closes or the first deadline presses."""
        closes = min(request.arrived for request in self._waiting) + self._window
        while len(self._waiting) < self._most:
            latest = _first_deadline(self._waiting) - self._pace.expected(len(self._waiting))
            left = min(closes, latest) - self._clock()
            here = {request.robot for request in self._waiting}
            if left <= 0 or not self._rhythm.expects(self._clock(), left, here):
                return
            if not await self._next_arrival(left):
                return

    def _choose(self) -> list[Request]:
        """The most pressing requests, as many as can be ready before the first deadline.

        Those that cannot be ready in time even alone are refused, before anything is computed.
        """
        now = self._clock()
        alone = self._pace.expected(1)
        waiting = [r for r in self._waiting if not r.answer.done()]
        late = [r for r in waiting if r.deadline is not None and now + alone > r.deadline]
        for request in late:
            self._pace.doubt()
            request.answer.set_exception(_too_late(request, now, alone))
        ready = sorted((r for r in waiting if r not in late), key=lambda r: r.due)
        batch = ready[:1]
        for request in ready[1 : self._most]:
            larger = [*batch, request]
            if now + self._pace.expected(len(larger)) > _first_deadline(larger):
                break
            batch = larger
        self._waiting = ready[len(batch) :]
        return batch

    async def _forward(self, batch: list[Request]) -> None:
        began = self._clock()
        self._computing = batch
        loop = asyncio.get_running_loop()
        answers = await loop.run_in_executor(self._worker, self._answers, batch)
        seconds = self._clock() - began
        self._computing = []
        self._pace.measured(len(batch), seconds)
        if self._watch is not None:
            self._watch(len(batch), seconds)
        for request, answer in zip(batch, answers, strict=True):
            if request.answer.done():  # nobody waits any more
                continue
            if isinstance(answer, Exception):
                request.answer.set_exception(answer)
                continue
            acted = Acted(
                action=answer,
                queue_seconds=began - request.arrived,
                infer_seconds=seconds,
                batch=len(batch),
            )
            request.answer.set_result(acted)

    def _answers(self, batch: Sequence[Request]) -> Sequence[Action | Exception]:
        """In the worker: one for each, whatever the policy does."""
        answers = self._compute(batch)
        if len(answers) == len(batch):
            return answers
        wrong = RuntimeError(f"the policy answered {len(answers)} of {len(batch)} robots")
        return [wrong] * len(batch)

    def _compute(self, batch: Sequence[Request]) -> Sequence[Action | Exception]:
        """In the worker. A fault of the program hits nobody but the robot that sets it off."""
        try:
            return self._robots.act_many(
                [request.observation for request in batch], [request.memory for request in batch]
            )
        except Exception as problem:
            if len(batch) == 1:
                return [problem]
            logger.warning("a forward pass of %d robots failed; each alone now", len(batch))
            return [self._compute([request])[0] for request in batch]


def _first_deadline(requests: Iterable[Request]) -> float:
    return min((r.deadline for r in requests if r.deadline is not None), default=math.inf)


def _too_late(request: Request, now: float, needed: float) -> SayactError:
    assert request.deadline is not None
    return DeadlineError(
        f"an action takes {1e3 * needed:.0f} ms, and {1e3 * (request.deadline - now):.0f} ms are "
        "left; nothing was computed, and the history is as before. Give more time, or a faster "
        "engine (docs/speed.md)."
    )
