"""Robots that speak the protocol by hand, for tests of the server."""

import socket
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from websockets.asyncio.client import connect as connect_async
from websockets.sync.client import ClientConnection, connect

from sayact.policies.policy import Policy
from sayact.schema import Action, Observation
from sayact.serve.messages import action_of, observation_message
from sayact.serve.server import PolicyServer
from sayact.serve.wire import pack, unpack
from sayact.testing import TINY_IMAGES

# How far the answer of a batch may be from that of a lone run, in probability: rounding of sums.
CLOSE = 1e-5


class Wire:
    """A robot that speaks the protocol by hand."""

    def __init__(self, server: PolicyServer, **options: Any) -> None:
        self.socket: ClientConnection = connect(server.url, compression=None, **options)
        self.metadata = unpack(self.received())

    def received(self) -> bytes:
        frame = self.socket.recv(timeout=20)
        assert isinstance(frame, bytes), frame
        return frame

    def say(self, message: dict[str, Any]) -> dict[str, Any]:
        self.socket.send(pack(message))
        return unpack(self.received())

    def refused(self, frame: bytes | dict[str, Any]) -> str:
        """The name of the error that this is answered with."""
        self.socket.send(frame if isinstance(frame, bytes) else pack(frame))
        said = self.socket.recv(timeout=20)
        assert isinstance(said, str), "an answer where an error was expected"
        return said.partition(":")[0]

    def act(self, seen: Observation, **more: Any) -> Action:
        return action_of(self.say({**observation_message(seen), **more}))


async def come_and_vanish(url: str, robots: int, frames: Sequence[bytes]) -> list[dict[str, Any]]:
    """Robots that act and then lose their power: the connection is reset, without a goodbye."""
    told: list[dict[str, Any]] = []
    connections = [await connect_async(url, compression=None) for _ in range(robots)]
    for robot in connections:
        told.append(unpack(await robot.recv(decode=False)))
        for frame in frames:
            await robot.send(frame)
            await robot.recv(decode=False)
    for robot in connections:
        raw = robot.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        robot.transport.abort()
    return told


def pictures(
    rng: np.random.Generator, count: int, size: tuple[int, int] = TINY_IMAGES.camera
) -> list[Observation]:
    sentence = f"push the cube {rng.integers(1000)} times"
    images = rng.integers(0, 256, (count, *size, 3), dtype=np.uint8)
    return [Observation(image=image, instruction=sentence) for image in images]


def alone(policy: Policy, episode: Sequence[Observation]) -> list[Action]:
    policy.reset()
    return [policy.act(seen) for seen in episode]


def assert_same(played: Action, expected: Action) -> None:
    assert played.tokens is not None
    assert expected.tokens is not None
    np.testing.assert_array_equal(played.tokens, expected.tokens)
    np.testing.assert_allclose(played.values, expected.values, atol=1e-7)
    np.testing.assert_allclose(chances(played), chances(expected), atol=CLOSE)


def chances(action: Action) -> np.ndarray:
    assert action.probabilities is not None
    return action.probabilities


def soon(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
