"""One episode of a control loop, from the first look to the report; `loop.py` tells the rules."""

import logging
import time

import numpy as np
from jaxtyping import Float32

from sayact.policies.controller import Controller
from sayact.robots.desk import Answer, Finished, Message, Said, Stopped
from sayact.robots.limits import standing_still
from sayact.robots.pacing import GRACE, Clock, Rate
from sayact.robots.recording import Recording, Step
from sayact.robots.report import Counts, RunReport, Status
from sayact.robots.robot import Judged, Told
from sayact.robots.setup import Answered, Asked, End, Setup, kept
from sayact.robots.thinking import Thinker
from sayact.robots.watchdog import Guard, Patience
from sayact.schema.errors import BadActionError, SayactError

logger = logging.getLogger(__name__)

WAKING = 3  # pictures shown to a policy before its first action, if it is slow to wake


class Episode:
    """What one run knows; read it from `play` on."""

    def __init__(
        self,
        setup: Setup,
        guard: Guard,
        sentence: str,
        steps: int | None = None,
        seconds: float | None = None,
        record: Recording | None = None,
    ) -> None:
        self.setup, self.guard = setup, guard
        self.robot, self.desk = setup.robot, setup.desk
        self.most_steps, self.most_seconds = steps, seconds
        self.record = record
        self.sentences = [sentence]
        self.counts = Counts()
        self.latencies: list[float] = []
        self.lateness: list[float] = []
        self._control = Controller(setup.robot.action_space)
        self._clock, self._rate = Clock(setup.hz), Rate()
        self._patience = Patience(setup.hold_seconds)
        self._thinker = Thinker(setup.policy, setup.desk)
        self._started = time.monotonic()
        self._asked: Asked | None = None
        self._answered: Answered | None = None
        self._error: SayactError | None = None  # the newest, since the last action
        self._applied: np.ndarray | None = None  # (A,)
        self._held_in_a_row = 0
        setup.limits.reset()

    def play(self, seed: int) -> RunReport:
        try:
            self._begin(seed)
            while True:
                self._tick()
                self.counts.missed += self._clock.next()
                self._wait_until(self._clock.due - self._clock.lead)
                self._look()
        except End as end:
            self.robot.stop()  # before what takes time: the videos of a recording
            self.guard.rest()
            return self._report(end)

    def close(self) -> None:
        if self.record is not None:
            self.record.drop()
        if not self._thinker.close(self.setup.hold_seconds):
            self.desk.stop("the policy still has not returned; it cannot begin another episode")

    # -- in the order of time ------------------------------------------------------------------

    def _begin(self, seed: int) -> None:
        """Nothing moves until the policy is ready and has answered the first picture."""
        self.desk.clear()
        if self.desk.stopped is not None:
            raise End("stopped", self.desk.stopped)
        until = time.monotonic() + self.setup.start_seconds
        self._asked = Asked(number=self.desk.number(), observation=None, at=time.monotonic())
        self._thinker.begin(self._asked.number, self.robot, seed)
        self._wait_for_answer(until)
        for _ in range(WAKING):
            if self._asked is not None or self._error is not None:
                break
            # A network that had to wake answers late; the table of then may not be that of now.
            self._answered = None
            self._look()
            self._wait_for_answer(until)
            if self._answered is not None and not self._is_stale(self._answered):
                break
        if self._error is not None:
            raise self._error  # nothing has moved yet: a mistake to be mended
        if self._answered is None:
            raise End("stopped", f"no first action within {self.setup.start_seconds:g} s")
        if self._is_stale(self._answered):
            raise End(
                "stopped",
                f"the policy takes {self._answered.latency:.2g} s for an action, and pictures may "
                f"be {self.setup.stale_seconds:g} s old",
            )
        self._started = time.monotonic()
        self._clock.start(self._answered.latency)
        self.latencies = [1e3 * self._answered.latency]

    def _tick(self) -> None:
        """The moment of an action: apply it, or hold."""
        due = self._clock.due
        self._wait_until(due)
        self.lateness.append(1e3 * (time.monotonic() - due))
        self.counts.ticks += 1
        if self._answered is None:
            self.counts.overruns += 1
            self._wait_for_answer(due + GRACE * self._clock.period)
        answered, self._answered = self._answered, None
        if answered is not None and self._is_stale(answered):
            self.counts.stale += 1
            answered = None
        if answered is None or not self._act(answered):
            self._hold()
            answered = None
        self.setup.watch(self._status(answered))
        self._end_if_over()

    def _act(self, answered: Answered) -> bool:
        """Through controller and limits to the robot; False for an action that is none."""
        seen = answered.observation
        try:
            command = self._control(answered.action)
            limited = self.setup.limits(command.values, seen.state)
        except BadActionError as bad:
            self._blame(bad)
            return False
        self._move(limited.values)
        self._applied = limited.values
        self.counts.steps += 1
        self._rate.count()
        if self.record is not None:
            step = Step(
                observation=seen,
                action=answered.action,
                executed=limited.values,
                latency_ms=1e3 * answered.latency,
                held_ticks=self._held_in_a_row,
            )
            self.record.add(step)
        self._patience.acted()
        self._held_in_a_row, self._error = 0, None
        if command.ended:
            raise End("ended by the policy", "the policy said that it is done")
        return True

    def _hold(self) -> None:
        self.counts.holds += 1
        self._held_in_a_row += 1
        if self._patience.held(self._clock.due):
            why = "the policy did not answer" if self._error is None else _said(self._error)
            raise End("stopped", f"no action for {self.setup.hold_seconds:g} s: {why}")
        still = standing_still(self.robot.action_space, self._applied)
        if still is not None:
            self._move(still)

    def _move(self, values: Float32[np.ndarray, "A"]) -> None:
        if self.desk.stopped is not None:  # since the inbox was last looked into
            raise End("stopped", self.desk.stopped)
        self.guard.beat()
        if not self.setup.dry_run:
            # A copy: what its owner's code makes of the numbers is not what was applied.
            self.robot.apply(values.copy())
        self.guard.beat()

    def _look(self) -> None:
        """Take a picture and ask, unless the policy is still at work on the one before."""
        if self._asked is not None or self._answered is not None:
            return
        self.guard.beat()
        at = time.monotonic()
        seen = kept(self.robot.observe(), self.sentences[-1])
        self.guard.beat()
        self._asked = Asked(number=self.desk.number(), observation=seen, at=at)
        self._thinker.ask(self._asked.number, seen)

    # -- waiting, and what comes meanwhile -----------------------------------------------------

    def _wait_until(self, moment: float) -> None:
        while (message := self.desk.wait(0)) is not None:
            self._take(message)
        while (left := moment - time.monotonic()) > 0:
            self._take(self.desk.wait(self._nap(left)))

    def _wait_for_answer(self, until: float) -> None:
        while self._asked is not None and (left := until - time.monotonic()) > 0:
            self._take(self.desk.wait(self._nap(left)))

    def _nap(self, left: float) -> float:
        """Long waits are cut, so that the guard hears a beat."""
        self.guard.beat()
        return min(left, self.setup.hold_seconds / 2)

    def _take(self, message: Message | None) -> None:
        if isinstance(message, Answer):
            self._hear(message)
        elif isinstance(message, Stopped):
            raise End("stopped", message.reason)
        elif isinstance(message, Finished):
            raise _ended(message.success, "a person said so")
        elif isinstance(message, Said) and message.sentence != self.sentences[-1]:
            self._be_told(message.sentence)

    def _be_told(self, sentence: str) -> None:
        """Another instruction, from the next picture on."""
        try:
            if isinstance(self.robot, Told):
                self.robot.tell(sentence)
        except SayactError as mistake:
            logger.warning("not understood, so the robot goes on as before: %s", mistake)
        else:
            self.sentences.append(sentence)

    def _hear(self, answer: Answer) -> None:
        """The answer to what was asked; that of an earlier episode is not heard."""
        asked = self._asked
        if asked is None or answer.number != asked.number:
            return
        self._asked = None
        if answer.error is not None:
            self._blame(answer.error)
        elif answer.action is not None and asked.observation is not None:
            latency = time.monotonic() - asked.at
            self.latencies.append(1e3 * latency)
            self._clock.measured(latency)
            self._answered = Answered(
                observation=asked.observation, at=asked.at, action=answer.action, latency=latency
            )

    def _blame(self, error: Exception) -> None:
        """A mistake in answering holds the robot; a broken program ends the run."""
        if not isinstance(error, SayactError):
            raise error
        self.counts.errors[type(error).__name__] += 1
        if self._error is None and self._applied is not None:
            logger.warning("the robot is held: %s", _said(error))
        self._error = error

    # -- the end -------------------------------------------------------------------------------

    def _end_if_over(self) -> None:
        if isinstance(self.robot, Judged) and self.robot.over:
            raise _ended(self.robot.success, "the world ended the episode")
        if self.most_steps is not None and self.counts.steps >= self.most_steps:
            raise End("time is up", f"{self.most_steps} steps")
        if self.most_seconds is not None and self._seconds >= self.most_seconds:
            raise End("time is up", f"{self.most_seconds:g} s")

    def _is_stale(self, answered: Answered) -> bool:
        return time.monotonic() - answered.at > self.setup.stale_seconds

    @property
    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _success(self) -> bool | None:
        return self.robot.success if isinstance(self.robot, Judged) else None

    def _status(self, answered: Answered | None) -> Status:
        return Status(
            instruction=self.sentences[-1],
            counts=self.counts,
            clamped=self.setup.limits.counts.total(),
            hz=self._rate.hz,
            latency_ms=self.latencies[-1],
            seconds=self._seconds,
            action=None if answered is None else answered.action,
            success=self._success(),
        )

    def _report(self, end: End) -> RunReport:
        seconds = self._seconds
        success = self._success() if end.success is None else end.success
        recorded: tuple[int, ...] = ()
        if self.record is not None:
            recorded = self.record.end(success=success, info={"outcome": end.outcome})
        return RunReport(
            instructions=tuple(self.sentences),
            outcome=end.outcome,
            reason=end.reason,
            success=success,
            seconds=seconds,
            hz=self.setup.hz,
            counts=self.counts,
            clamped=dict(self.setup.limits.counts),
            latency_ms=tuple(self.latencies),
            lateness_ms=tuple(self.lateness),
            dry_run=self.setup.dry_run,
            recorded=recorded,
        )


def _ended(success: bool | None, reason: str) -> End:
    return End("done" if success else "failed", reason, success)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
