"""A server in a process of its own, started as a person would, for benches and tests."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sayact.schema.errors import SayactError

LOOPBACK = "127.0.0.1"
READY_S = 120.0  # two seconds for PyTorch, and a big checkpoint takes its time
ENDING_S = 30.0  # Ray ends one process after the other
POLL_S = 0.05
SAYACT = (sys.executable, "-m", "sayact.cli", "serve")


@dataclass(eq=False)
class ServerProcess:
    """`command --port PORT` on the loopback, with these variables added to the environment.

    What it says goes to `log`, or nowhere.
    """

    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    log: Path | None = None
    port: int = 0
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"ws://{LOOPBACK}:{self.port}"

    @property
    def number(self) -> int:
        """Of the process."""
        assert self._process is not None, "start() comes first"
        return self._process.pid

    @property
    def ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def status(self) -> int:
        """With which it ended, once it has by itself."""
        assert self._process is not None, "start() comes first"
        return self._process.wait(ENDING_S)

    def start(self) -> None:
        """On the port it had before, if it had one. Raises SayactError where it ends instead."""
        self.port = self.port or free_port()
        output = subprocess.DEVNULL if self.log is None else self.log.open("ab")
        self._process = subprocess.Popen(
            [*self.command, "--port", str(self.port)],
            env={**os.environ, **self.environment},
            stdout=output,
            stderr=output,
        )
        end = time.monotonic() + READY_S
        while not healthy(self.port):
            if self.ended or time.monotonic() > end:
                self.stop()
                raise SayactError(f"{' '.join(self.command)} did not start; see what it says")
            time.sleep(POLL_S)

    def stop(self) -> None:
        """As Ctrl-C does; by force where that does not help."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """As `kill -9` does: it has no time to say goodbye to anyone."""
        assert self._process is not None, "start() comes first"
        self._process.kill()
        self._process.wait()


@contextmanager
def running(
    *arguments: str,
    command: Sequence[str] = SAYACT,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> Generator[ServerProcess, None, None]:
    """`sayact serve ARGUMENTS`, or another command, ready to answer; ended behind the block."""
    server = ServerProcess([*command, *arguments], environment or {}, log)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def healthy(port: int) -> bool:
    """Does a server on this machine answer at /healthz?"""
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}/healthz", timeout=5) as answer:
            return answer.read() == b"OK\n"
    except (urllib.error.URLError, OSError):
        return False


def free_port() -> int:
    """One that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return probe.getsockname()[1]
