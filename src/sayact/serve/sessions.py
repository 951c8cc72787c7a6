"""Whose episode is whose: one session for every robot, apart from all others.

    connect ─▶ a session, its name and a token     held by this connection
    gone    ─▶ kept for `session_seconds`          whoever shows the token takes it over
    expired, or closed ─▶ forgotten

A robot's history lives in its session and nowhere else.
"""

import asyncio
import hmac
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from sayact.policies.many import ManyRobots, Memory
from sayact.schema.errors import ServerBusyError, SessionTakenError

SESSION_SECONDS = 60.0  # a robot that comes back later has moved on: let it begin anew
MOST_SESSIONS = 256
NAME_BYTES, TOKEN_BYTES = 8, 24


@runtime_checkable
class Holder(Protocol):
    """Who speaks for a session: one end of a connection."""

    def taken_over(self) -> None:
        """Another connection has shown the token of a session of this one."""
        ...


@dataclass(frozen=True)
class Answered:
    """The newest step of an episode and what was answered, should the robot ask again."""

    step: int
    reply: dict[str, Any]


@dataclass(eq=False, kw_only=True)
class Session:
    """One robot. `steps` counts the actions of its episode, `episode` those that had any.

    `turn` is held while a request of the robot is worked on: there is one at a time.
    """

    name: str
    token: str
    memory: Memory
    holder: Holder | None
    instruction: str | None = None
    episode: int = 0
    steps: int = 0
    answered: Answered | None = None
    left_at: float = 0.0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Sessions:
    """All of a server's, held or kept. `clock` gives seconds and never jumps."""

    def __init__(
        self,
        robots: ManyRobots,
        *,
        most: int = MOST_SESSIONS,
        seconds: float = SESSION_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._robots = robots
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._sessions: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self._sessions.values()))

    @property
    def kept(self) -> int:
        """Those whose connection is gone."""
        return sum(session.holder is None for session in self)

    @property
    def full(self) -> bool:
        """No place for another robot, even if those that have done nothing yet are forgotten."""
        self.sweep()
        return len(self) >= self._most and self._idle() is None

    def open(self, holder: Holder, name: str | None = None, token: str | None = None) -> Session:
        """The session of this name, or a new one.

        A new one has the `token` of the robot that knows one from before: should it not hear our
        answer, it comes again with that.
        Raises SessionTakenError where it is not the holder's, ServerBusyError where all are taken.
        """
        self.sweep()
        session = self._sessions.get(name) if name is not None else None
        if session is None:
            return self._new(holder, name or secrets.token_hex(NAME_BYTES), token)
        if session.holder is not holder:
            raise SessionTakenError(
                f"the session {session.name!r} is another connection's; resume it with the token "
                "that came with it, or give another name"
            )
        return session

    def resume(self, holder: Holder, name: str, token: str) -> Session | None:
        """The session, from now on this holder's; None where there is none of this name.

        Raises SessionTakenError for a wrong token. Who held it is told.
        """
        self.sweep()
        session = self._sessions.get(name)
        if session is None:
            return None
        if not hmac.compare_digest(token.encode(), session.token.encode()):
            raise SessionTakenError(
                f"this is not the token of the session {name!r}. Its robot is connected, or left "
                f"without a goodbye: then it is kept for {self._seconds:g} s. Give another name, "
                "or none"
            )
        before, session.holder = session.holder, holder
        if before is not None and before is not holder:
            before.taken_over()
        return session

    def new_memory(self, session: Session, seed: int | None = None) -> Memory:
        """For the session's next episode; without a seed, its number is the seed."""
        return self._robots.begin(_next_episode(session) if seed is None else seed)

    def begin(self, session: Session, memory: Memory, instruction: str | None = None) -> None:
        """A new episode, with the memory made for it."""
        session.episode = _next_episode(session)
        session.memory = memory
        session.instruction = instruction
        session.steps, session.answered = 0, None

    def release(self, holder: Holder) -> None:
        """The holder is gone: what it held is kept for a while."""
        for session in self:
            if session.holder is holder:
                session.holder, session.left_at = None, self._clock()

    def close(self, session: Session) -> None:
        """Forget it; nobody acts with it any more."""
        session.holder = None
        self._sessions.pop(session.name, None)

    def held_by(self, holder: Holder) -> list[Session]:
        return [session for session in self if session.holder is holder]

    def sweep(self) -> None:
        """Forget those that nobody came back for."""
        oldest = self._clock() - self._seconds
        for session in self:
            if session.holder is None and session.left_at <= oldest:
                self.close(session)

    def _new(self, holder: Holder, name: str, token: str | None) -> Session:
        if len(self) >= self._most:
            idle = self._idle()
            if idle is None:
                raise ServerBusyError(
                    f"this server takes {self._most} robots, and has them; come back later, or "
                    "raise --max-sessions"
                )
            self.close(idle)
        session = Session(
            name=name,
            token=token if token and len(token) >= TOKEN_BYTES else _new_token(),
            memory=self._robots.begin(),
            holder=holder,
        )
        self._sessions[name] = session
        return session

    def _idle(self) -> Session | None:
        """One whose connection is gone and that loses nothing."""
        return next((s for s in self if s.holder is None and not s.steps), None)


def _new_token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def _next_episode(session: Session) -> int:
    """An episode without a step does not count."""
    return session.episode + (session.steps > 0)
