"""Ten thousand broken messages: each is refused by name or is a message after all."""

import asyncio
import io
import resource
import struct
import time
import tracemalloc
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import msgpack
import numpy as np
import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from sayact.policies.loading import load_policy
from sayact.policies.many import many_robots
from sayact.schema.errors import SayactError, WireError
from sayact.serve import messages, vla_eval
from sayact.serve.conversation import Conversation
from sayact.serve.server import PolicyServer, start_in_thread
from sayact.serve.talking import PATHS
from sayact.serve.wire import Limits, pack, unpack

pytestmark = pytest.mark.usefixtures("as_it_ships")

FRAMES, SOCKET_FRAMES = 10_000, 300
NAMES = {"WireError", "BadObservationError", "ShapeError", "UnknownNameError"}
# Names that few frames happen on; no frame has to.
SELDOM = {"SessionTakenError", "DeadlineError", "ServerBusyError"}
# Structure is what to break; most bytes of a message are pixels, which may be anything.
HEAD = 96
# What a decoder believes: lists, maps, text and bytes of 4 thousand million parts, and odd kinds.
HEADERS = [first + b"\xff\xff\xff\xff" for first in (b"\xdd", b"\xdf", b"\xdb", b"\xc6", b"\xc9")]
ODD = [
    b"\xc1",
    b"\xc0",
    b"\xd4\x05x",
    b"\xcb\x7f\xf8\0\0\0\0\0\0",
    b"\x93",
    b"\x81",
    b"\xa4\xff\xfe\xfd\xfc",
]


def picture(rng: np.random.Generator) -> np.ndarray:
    return rng.integers(0, 256, (36, 64, 3), dtype=np.uint8)


def file(image: np.ndarray, kind: str) -> bytes:
    target = io.BytesIO()
    Image.fromarray(image).save(target, kind)
    return target.getvalue()


def valid_messages(rng: np.random.Generator) -> list[dict[Any, Any]]:
    """Whatever a robot says on either path."""
    image = picture(rng)
    raw = {"observation/image": image, "prompt": "push the red moon", "step": 3, "session": "arm"}
    harness = {"images": {"front": image}, "task_description": "push it", "states": np.zeros(7)}
    return [
        {**raw, "deadline_ms": 9e4, "reset": True, "observation/state": np.zeros(4, np.float32)},
        {"observation/image": file(image, "JPEG"), "prompt": "push", "step": 4},
        {"image": file(image, "PNG"), "instruction": "push"},
        {"type": "episode_start", "instruction": "push the cube", "seed": 3},
        {"type": "episode_end"},
        {"type": "resume", "session": "leg", "resume": "token"},
        {"type": "observation", "payload": harness, "seq": 5, "timestamp": 1.0},
        {"type": "hello", "payload": {"protocol_version": 1}, "seq": 1, "timestamp": 1.0},
    ]


JUNK: list[Callable[[np.random.Generator], Any]] = [
    lambda rng: None,
    lambda rng: float("nan"),
    lambda rng: int(rng.integers(-(2**63), 2**63 - 1)),
    lambda rng: "x" * int(rng.integers(0, 5000)),
    lambda rng: rng.bytes(int(rng.integers(0, 300))),
    lambda rng: [[[[]]]] * int(rng.integers(0, 9)),
    lambda rng: {"a": {"b": rng.bytes(3)}},
    lambda rng: rng.random((2, 3)),
    lambda rng: np.full((36, 64, 3), np.nan),
    lambda rng: np.zeros((0, 64, 3), np.uint8),
    lambda rng: np.zeros((2, 36, 64, 3), np.uint8),
    lambda rng: {b"__ndarray__": True, b"data": b"", b"dtype": "|O", b"shape": [0]},
    lambda rng: {b"__ndarray__": True, b"data": b"12", b"dtype": "|u1", b"shape": [-1, 2]},
    lambda rng: {b"__ndarray__": True, b"data": b"", b"dtype": "|u1", b"shape": [2**62, 2**62, 0]},
    lambda rng: {b"__npgeneric__": True, b"data": "x", b"dtype": "<f4"},
    lambda rng: {"__image__": True, "format": "raw", "data": b"123", "shape": [2**63, 2]},
]


