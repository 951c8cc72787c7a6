"""What one robot's connection is answered, whatever words it came in.

observation    its session's turn ─▶ decoded ─▶ batcher ─▶ actions
control        begin an episode, end it, come back to a session, leave
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np

from sayact.policies.many import ManyRobots
from sayact.schema import Observation
from sayact.schema.errors import SessionTakenError, UnknownNameError, WireError
from sayact.serve import messages as say
from sayact.serve.batching import Acted, Batcher
from sayact.serve.lanes import Batchers
from sayact.serve.metrics import Metrics
from sayact.serve.sessions import Answered, Session, Sessions
from sayact.serve.wire import Limits

LONGEST_NAME = 128  # letters of a session's
MILLI = 1e3  # milliseconds in a second


@dataclass(frozen=True, kw_only=True)
class Service:
    """What all connections of a server share. `told` is what else the metadata says."""

    policy: str
    robots: ManyRobots
    sessions: Sessions
    batcher: Batcher | Batchers
    metrics: Metrics
    limits: Limits
    told: Mapping[str, Any]

    def metadata(self, session: Session) -> dict[str, Any]:
        """The first message of every connection."""
        picture = self.robots.picture
        return {
            "server": "sayact",
            "version": version("sayact"),
            "protocol": say.PROTOCOL,
            "policy": self.policy,
            "action_space": self.robots.action_space.to_json(),
            "action_horizon": 1,
            "picture": None if picture is None else list(picture),
            say.SESSION: session.name,
            say.RESUME: session.token,
            "max_message_bytes": self.limits.message_bytes,
            **self.told,
        }


class Conversation:
    """One connection's. It has a session of its own, and may open others by name."""

    def __init__(self, service: Service, hang_up: Callable[[], None]) -> None:
        """`hang_up` is called when another connection takes the session over.

        Raises ServerBusyError where the server has as many robots as it takes.
        """
        self.service = service
        self._sessions = service.sessions
        self._hang_up = hang_up
        self.session = self._sessions.open(self)
        self.previous_ms: float | None = None  # the answer before, until it was sent

    def metadata(self) -> dict[str, Any]:
        return self.service.metadata(self.session)

    def taken_over(self) -> None:
        self._hang_up()

    def leave(self) -> None:
        """The connection is gone; its sessions wait for a while."""
        self._sessions.release(self)

    @property
    def over(self) -> bool:
        """It has closed all of its sessions."""
        return not self._sessions.held_by(self)

    async def answer(self, message: Mapping[str, Any], received: float) -> dict[str, Any]:
        """The answer to one message. Whatever is raised has changed nothing.

        received: when it came, by time.monotonic.
        """
        if say.TYPE in message:
            return await self._control(message)
        session = self._named(message)
        async with session.turn:
            self._require_held(session)
            return await self._act(session, message, received)

    async def _act(
        self, session: Session, message: Mapping[str, Any], received: float
    ) -> dict[str, Any]:
        step, anew = _whole(message, say.STEP), _truth(message, say.RESET)
        if not anew and step is not None and session.answered is not None:
            if step == session.answered.step:  # asked again after a broken connection
                return session.answered.reply
            if step < session.answered.step:
                raise WireError(
                    f"step {step} comes after step {session.answered.step} of the same episode; "
                    "begin a new one, or count on"
                )
        deadline = _deadline(message, received)
        observation = await _observed(message, session.instruction)
        memory = self._sessions.new_memory(session) if anew else session.memory
        acted = await self.service.batcher.act(session.name, observation, memory, deadline)
        if anew:  # not before: a refused request changes nothing
            self._sessions.begin(session, memory, session.instruction)
        counted = session.steps if step is None else step
        session.steps += 1
        reply = self._reply(session, acted, counted)
        session.answered = Answered(counted, reply)
        self.service.metrics.answered(time.monotonic() - received, acted.queue_seconds)
        return reply

    def _reply(self, session: Session, acted: Acted, step: int) -> dict[str, Any]:
        infer_ms = MILLI * acted.infer_seconds
        timing = {
            say.INFER_MS: infer_ms,
            say.QUEUE_MS: MILLI * acted.queue_seconds,
            say.BATCH: acted.batch,
        }
        if self.previous_ms is not None:
            timing[say.PREV_TOTAL_MS] = self.previous_ms
        return {
            **say.action_message(acted.action),
            say.SESSION: session.name,
            say.EPISODE: session.episode,
            say.STEP: step,
            say.POLICY_TIMING: {say.INFER_MS: infer_ms},
            say.SERVER_TIMING: timing,
        }

    async def _control(self, message: Mapping[str, Any]) -> dict[str, Any]:
        kind = message[say.TYPE]
        if not isinstance(kind, str) or kind not in say.CONTROLS:
            raise UnknownNameError("type of message", str(kind)[:40], say.CONTROLS)
        if kind == say.RESUME:
            return await self._resumed(message)
        session = self._named(message)
        async with session.turn:
            self._require_held(session)
            steps = self._changed(session, kind, message)
        return self._done(session, kind, steps)

    def _changed(self, session: Session, kind: str, message: Mapping[str, Any]) -> int:
        """Do as the message says; how many steps the session's episode has now, or had."""
        steps = session.steps
        if kind == say.CLOSE:
            self._sessions.close(session)
        elif kind == say.EPISODE_END:
            self._sessions.begin(session, self._sessions.new_memory(session))
        else:
            seed, told = _whole(message, say.SEED), _text(message, say.INSTRUCTION)
            kept = session.instruction if kind == say.RESET else None
            memory = self._sessions.new_memory(session, seed)
            self._sessions.begin(session, memory, told or kept)
            steps = 0
        return steps

    async def _resumed(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """The session with this name and token is the connection's own from now on.

        One that the server does not know (it was restarted, or waited too long) begins anew.
        """
        name, token = _text(message, say.SESSION), _text(message, say.RESUME)
        if name is None or token is None:
            raise WireError(f"to resume takes both {say.SESSION!r} and {say.RESUME!r}, as text")
        _require_name(name)
        found = self._sessions.resume(self, name, token)
        session = found or self._sessions.open(self, name, token)
        if self.session is not session:
            if not self.session.steps and self.session.holder is self:
                self._sessions.close(self.session)
            self.session = session
        async with session.turn:  # what the older connection asked last is counted
            done = self._done(session, say.RESUME, session.steps)
        return {**done, say.RESUMED: found is not None}

    def _done(self, session: Session, kind: str, steps: int) -> dict[str, Any]:
        return {
            say.TYPE: kind,
            say.OK: True,
            say.SESSION: session.name,
            say.RESUME: session.token,
            say.EPISODE: session.episode,
            say.STEPS: steps,
        }

    def _named(self, message: Mapping[str, Any]) -> Session:
        """The session that a message is about: the one it names, or the connection's own."""
        name = _text(message, say.SESSION)
        if name is None:
            return self.session
        _require_name(name)
        return self._sessions.open(self, name)

    def _require_held(self, session: Session) -> None:
        """While a request waited for its turn, another connection may have come."""
        if session.holder is not self:
            raise SessionTakenError(f"the session {session.name!r} was closed or taken over")


async def _observed(message: Mapping[str, Any], instruction: str | None) -> Observation:
    """Pictures that must be decoded are decoded in a thread: that takes a millisecond and more."""
    if say.is_bare(message):
        return say.observation_of(message, instruction)
    return await asyncio.to_thread(say.observation_of, message, instruction)


def _deadline(message: Mapping[str, Any], received: float) -> float | None:
    """When the action must be ready, by time.monotonic."""
    given = _plain(message, say.DEADLINE_MS)
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise WireError(f"{say.DEADLINE_MS} must be a number of milliseconds from receipt on")
    return received + given / MILLI


def _require_name(name: str) -> None:
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise WireError(f"a session's name must be 1 to {LONGEST_NAME} printable letters")


def _plain(message: Mapping[str, Any], key: str) -> Any:
    """What stands there, or None; a scalar of numpy is the number, or the text, that it holds."""
    given = message.get(key)
    return given.item() if isinstance(given, np.generic) else given


def _text(message: Mapping[str, Any], key: str) -> str | None:
    given = _plain(message, key)
    if given is not None and not isinstance(given, str):
        raise WireError(f"{key} must be text; got a {type(given).__name__}")
    return given


def _whole(message: Mapping[str, Any], key: str) -> int | None:
    given = _plain(message, key)
    if given is not None and (type(given) is not int or given < 0):
        raise WireError(f"{key} must be a whole number from 0 on; got {str(given)[:40]}")
    return given


def _truth(message: Mapping[str, Any], key: str) -> bool:
    given = _plain(message, key)
    if given is None and key not in message:
        return False
    if not isinstance(given, bool):
        raise WireError(f"{key} must be true or false; got {str(given)[:40]}")
    return given
