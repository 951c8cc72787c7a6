"""`PolicyServer`: a policy behind a socket, with its health and its metrics on the same port.

GET /healthz ─▶ 200 OK          always open: it says no more than that the server lives
GET /metrics ─▶ Prometheus      behind the key, where there is one
/, /vla-eval ─▶ websocket       behind the key, where there is one (`talking`)
"""

import asyncio
import contextlib
import logging
import ssl
import threading
from collections.abc import Generator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from sayact.policies.many import ManyRobots, many_robots
from sayact.policies.policy import Policy
from sayact.serve.batching import MOST_ROBOTS, WINDOW_SECONDS
from sayact.serve.conversation import MILLI, Service
from sayact.serve.lanes import batcher_for
from sayact.serve.metrics import Metrics
from sayact.serve.security import Keys, in_url
from sayact.serve.sessions import MOST_SESSIONS, SESSION_SECONDS, Sessions
from sayact.serve.talking import PATHS, talk
from sayact.serve.wire import MEGA, Limits

SWEEP_SECONDS = 5.0  # between looks for sessions that nobody came back for
STOP_SECONDS = 3.0  # for connections to say goodbye
START_SECONDS = 120.0  # for a server in a thread: weights are loaded, a first picture is looked at
# Frames that are read ahead of a connection; a robot waits for its answer, so one is enough.
READ_AHEAD = 2

# websockets writes a traceback for every port scan; what concerns us is logged in `talking`.
QUIET = "sayact.serve.websockets"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """Port 0 takes a free one. `keys` empty: everybody who reaches the port may talk."""

    host: str = "127.0.0.1"
    port: int = 8000
    window_ms: float = MILLI * WINDOW_SECONDS
    max_batch: int = MOST_ROBOTS
    max_sessions: int = MOST_SESSIONS
    session_seconds: float = SESSION_SECONDS
    max_message_bytes: int = 8 * MEGA
    keys: Keys = field(default_factory=Keys)
    tls: ssl.SSLContext | None = None


class PolicyServer:
    """One set of weights for all who connect. Use `async with`, inside the event loop it runs in.

    `port`, `url` and `metrics_url` are right once it has started.
    """

    def __init__(
        self, robots: ManyRobots, policy: str = "policy", options: ServerOptions | None = None
    ) -> None:
        self.options = options = options or ServerOptions()
        self.port = options.port
        metrics = Metrics()
        self.service = Service(
            policy=policy,
            robots=robots,
            sessions=Sessions(robots, most=options.max_sessions, seconds=options.session_seconds),
            batcher=batcher_for(
                robots,
                window_seconds=options.window_ms / MILLI,
                most=options.max_batch,
                watch=metrics.forwarded,
            ),
            metrics=metrics,
            limits=Limits(message_bytes=options.max_message_bytes),
            told={"window_ms": options.window_ms, "session_seconds": options.session_seconds},
        )
        self._server: Server | None = None
        self._tasks: list[asyncio.Task[None]] = []
        _follow(self.service)

    @property
    def url(self) -> str:
        return f"{'ws' if self.options.tls is None else 'wss'}://{self._place}"

    @property
    def metrics_url(self) -> str:
        return f"{'http' if self.options.tls is None else 'https'}://{self._place}/metrics"

    @property
    def _place(self) -> str:
        return f"{in_url(self.options.host)}:{self.port}"

    async def __aenter__(self) -> "PolicyServer":
        """Listens once the network has been warmed up. Raises OSError for a port that is taken."""
        await self.service.batcher.warm_up()
        quiet = logging.getLogger(QUIET)
        quiet.setLevel(logging.CRITICAL)
        self._server = await serve(
            self._handle,
            self.options.host,
            self.options.port,
            process_request=self._at_the_door,
            origins=[None],  # pages in browsers name one: no page may drive a robot
            compression=None,  # pictures are compressed, or in a hurry
            max_size=self.options.max_message_bytes,
            max_queue=READ_AHEAD,
            logger=quiet,
            ssl=self.options.tls,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        self._tasks = [
            asyncio.create_task(self.service.batcher.run()),
            asyncio.create_task(self._sweep()),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Every robot is told that the server goes away (1001)."""
        assert self._server is not None
        self._server.close()
        self.service.batcher.close()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._server.wait_closed()
        except TimeoutError:
            logger.warning("some connections did not end within %.0f s", STOP_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _handle(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        await talk(connection, self.service, PATHS[urlsplit(connection.request.path).path])

    def _at_the_door(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answers what is no websocket, and whoever may not come in; None lets in."""
        path = urlsplit(request.path).path
        if path == "/healthz":
            return connection.respond(HTTPStatus.OK, "OK\n")
        if path not in (*PATHS, "/metrics"):
            known = ", ".join([*PATHS, "/healthz", "/metrics"])
            return connection.respond(HTTPStatus.NOT_FOUND, f"There are: {known}\n")
        given = request.headers.get_all("Authorization")
        if not self.options.keys.open_to(given[0] if len(given) == 1 else None):
            logger.warning("%s has no key", connection.remote_address)
            response = connection.respond(
                HTTPStatus.UNAUTHORIZED, "Give a key: the header Authorization: Api-Key KEY\n"
            )
            response.headers["WWW-Authenticate"] = "Api-Key"
            return response
        if path == "/metrics":
            return connection.respond(HTTPStatus.OK, self.service.metrics.text())
        if self.service.sessions.full:
            return connection.respond(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "ServerBusyError: this server has all the robots it takes; come back later\n",
            )
        return None

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.service.sessions.sweep()


@contextlib.contextmanager
def start_in_thread(
    policy: Policy | ManyRobots, name: str = "policy", **options: Any
) -> Generator[PolicyServer, None, None]:
    """A server beside the program that starts it, for tests and notebooks; gone at the end.

    options: as `ServerOptions` has them, but that the port is a free one unless told.
    Raises whatever keeps the server from starting.
    """
    robots = policy if isinstance(policy, ManyRobots) else many_robots(policy)
    chosen = ServerOptions(**{"port": 0, **options})
    started, failed = threading.Event(), list[BaseException]()
    running: list[tuple[PolicyServer, asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def live() -> None:
        async with PolicyServer(robots, name, chosen) as server:
            stop = asyncio.Event()
            running.append((server, asyncio.get_running_loop(), stop))
            started.set()
            await stop.wait()

    def run() -> None:
        try:
            asyncio.run(live())
        except BaseException as problem:  # told by the thread that waits
            failed.append(problem)
        finally:
            started.set()

    thread = threading.Thread(target=run, name="sayact-server", daemon=True)
    thread.start()
    started.wait(START_SECONDS)
    if failed or not running:
        raise failed[0] if failed else TimeoutError("the server did not start")
    server, loop, stop = running[0]
    try:
        yield server
    finally:
        with contextlib.suppress(RuntimeError):  # it has ended by itself
            loop.call_soon_threadsafe(stop.set)
        thread.join(2 * STOP_SECONDS)


def _follow(service: Service) -> None:
    """The numbers that others keep anyway."""
    sessions, batcher = service.sessions, service.batcher
    follow = service.metrics.follow
    follow("sessions", "Sessions, with a connection or kept", lambda: len(sessions))
    follow("sessions_kept", "Sessions whose connection is gone", lambda: sessions.kept)
    follow("queue_robots", "Robots that wait for a forward pass", lambda: batcher.queued)