def broken(rng: np.random.Generator, sent: list[dict[Any, Any]]) -> bytes:
    """A message with something wrong in it; seldom, with nothing wrong after all."""
    message = dict(sent[rng.integers(len(sent))])
    if rng.random() < 0.4:  # the form is right and a value is not
        place = message
        if "payload" in message and rng.random() < 0.7:
            place = message["payload"] = dict(message["payload"])
        for _ in range(rng.integers(1, 3)):
            name = list(place)[rng.integers(len(place))] if place else "step"
            place[name] = JUNK[rng.integers(len(JUNK))](rng)
        return msgpack.packb(message, default=_array) or b""
    data = bytearray(pack(message))
    for _ in range(rng.integers(1, 4)):
        _damage(data, rng)
    return bytes(data)


def _array(value: object) -> dict[bytes, Any]:
    array = np.asarray(value)
    return {
        b"__ndarray__": True,
        b"data": array.tobytes(),
        b"dtype": array.dtype.str,
        b"shape": array.shape,
    }


def _damage(data: bytearray, rng: np.random.Generator) -> None:
    reach = len(data) if rng.random() < 0.5 else min(len(data), HEAD)
    place = int(rng.integers(max(1, reach)))
    match rng.integers(5):
        case 0:
            data[place : place + 1] = rng.bytes(1)
        case 1:
            del data[place:]
        case 2:
            data[place:place] = rng.bytes(int(rng.integers(1, 20)))
        case 3:
            data[place : place + 1] = [*HEADERS, *ODD][rng.integers(len(HEADERS) + len(ODD))]
        case _:
            del data[place : place + int(rng.integers(1, 40))]


async def outcomes(frames: Iterable[bytes]) -> Counter[str]:
    """What the server makes of frames before and behind its socket: "answered", or the name of the
    error that it tells. A fault of its own is raised here."""
    service = PolicyServer(many_robots(load_policy("zero"))).service
    counts: Counter[str] = Counter()
    batching = asyncio.create_task(service.batcher.run())
    conversation = Conversation(service, lambda: None)
    for number, frame in enumerate(frames):
        if conversation.over or number % 100 == 0:
            conversation.leave()
            conversation = Conversation(service, lambda: None)
        try:
            message = unpack(frame, service.limits)
        except WireError:
            counts["WireError"] += 1
            continue
        path = vla_eval.PATH if vla_eval.PAYLOAD in message else "/"
        said = await PATHS[path].answer(conversation, message, time.monotonic())
        counts[name_of(said)] += 1
    batching.cancel()
    return counts


def name_of(said: bytes | str | None) -> str:
    if isinstance(said, bytes):
        reply = unpack(said)
        if reply.get("type") != vla_eval.ERROR:
            return "answered"
        said = str(reply["payload"]["error"])
    assert said is None or "\n" not in said
    return "answered" if said is None else said.partition(":")[0]


def test_each_of_ten_thousand_frames_is_answered_or_refused_by_name(
    rng: np.random.Generator,
) -> None:
    sent = valid_messages(rng)
    assert asyncio.run(outcomes(map(pack, sent))) == {"answered": len(sent)}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    counts = asyncio.run(outcomes(broken(rng, sent) for _ in range(FRAMES)))
    assert counts.total() == FRAMES
    assert set(counts) - SELDOM == {"answered", *NAMES}
    assert min(counts[name] for name in NAMES) > FRAMES / 500  # they reach beyond the first check
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before  # kilobytes on Linux
    assert grown < 100_000


