"""A robot's end of the wire: the policy of a server, for machines without torch.

    with connect("ws://gpu-box:8000") as policy:
        policy.episode_start("push the red moon to the blue cube")
        action = policy.act(observation)              # as Policy.act
        policy.last_timing                            # round trip, and what the server took of it

What is asked is asked until it is answered or `timeout_s` is over: a connection that breaks is
opened again, the session resumed, and the same step sent once more; the server answers a step that
it has seen from memory, so that nothing is acted on twice.

    act ─▶ step 7 ─✗ broken ─ reconnect ─ resume ─▶ step 7 ─▶ action
                                            └ unknown there: the history is lost, and counted
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import sayact.serve.messages as say
from sayact.schema import Action, ActionSpace, Observation
from sayact.schema.errors import (
    AnswerLateError,
    DeadlineError,
    SayactError,
    ServerBusyError,
    ServerUnreachableError,
)
from sayact.serve.lasting import LastingLink

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS = 5.0
CONNECT_SECONDS = 10.0
MILLI = 1e3

# A server that gives no action now may give one later; meanwhile the fallback acts.
UNAVAILABLE = (AnswerLateError, DeadlineError, ServerBusyError, ServerUnreachableError)

Fallback = Callable[[Observation], Action]


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Of one step. server: what the server says of it in milliseconds, such as "infer_ms"."""

    round_trip_ms: float
    server: Mapping[str, float]


def connect(
    url: str,
    *,
    key: str | None = None,
    session: str | None = None,
    timeout_s: float = TIMEOUT_SECONDS,
    connect_seconds: float = CONNECT_SECONDS,
    jpeg_quality: int | None = None,
    ca_file: str | None = None,
    fallback: Fallback | None = None,
) -> "PolicyClient":
    """The policy that is served at ws://HOST:PORT or wss://HOST:PORT.

    key: what the server wants, if it wants one.
    session: a name of one's own for the robot's session; the server gives one unless told.
    timeout_s: how long a step may take, reconnecting included.
    connect_seconds: how long to try to reach the server at first.
    jpeg_quality: 1 … 95 to send pictures as JPEG, which are small; None sends them as they are.
    ca_file: certificate of the authority that signed the server's, if the machine does not know it.
    fallback: acts in place of a server that gives no action; without one that is an error.
    """
    require_url(url)
    link = LastingLink(url, key=key, session=session, ca_file=ca_file)
    link.open(connect_seconds)
    return PolicyClient(link, timeout_s=timeout_s, jpeg_quality=jpeg_quality, fallback=fallback)


def is_url(name: str) -> bool:
    """Whether it names a policy server, and no checkpoint."""
    return name.startswith(("ws://", "wss://"))


def require_url(url: str) -> None:
    """Raises ServerUnreachableError for what cannot be an address."""
    try:
        parts = urlsplit(url)
        sound = is_url(url) and bool(parts.hostname) and parts.port != 0
    except ValueError:  # no number of a port
        sound = False
    if not sound:
        raise ServerUnreachableError(
            f"a policy server's address looks like ws://HOST:PORT, or wss://HOST:PORT; got {url!r}"
        )


class PolicyClient:
    """Made by `connect`. One robot's: its calls come one after the other.

    fallbacks: how often the fallback acted.
    """

    def __init__(
        self,
        link: LastingLink,
        *,
        timeout_s: float = TIMEOUT_SECONDS,
        jpeg_quality: int | None = None,
        fallback: Fallback | None = None,
    ) -> None:
        self.timeout_s = timeout_s
        self.jpeg_quality = jpeg_quality
        self.fallback = fallback
        self.fallbacks = 0
        self.last_timing: Timing | None = None
        self._link = link

    @property
    def metadata(self) -> Mapping[str, Any]:
        """What the server said when it was first reached."""
        return self._link.metadata

    @property
    def session(self) -> str:
        """The name of this robot's session."""
        return self._link.session or ""

    @property
    def history_lost(self) -> int:
        """How often an episode went on with a server that did not know it any more."""
        return self._link.history_lost

    @property
    def action_space(self) -> ActionSpace:
        """What the numbers of its actions mean."""
        if self._link.space is None:
            raise ServerUnreachableError(f"{self._link.url} has not been reached yet")
        return self._link.space

    def act(self, observation: Observation) -> Action:
        """The action for this moment. History is the server's affair.

        Raises what the policy raises there, AnswerLateError or ServerUnreachableError.
        """
        started = time.monotonic()
        asked = say.observation_message(observation, self.jpeg_quality)
        asked |= {say.STEP: self._link.steps, say.DEADLINE_MS: MILLI * self.timeout_s}
        try:
            reply = self._link.ask(asked, self.timeout_s)
        except UNAVAILABLE as problem:
            return self._fall_back(observation, problem)
        finally:
            self._link.steps += 1
        self._link.answered += 1
        self.last_timing = Timing(
            round_trip_ms=MILLI * (time.monotonic() - started),
            server=reply.get(say.SERVER_TIMING, {}),
        )
        return say.action_of(reply)

    def reset(self) -> None:
        """Forget the episode; call it before the first `act` of every one."""
        self._control(say.RESET)

    def episode_start(self, instruction: str | None = None, seed: int | None = None) -> None:
        """As `reset`; `instruction` for observations that have none, `seed` for what draws."""
        told = {say.INSTRUCTION: instruction, say.SEED: seed}
        self._control(say.EPISODE_START, {k: v for k, v in told.items() if v is not None})

    def episode_end(self) -> None:
        """Tell the server that this episode is over."""
        self._control(say.EPISODE_END)

    def close(self) -> None:
        """Leave: the server forgets this robot. Also from another thread than the one that acts."""
        self._link.close()

    def __enter__(self) -> "PolicyClient":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def _control(self, kind: str, more: Mapping[str, Any] | None = None) -> None:
        self._link.steps = self._link.answered = 0  # whatever the episode was: it is not missed
        self._link.ask({say.TYPE: kind, **(more or {})}, self.timeout_s)

    def _fall_back(self, observation: Observation, problem: SayactError) -> Action:
        if self.fallback is None:
            raise problem
        self.fallbacks += 1
        if self.fallbacks == 1:
            logger.warning("the fallback acts: %s", problem)
        return self.fallback(observation)
