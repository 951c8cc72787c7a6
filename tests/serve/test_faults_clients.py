"""Robots that vanish, stall, or know no key; and what the others notice of it: nothing."""

import asyncio
import gc
import socket
import statistics
import threading
import time
import weakref
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from sayact.policies.loading import load_policy
from sayact.policies.many import Answer, ManyRobots, Memory, many_robots
from sayact.policies.rt1 import RT1Policy
from sayact.schema import Action, ActionSpace, Observation
from sayact.serve.messages import observation_message
from sayact.serve.security import Keys
from sayact.serve.server import start_in_thread
from sayact.serve.wire import pack
from wires import Wire, come_and_vanish, pictures, soon

pytestmark = pytest.mark.usefixtures("as_it_ships")


class Watched(list[Any]):
    """A robot's memory that others can hold weakly, as they cannot a bare list."""


class Watching(ManyRobots):
    """Keeps count of the memories that are alive."""

    def __init__(self, robots: ManyRobots) -> None:
        self._robots = robots
        self._begun: list[weakref.ref[Watched]] = []

    @property
    def alive(self) -> int:
        return sum(memory() is not None for memory in self._begun)

    @property
    def action_space(self) -> ActionSpace:
        return self._robots.action_space

    @property
    def picture(self) -> tuple[int, int] | None:
        return self._robots.picture

    def begin(self, seed: int = 0) -> Memory:
        memory = Watched(self._robots.begin(seed))
        self._begun.append(weakref.ref(memory))
        return memory

    def act_many(
        self, observations: Sequence[Observation], memories: Sequence[Memory]
    ) -> list[Answer]:
        return self._robots.act_many(observations, memories)


class Talkative(ManyRobots):
    """Stands still, and says so at length: answers fill the buffers of who does not read them."""

    def __init__(self, robots: ManyRobots) -> None:
        self._robots = robots

    @property
    def action_space(self) -> ActionSpace:
        return self._robots.action_space

    @property
    def picture(self) -> None:
        return None

    def begin(self, seed: int = 0) -> Memory:
        return None

    def act_many(
        self, observations: Sequence[Observation], memories: Sequence[Memory]
    ) -> list[Answer]:
        still = np.zeros(len(self.action_space), np.float32)
        return [Action(values=still, plan="wait " * 4000) for _ in observations]


def test_a_robot_that_vanishes_is_forgotten_after_a_while(
    tiny: RT1Policy, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sayact.serve.server.SWEEP_SECONDS", 0.05)
    robots = Watching(many_robots(tiny))
    (seen,) = pictures(rng, 1)
    with start_in_thread(robots, session_seconds=1.0) as server:
        stays = Wire(server)
        stays.act(seen)
        frame = pack(observation_message(seen))
        lost = asyncio.run(come_and_vanish(server.url, 5, [frame]))
        sessions = server.service.sessions
        assert soon(lambda: sessions.kept == 5), "the server has not noticed"
        assert robots.alive == 6
        assert soon(lambda: len(sessions) == 1), "their sessions are kept for ever"
        stays.act(seen)  # the batcher lets go of the robots it served last
        gc.collect()
        assert robots.alive == 1, "their memory is kept for ever"
        again = {"type": "resume", "session": lost[0]["session"], "resume": "x"}
        assert stays.say(again)["resumed"] is False


def test_a_robot_that_reads_nothing_is_cut_off_and_slows_nobody(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sayact.serve.talking.WRITE_SECONDS", 0.5)
    (seen,) = pictures(rng, 1, (4, 4))
    with start_in_thread(Talkative(many_robots(load_policy("zero")))) as server:
        quick = Wire(server)
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.connect(("127.0.0.1", server.port))
        deaf = Wire(server, sock=raw, max_queue=1)
        flood = threading.Thread(target=_flood, args=(deaf, pack(observation_message(seen))))
        flood.start()
        took: list[float] = []
        while flood.is_alive() and len(took) < 50_000:
            began = time.perf_counter()
            quick.act(seen)
            took.append(time.perf_counter() - began)
        flood.join(30)
        assert not flood.is_alive(), "the server waits for ever"
        assert len(took) > 5
        assert statistics.median(took) < 0.25  # a few milliseconds on a machine with nothing to do
        assert soon(lambda: server.service.sessions.kept == 1)
        quick.act(seen)


def _flood(deaf: Wire, frame: bytes) -> None:
    """Ask and ask and read no answer (the client reads one ahead), until the connection is cut."""
    with suppress(ConnectionClosed, OSError):
        while True:
            deaf.socket.send(frame)


def test_wrong_keys_stay_outside(tiny: RT1Policy, rng: np.random.Generator) -> None:
    (seen,) = pictures(rng, 1)
    key = "a-key-of-16-letters"
    with start_in_thread(tiny, keys=Keys((key,))) as server:
        for wrong in (None, "Api-Key wrong", f"Api-Key {key}x", f"Basic {key}", key, "Api-Key"):
            headers = {} if wrong is None else {"Authorization": wrong}
            with pytest.raises(InvalidStatus) as refused:
                Wire(server, additional_headers=headers)
            assert refused.value.response.status_code == 401
        assert len(server.service.sessions) == 0
        for right in (f"Api-Key {key}", f"Bearer {key}"):
            Wire(server, additional_headers={"Authorization": right}).act(seen)
