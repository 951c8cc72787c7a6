"""`sayact serve`: one policy for all robots that connect."""

import logging
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from errno import EADDRINUSE
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from rich.console import Console
from tyro.conf import Positional, arg

from sayact.commands.verb import Outcome, Verb
from sayact.schema.errors import SayactError

if TYPE_CHECKING:
    from sayact.policies.many import ManyRobots
    from sayact.serve.server import PolicyServer, ServerOptions

MILLION = 2**20


@dataclass(frozen=True, kw_only=True)
class Serve(Verb):
    """Put a policy behind a socket: robots send what they see, and get what to do.

    The protocol is openpi's websocket with sessions added (docs/serve.md); its clients work as they
    are. Requests of many robots are answered in one forward pass. GET /healthz and /metrics
    (Prometheus) on the same port; Ctrl-C or SIGTERM stops it.

    For instance:

        sayact serve rt1-nano
        sayact serve runs/demo/rt1-demo --port 9000 --engine openvino
        SAYACT_KEY=$(openssl rand -hex 16) sayact serve rt2-nano --host 0.0.0.0
        sayact serve rt1-nano --engine ray --replicas 4
        sayact serve rt1-nano --host :: --key-file keys.txt --certificate c.pem --private-key k.pem
    """

    checkpoint: Annotated[Positional[str], arg(metavar="CHECKPOINT")]
    """A checkpoint's folder, the name of a policy in the box, or random, zero."""
    host: str = "127.0.0.1"
    """Address to listen on; another than this machine's own wants keys, or --insecure."""
    port: int = 8000
    """Port to listen on; 0 takes a free one and tells it."""
    device: str = "cpu"
    """Where PyTorch computes: cpu, cuda, cuda:1 …"""
    engine: Literal["torch", "openvino", "onnx", "ray"] | None = None
    """What computes the network; an exported folder knows its own. ray: copies of it, by Ray."""
    precision: Literal["float32", "bfloat16", "int8"] | None = None
    """In which numbers; float32 unless told."""
    plan_every: Annotated[int | None, arg(metavar="N")] = None
    """RT-2 alone: write a plan every N steps, 0 for none; unless told, as its checkpoint says."""
    replicas: int = 1
    """With --engine ray: how many copies of the policy."""
    window_ms: float = 5.0
    """Longest that a request waits for those of other robots, to be answered together."""
    max_batch: int = 64
    """Most robots that are answered in one forward pass; 1 answers each by itself."""
    max_sessions: int = 256
    """Robots at a time, those included whose connection broke a moment ago."""
    session_seconds: float = 60.0
    """How long the episode of a robot is kept whose connection broke."""
    max_message_mb: float = 8.0
    """Largest message that is read."""
    key_file: Annotated[Path | None, arg(metavar="FILE")] = None
    """Keys that let robots in, one a line; without, the one in the variable SAYACT_KEY, if set."""
    insecure: bool = False
    """Let all in who reach --host, without a key."""
    certificate: Annotated[Path | None, arg(metavar="FILE")] = None
    """TLS (wss://): the certificate, as PEM."""
    private_key: Annotated[Path | None, arg(metavar="FILE")] = None
    """TLS: its private key, as PEM."""
    verbose: bool = False
    """Tell of every connection."""

    def run(self, console: Console) -> Outcome:
        import asyncio

        options = self._options()
        if self.verbose:
            _tell_connections(console)
        with self._robots() as robots:
            return Outcome(result=asyncio.run(self._serve(robots, options, console)))

    def _options(self) -> "ServerOptions":
        """Checked before any weights are read."""
        import os

        from sayact.schema.errors import MissingExtraError

        try:
            from sayact.serve.server import ServerOptions
        except ModuleNotFoundError as missing:
            if (missing.name or "").split(".")[0] != "websockets":
                raise
            raise MissingExtraError("websockets", "serve") from None
        from sayact.serve.security import read_keys, require_safe_host, tls_context

        self._require_sound_numbers()
        keys = read_keys(self.key_file, os.environ)
        require_safe_host(self.host, keys, self.insecure)
        return ServerOptions(
            host=self.host,
            port=self.port,
            window_ms=self.window_ms,
            max_batch=self.max_batch,
            max_sessions=self.max_sessions,
            session_seconds=self.session_seconds,
            max_message_bytes=int(self.max_message_mb * MILLION),
            keys=keys,
            tls=tls_context(self.certificate, self.private_key),
        )

    def _require_sound_numbers(self) -> None:
        sound = {
            f"--port {self.port}": 0 <= self.port < 65536,
            f"--window-ms {self.window_ms:g}": 0 <= self.window_ms <= 1000,
            f"--max-batch {self.max_batch}": self.max_batch >= 1,
            f"--max-sessions {self.max_sessions}": self.max_sessions >= 1,
            f"--session-seconds {self.session_seconds:g}": self.session_seconds >= 0,
            f"--max-message-mb {self.max_message_mb:g}": 0.01 <= self.max_message_mb <= 1024,
            f"--replicas {self.replicas}": self.replicas >= 1,
        }
        wrong = [given for given, right in sound.items() if not right]
        if wrong:
            raise SayactError(f"{', '.join(wrong)} is out of range; see `sayact serve --help`")
        if self.replicas > 1 and self.engine != "ray":
            raise SayactError("--replicas are copies that Ray runs: give --engine ray too")

    def _robots(self) -> AbstractContextManager["ManyRobots"]:
        """The policy, or Ray's copies of it, which must be ended."""
        from sayact.policies.loading import load_policy
        from sayact.policies.many import many_robots

        if self.engine == "ray":
            from sayact.serve.ray_engine import ray_robots

            if self.precision is not None:
                raise SayactError(
                    "copies that Ray runs compute as their checkpoint says: `sayact export` it in "
                    "this precision, and serve that folder"
                )
            return ray_robots(
                self.checkpoint, self.replicas, device=self.device, plan_every=self.plan_every
            )
        policy = load_policy(
            self.checkpoint, self.device, self.engine, self.precision, self.plan_every
        )
        return nullcontext(many_robots(policy))

    async def _serve(
        self, robots: "ManyRobots", options: "ServerOptions", console: Console
    ) -> dict[str, str]:
        """Until a signal comes."""
        from sayact.serve.server import PolicyServer

        name = Path(self.checkpoint).name or self.checkpoint
        async with _listening(PolicyServer(robots, name, options)) as server:
            console.print(_greeting(server, name), soft_wrap=True)
            await _signalled()
            console.print("stopping: robots are told")
        return {"url": server.url, "policy": name}


@asynccontextmanager
async def _listening(server: "PolicyServer") -> "AsyncGenerator[PolicyServer, None]":
    """Raises SayactError for a port or a host that it cannot have."""
    host, port = server.options.host, server.options.port
    try:
        await server.__aenter__()
    except OSError as taken:
        if taken.errno == EADDRINUSE:
            raise SayactError(
                f"port {port} of {host} is taken, by another server perhaps; give another --port"
            ) from None
        raise SayactError(f"cannot listen on --host {host} --port {port}: {taken}") from None
    try:
        yield server
    finally:
        await server.__aexit__()


def _greeting(server: "PolicyServer", name: str) -> str:
    space = server.service.robots.action_space.name
    key = "with a key" if server.options.keys else "without a key"
    return f"{name} ({space}) at {server.url}, {key}; metrics at {server.metrics_url}"


async def _signalled() -> None:
    """Wait for SIGINT or SIGTERM."""
    import asyncio
    import signal

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # on Windows Ctrl-C interrupts by itself
            loop.add_signal_handler(number, stop.set)
    await stop.wait()


def _tell_connections(console: Console) -> None:
    from rich.logging import RichHandler

    logger = logging.getLogger("sayact.serve")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(RichHandler(console=console, show_path=False))
