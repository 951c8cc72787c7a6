"""A link that outlasts its connection: a question is asked until it is answered, or time is up.

ask ─▶ reach ─▶ link.ask ─▶ answer
         ▲          └─ broken: drop the link, wait a little, reach the server again
         └─ connect, then resume the session: known there, or its history is lost
"""

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

import sayact.serve.messages as say
from sayact.schema import ActionSpace
from sayact.schema.errors import (
    AnswerLateError,
    HistoryLostError,
    SayactError,
    ServerError,
    ServerUnreachableError,
)
from sayact.serve.link import BrokenLink, Link, tls

logger = logging.getLogger(__name__)

# Between tries to reach a server: doubled from the first to the last.
FIRST_PAUSE, LAST_PAUSE = 0.05, 1.0
GOODBYE_SECONDS = 0.5


class LastingLink:
    """One robot's session at a server. Its questions come one after the other.

    steps: of the episode so far, told by whoever acts: without any there is no history to lose.
    history_lost: how often an episode went on with a server that did not know it any more.
    metadata, space: what the server said when it was first reached; None before.
    """

    def __init__(
        self, url: str, *, key: str | None, session: str | None, ca_file: str | None
    ) -> None:
        """session: a name of one's own; None for the one that the server gives."""
        self.url = url
        self.session = session
        self.steps = 0  # of the episode, told to the server with each observation
        self.answered = 0  # of these, those that the server's session has in its history
        self.history_lost = 0
        self.metadata: dict[str, Any] = {}
        self.space: ActionSpace | None = None
        self._key, self._tls = key, tls(url, ca_file)
        self._token = ""
        self._link: Link | None = None
        self._pause, self._try_at = FIRST_PAUSE, 0.0
        self._problem = "there was no time to try"
        self._turn = threading.Lock()
        self._closed = False

    def open(self, seconds: float) -> None:
        """Reach the server, trying for so long. Raises ServerUnreachableError."""
        with self._turn:
            self._reached(time.monotonic() + seconds)

    def close(self) -> None:
        """Leave: the server forgets this robot. Also while another thread waits for an answer."""
        self._closed = True
        link, idle = self._link, self._turn.acquire(blocking=False)
        if link is not None:
            try:
                if idle:
                    link.ask({say.TYPE: say.CLOSE}, GOODBYE_SECONDS)
            except (BrokenLink, SayactError) as problem:
                logger.debug("left without a goodbye: %s", problem)
            link.close()
        if idle:
            self._link = None
            self._turn.release()

    def ask(self, message: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """Raises what the server says, AnswerLateError, or ServerUnreachableError."""
        until = time.monotonic() + seconds
        again = True
        with self._turn:
            while True:
                link = self._reached(until)
                try:
                    reply = link.ask(message, until - time.monotonic())
                except BrokenLink as broken:
                    logger.info("the connection to %s broke: %s", self.url, broken)
                    self._drop()
                    continue
                except AnswerLateError as late:
                    # Its answer may still come, and must not be taken for that of the next step.
                    self._drop()
                    raise AnswerLateError(f"{self.url} gave {late}") from None
                except HistoryLostError as lost:
                    # The server lives, and the process that held the history does not.
                    self._lose(str(lost))
                    if not again:
                        raise
                    again = False
                    continue
                except ServerError:
                    if link.closed:
                        self._drop()
                    raise
                except KeyboardInterrupt:  # its answer comes all the same, and is not the next one
                    self._drop()
                    raise
                self._pause = FIRST_PAUSE
                return reply

    def _reached(self, until: float) -> Link:
        """The open link, or a new one with the session resumed."""
        while self._link is None:
            if self._closed:
                raise ServerUnreachableError(f"the client of {self.url} was closed")
            pause = self._try_at - time.monotonic()
            left = until - time.monotonic()
            if left <= max(0.0, pause):
                # The pause goes on while the caller does something else.
                raise ServerUnreachableError(
                    f"{self.url} cannot be reached ({self._problem}). Is the server running? "
                    "Start one: sayact serve CHECKPOINT"
                )
            time.sleep(max(0.0, pause))
            try:
                self._greet(until)
            except (BrokenLink, AnswerLateError) as failed:
                self._problem = str(failed)
                self._drop()
            except SayactError:
                self._drop()
                raise
        return self._link

    def _greet(self, until: float) -> None:
        """Connect, and become the session's robot again."""
        seconds = max(until - time.monotonic(), 1e-3)
        link = Link(self.url, key=self._key, context=self._tls, seconds=seconds)
        try:
            self._welcome(link, until)
        except KeyError as missing:
            link.close()
            raise ServerError(
                f"{self.url} did not give {missing}, as Sayact's servers do"
            ) from None
        except BaseException:
            link.close()
            raise
        self._link = link

    def _welcome(self, link: Link, until: float) -> None:
        told = link.metadata
        space = _space_of(self.url, told)
        if self.space is not None and (differences := self.space.differences(space)):
            raise ServerError(
                f"{self.url} now serves another action space: {'; '.join(differences)} (before: "
                "here, now: there). Connect anew"
            )
        if self.space is None:
            self.metadata, self.space = told, space
        if self.session is None:
            self.session, self._token = told[say.SESSION], told[say.RESUME]
            return
        asked = {say.TYPE: say.RESUME, say.SESSION: self.session, say.RESUME: self._token}
        reply = link.ask(asked, until - time.monotonic())
        self._token = reply[say.RESUME]
        # `resumed` is true as well where an earlier try began anew and we never heard of it.
        if reply[say.STEPS] < self.answered:
            self._lose(f"{self.url} does not know this robot any more")

    def _lose(self, why: str) -> None:
        self.history_lost += 1
        self.answered = 0
        logger.warning(
            "%s: what it saw in the %d steps of this episode is lost, and the policy goes on from "
            "here",
            why,
            self.steps,
        )

    def _drop(self) -> None:
        """The link is of no use; the next try waits, longer each time."""
        link, self._link = self._link, None
        if link is not None:
            link.close()
        self._try_at = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, LAST_PAUSE)


def _space_of(url: str, metadata: Mapping[str, Any]) -> ActionSpace:
    try:
        return ActionSpace.from_json(metadata["action_space"])
    except (KeyError, TypeError, ValueError):
        raise ServerError(
            f"{url} does not say what its actions mean: it is a policy server, but none of "
            "sayact's. openpi's own client talks to it"
        ) from None