def test_a_server_lives_through_fuzz_on_its_socket(rng: np.random.Generator) -> None:
    sent = valid_messages(rng)
    with start_in_thread(load_policy("zero")) as server:
        answered, sockets = 0, dict[str, ClientConnection]()
        for _ in range(SOCKET_FRAMES):
            path = ["/", vla_eval.PATH][rng.integers(2)]
            try:
                if path not in sockets:
                    sockets[path] = connect(server.url + path, compression=None)
                    if path == "/":
                        sockets[path].recv()
                sockets[path].send(broken(rng, sent))
                answered += len(sockets[path].recv(timeout=0.3)) > 0
            except TimeoutError:  # the harness waits for no answer to most of its messages
                continue
            except ConnectionClosed:
                del sockets[path]
        assert answered > SOCKET_FRAMES / 4
        with connect(server.url, compression=None) as robot:
            robot.recv()
            robot.send(pack(sent[1]))
            assert "actions" in unpack(robot.recv(timeout=5, decode=False))
        assert "InternalError" not in server.service.metrics.text()


def png_of(width: int, height: int) -> bytes:
    """The head of a PNG file that claims this size, and nothing behind it."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    )


def jpeg_of(width: int, height: int) -> bytes:
    """A JPEG file of one grey, whose head claims another size."""
    small = bytearray(file(np.zeros((16, 16, 3), np.uint8), "JPEG"))
    frame = small.index(b"\xff\xc0")
    small[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(small)


NESTED = {
    "lists a million deep": b"\x91" * 1_000_000,
    "maps a million deep": b"\x81\xa1a" * 1_000_000,
    "a list that claims 4 billion items": b"\x81\xa1a\xdd\xff\xff\xff\xff",
    "a map that claims 4 billion items": b"\xdf\xff\xff\xff\xff",
    "text that claims 4 billion bytes": b"\x81\xa1a\xdb\xff\xff\xff\xff",
    "bytes that claim 4 billion": b"\x81\xa1a\xc6\xff\xff\xff\xff",
    "an extension": b"\x81\xa1a\xc9\xff\xff\xff\xff\x05",
    "a million small items": b"\x81\xa1a\xdd\x00\x0f\x42\x40" + b"\xc0" * 1_000_000,
    "nothing": b"",
    "twice a message": b"\x80\x80",
    "half a message": pack({"a": np.zeros(9)})[:-4],
    "a number": b"\x05",
    "more than a message may hold": b"\xc6" + struct.pack(">I", 9 * 2**20) + bytes(9 * 2**20),
    "a pickle": b"\x80\x04\x95\x10\x00\x00\x00",
}
PICTURES = {
    "a PNG of 60,000 × 60,000": png_of(60_000, 60_000),
    "a JPEG of 60,000 × 60,000": jpeg_of(60_000, 60_000),
    "a PNG of nothing": png_of(64, 36),
    "a PNG of no width": png_of(0, 36),
    "half a JPEG": file(np.zeros((36, 64, 3), np.uint8), "JPEG")[:200],
    "a GIF": file(np.zeros((36, 64, 3), np.uint8), "GIF"),
    "an array of a billion pixels": np.lib.stride_tricks.as_strided(
        np.zeros(1, np.uint8), (32_000, 32_000, 3), (0, 0, 0)
    ),
}


@pytest.mark.parametrize("bomb", NESTED.values(), ids=NESTED)
def test_a_bomb_is_refused_before_it_takes_memory(bomb: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(WireError):
            unpack(bomb)
        assert tracemalloc.get_traced_memory()[1] < 2 * len(bomb) + 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("bomb", PICTURES.values(), ids=PICTURES)
def test_a_picture_that_would_fill_the_memory_is_refused_by_its_head(
    bomb: bytes | np.ndarray,
) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(SayactError):
            messages.observation_of({"image": bomb, "prompt": "push"})
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_the_limits_are_what_refuses() -> None:
    """The same messages pass where more is allowed."""
    deep = pack({"a": {"b": {"c": 1}}})
    assert unpack(deep) == {"a": {"b": {"c": 1}}}
    for limits in (Limits(depth=2), Limits(items=2), Limits(message_bytes=5), Limits(text=0)):
        with pytest.raises(WireError):
            unpack(deep, limits)
