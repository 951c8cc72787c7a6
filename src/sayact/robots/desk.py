"""What reaches a running loop from outside, and may come at any moment from any thread.

    person ─ stop, say, done ─┐
    policy ─ an answer ───────┴─▶ inbox ─▶ ControlLoop, which never waits for anything else

The inbox is a `queue.SimpleQueue`: putting into it is allowed in a signal handler too, which a
lock is not.
"""

import itertools
import queue
from dataclasses import dataclass

from sayact.schema import Action


@dataclass(frozen=True, kw_only=True)
class Answer:
    """To the question `number`: an action, or what went wrong; neither, where an episode began."""

    number: int
    action: Action | None
    error: Exception | None = None


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """Emergency: stand still and end."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Said:
    """Another sentence, from the next observation on."""

    sentence: str


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A person ends the episode, and says whether it did what was asked."""

    success: bool


Message = Answer | Stopped | Said | Finished


class Desk:
    """Where a person stands while a loop runs: all of it may be called from any thread."""

    def __init__(self) -> None:
        self._inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._stopped: str | None = None
        self._numbers = itertools.count()

    @property
    def stopped(self) -> str | None:
        """Why everything was stopped, if it was; no later episode begins then."""
        return self._stopped

    def stop(self, reason: str) -> None:
        """Emergency stop. Allowed in a signal handler; the first reason counts."""
        if self._stopped is None:
            self._stopped = reason
        self._inbox.put(Stopped(reason=self._stopped))

    def say(self, sentence: str) -> None:
        """Change the instruction while running."""
        self._inbox.put(Said(sentence=sentence))

    def done(self, success: bool = True) -> None:
        """End this episode, well or not."""
        self._inbox.put(Finished(success=success))

    def number(self) -> int:
        """For the next question to a policy: no two are alike, so no answer is heard as another's,
        however late it comes."""
        return next(self._numbers)

    def clear(self) -> None:
        """Forget what was said before an episode; an emergency stop stays."""
        while self.wait(0) is not None:
            pass

    def post(self, answer: Answer) -> None:
        """From the thread of the policy."""
        self._inbox.put(answer)

    def wait(self, seconds: float) -> Message | None:
        """The next message, or None after so long; at once if `seconds` is not above 0."""
        try:
            if seconds > 0:
                return self._inbox.get(timeout=seconds)
            return self._inbox.get_nowait()
        except queue.Empty:
            return None
