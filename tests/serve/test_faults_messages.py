"""Messages that are none, and a clock that jumps."""

import asyncio
import socket
import struct
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed

from sayact.policies.rt1 import RT1Policy
from sayact.schema import Action
from sayact.serve.messages import observation_message
from sayact.serve.server import PolicyServer, start_in_thread
from sayact.serve.wire import pack
from wires import Wire, alone, assert_same, come_and_vanish, pictures, soon

pytestmark = pytest.mark.usefixtures("as_it_ships")


@pytest.fixture
def server(tiny: RT1Policy) -> Generator[PolicyServer, None, None]:
    with start_in_thread(tiny, session_seconds=0.3) as running:
        yield running


@contextmanager
def undisturbed(server: PolicyServer, tiny: RT1Policy, rng: np.random.Generator) -> Iterator[None]:
    """Another robot's episode goes on through the block as it would alone."""
    episode = pictures(rng, 6)
    expected = alone(tiny, episode)
    robot = Wire(server)
    played = [robot.act(seen) for seen in episode[:3]]
    yield
    played += [robot.act(seen) for seen in episode[3:]]
    for action, lone in zip(played, expected, strict=True):
        assert_same(action, lone)


def test_half_messages_keep_nobody_waiting(
    server: PolicyServer, tiny: RT1Policy, rng: np.random.Generator
) -> None:
    with undisturbed(server, tiny, rng):
        stuck: list[socket.socket] = []
        for part in (
            b"",
            b"GET / HT",
            b"GET / HTTP/1.1\r\nUpgrade: websocket\r\n",
            b"\x16\x03\x01",
        ):
            raw = socket.create_connection(("127.0.0.1", server.port))
            raw.sendall(part)
            stuck.append(raw)
        promised = Wire(server)
        # The head of a frame that promises 60,000 bytes, and eight of them (RFC 6455 section 5.2).
        head = b"\x82\xfe" + struct.pack(">H", 60_000) + b"mask" + b"8 bytes!"
        promised.socket.socket.sendall(head)
        stuck.append(promised.socket.socket)
        for other in range(3):
            half = Wire(server)
            whole = pack(observation_message(pictures(rng, 1)[0]))
            assert half.refused(whole[: len(whole) // (other + 2)]) == "WireError"
            with pytest.raises(ConnectionClosed) as closed:
                half.socket.recv(timeout=10)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1007
    for raw in stuck:
        raw.close()


def test_a_message_that_is_too_large_ends_its_connection(
    server: PolicyServer, tiny: RT1Policy, rng: np.random.Generator
) -> None:
    with undisturbed(server, tiny, rng):
        robot = Wire(server)
        with suppress(ConnectionClosed):  # it is cut off while it sends
            robot.socket.send(bytes(9 * 2**20))
        with pytest.raises(ConnectionClosed) as closed:
            robot.socket.recv(timeout=10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1009


def test_a_mistake_is_told_and_leaves_the_history_as_it_was(
    server: PolicyServer, tiny: RT1Policy, rng: np.random.Generator
) -> None:
    episode = pictures(rng, 5)
    good = observation_message(episode[0])
    robot, played = Wire(server), list[Action]()
    image = episode[0].image
    wrong = [
        ({**good, "observation/image": image.astype(np.float32)}, "ShapeError"),
        ({**good, "observation/image": image.astype(np.int64)}, "ShapeError"),
        ({**good, "observation/image": image[:20]}, "ShapeError"),
        ({**good, "observation/image": b"\xff\xd8 no JPEG"}, "BadObservationError"),
        ({**good, "prompt": 7}, "BadObservationError"),
        ({**good, "observation/state": np.array([np.nan])}, "BadObservationError"),
        ({**good, "step": -1}, "WireError"),
        ({**good, "deadline_ms": "soon"}, "WireError"),
        ({**good, "deadline_ms": 0.0}, "DeadlineError"),
        ({"type": "dance"}, "UnknownNameError"),
        ({"type": np.zeros(3)}, "UnknownNameError"),
        ({"type": ["reset"]}, "UnknownNameError"),
        ({"type": "resume"}, "WireError"),
        ({**good, "session": "x" * 1000}, "WireError"),
    ]
    for seen in episode:
        for message, name in wrong:
            assert robot.refused(message) == name, message
        played.append(robot.act(seen))
    for action, expected in zip(played, alone(tiny, episode), strict=True):
        assert_same(action, expected)


def test_a_clock_that_jumps_moves_nothing(
    tiny: RT1Policy, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours ahead and back at every look: as when a robot finds its time server."""
    jumps = np.random.default_rng(0)
    monkeypatch.setattr(time, "time", lambda: 1e9 + float(jumps.uniform(-9e5, 9e5)))
    monkeypatch.setattr(time, "time_ns", lambda: int(1e9 * time.time()))
    episode = pictures(rng, 8)
    expected = alone(tiny, episode)
    with start_in_thread(tiny, session_seconds=30.0) as server:
        first = [pack(observation_message(seen)) for seen in episode[:4]]
        (robot,) = asyncio.run(come_and_vanish(server.url, 1, first))
        assert soon(lambda: server.service.sessions.kept == 1)
        again = Wire(server)
        told = {name: robot[name] for name in ("session", "resume")}
        assert again.say({"type": "resume", **told})["resumed"] is True
        played = [again.act(seen, deadline_ms=5000.0) for seen in episode[4:]]
        timing = again.say(observation_message(episode[0]))["server_timing"]
        assert all(0 <= timing[name] < 5000 for name in ("infer_ms", "queue_ms", "prev_total_ms"))
    for action, lone in zip(played, expected[4:], strict=True):
        assert_same(action, lone)
