"""What the wire costs a robot, and how many robots one server feeds, measured over the loopback.

    overhead      one robot: round trip − the server's own forward pass = packing, JPEG, sockets,
                  threads, everything that a local policy would not take
    throughput    robots that ask again as soon as they are answered: actions a second

Robot and server are two processes, which share the cores of this machine.
"""

import asyncio
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sayact.schema import Observation
from sayact.schema.errors import SayactError
from sayact.serve.client import connect
from sayact.serve.messages import BATCH, INFER_MS, SERVER_TIMING, observation_message
from sayact.serve.process import ServerProcess, running
from sayact.serve.wire import pack, unpack

STILL = "zero"  # a policy that costs nothing: what remains is the wire
JPEG_QUALITY = 90
WARM_UPS = 20
SESSION_LIMIT = ("--max-sessions", "1024")
SERVERS = {"batched": (), "one by one": ("--max-batch", "1")}
OPENPI = (sys.executable, "-m", "sayact.serve.beside")

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Effort:
    """steps: of one robot, timed. seconds: of every number of robots."""

    steps: int = 500
    seconds: float = 4.0
    robots: tuple[int, ...] = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True, kw_only=True)
class Overhead:
    """Milliseconds of a step of one robot; `kilobytes` of its message."""

    server: str
    policy: str
    picture: str
    kilobytes: float
    round_trip_ms: float
    infer_ms: float
    median_ms: float
    p99_ms: float


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """Of `robots` that never pause. batch: mean size of a forward pass, where the server tells."""

    server: str
    policy: str
    robots: int
    actions_per_second: float
    median_ms: float
    p99_ms: float
    batch: float | None


def measure(
    checkpoint: str,
    seen: Sequence[Observation],
    effort: Effort,
    say: Say,
    *,
    openpi: Path | None = None,
) -> dict[str, Any]:
    """All figures as plain JSON. openpi: a clone of its repository, whose server is measured too.

    seen: what a robot's camera shows, step by step.
    """
    overheads: list[Overhead] = []
    throughputs: list[Throughput] = []
    for policy in dict.fromkeys((STILL, checkpoint)):
        say(f"overhead: {policy}")
        with running(policy) as server:
            for quality in (JPEG_QUALITY, None):
                overheads.append(overhead(server, policy, seen, quality, effort.steps))
    for name, arguments in SERVERS.items():
        with running(checkpoint, *SESSION_LIMIT, *arguments) as server:
            throughputs += _throughputs(name, server, checkpoint, seen, effort, say)
    if openpi is not None:
        with running(str(openpi), checkpoint, command=OPENPI) as server:
            say(f"openpi's server: {checkpoint}")
            row = asyncio.run(bare_overhead(server.url, checkpoint, seen, effort.steps))
            overheads.append(row)
            throughputs += _throughputs("openpi", server, checkpoint, seen, effort, say)
    return {
        "serving": checkpoint,
        "jpeg_quality": JPEG_QUALITY,
        "effort": asdict(effort),
        "overhead": [asdict(row) for row in overheads],
        "throughput": [asdict(row) for row in throughputs],
    }


def overhead(
    server: ServerProcess, policy: str, seen: Sequence[Observation], quality: int | None, steps: int
) -> Overhead:
    """One robot with our client, from its picture to its action."""
    trips, infers = list[float](), list[float]()
    with connect(server.url, jpeg_quality=quality) as robot:
        for step in range(WARM_UPS + steps):
            began = time.perf_counter()
            robot.act(seen[step % len(seen)])
            trips.append(1e3 * (time.perf_counter() - began))
            assert robot.last_timing is not None, "act has measured"
            infers.append(robot.last_timing.server[INFER_MS])
    kilobytes = len(pack(observation_message(seen[0], quality))) / 1e3
    picture = "raw" if quality is None else "JPEG"
    return _overhead("sayact", policy, picture, kilobytes, trips, infers)


async def bare_overhead(url: str, policy: str, seen: Sequence[Observation], steps: int) -> Overhead:
    """One robot with raw pictures that knows openpi's part of the protocol alone."""
    from websockets.asyncio.client import connect as connect_bare

    trips, infers = list[float](), list[float]()
    async with connect_bare(url, compression=None, max_size=None) as robot:
        await robot.recv()
        for step in range(WARM_UPS + steps):
            began = time.perf_counter()
            await robot.send(pack(observation_message(seen[step % len(seen)])))
            reply = _answer(await robot.recv())
            trips.append(1e3 * (time.perf_counter() - began))
            infers.append(reply[SERVER_TIMING][INFER_MS])
    kilobytes = len(pack(observation_message(seen[0]))) / 1e3
    return _overhead("openpi", policy, "raw", kilobytes, trips, infers)


def _overhead(
    server: str,
    policy: str,
    picture: str,
    kilobytes: float,
    trips: Sequence[float],
    infers: Sequence[float],
) -> Overhead:
    """Each step's inference is taken from its own round trip, the warm-up left out."""
    trip, infer = np.array(trips[WARM_UPS:]), np.array(infers[WARM_UPS:])
    median, p99 = np.percentile(trip - infer, [50, 99]).tolist()
    return Overhead(
        server=server,
        policy=policy,
        picture=picture,
        kilobytes=kilobytes,
        round_trip_ms=float(np.median(trip)),
        infer_ms=float(np.median(infer)),
        median_ms=median,
        p99_ms=p99,
    )


def _throughputs(
    name: str,
    server: ServerProcess,
    policy: str,
    seen: Sequence[Observation],
    effort: Effort,
    say: Say,
) -> list[Throughput]:
    frames = [pack(observation_message(moment, JPEG_QUALITY)) for moment in seen]
    rows: list[Throughput] = []
    for robots in effort.robots:
        say(f"throughput: {name}, {robots} robots")
        trips, batches, seconds = asyncio.run(crowd(server.url, frames, robots, effort.seconds))
        median, p99 = (1e3 * np.percentile(trips, [50, 99])).tolist()
        row = Throughput(
            server=name,
            policy=policy,
            robots=robots,
            actions_per_second=len(trips) / seconds,
            median_ms=median,
            p99_ms=p99,
            batch=mean_batch(batches) if batches else None,
        )
        rows.append(row)
    return rows


async def crowd(
    url: str, frames: Sequence[bytes], robots: int, seconds: float
) -> tuple[list[float], list[int], float]:
    """Seconds of every round trip, robots in the forward pass of each, and how long it all took.

    Messages are packed beforehand, so that the robots' side takes little of the cores.
    """
    from websockets.asyncio.client import connect as connect_bare

    trips, batches = list[float](), list[int]()
    sockets = [
        await connect_bare(url, compression=None, max_size=None, open_timeout=60)
        for _ in range(robots)
    ]
    for socket in sockets:
        await socket.recv()

    async def act(number: int, until: float, *, counted: bool) -> None:
        step = number
        while time.perf_counter() < until:
            began = time.perf_counter()
            await sockets[number].send(frames[step % len(frames)])
            reply = _answer(await sockets[number].recv())
            step += 1
            if counted:
                trips.append(time.perf_counter() - began)
                if BATCH in reply[SERVER_TIMING]:
                    batches.append(reply[SERVER_TIMING][BATCH])

    for share, counted in ((0.25, False), (1.0, True)):  # the first quarter warms up
        began = time.perf_counter()
        until = began + share * seconds
        await asyncio.gather(*(act(n, until, counted=counted) for n in range(robots)))
    took = time.perf_counter() - began
    for socket in sockets:
        await socket.close()
    return trips, batches, took


def _answer(frame: bytes | str) -> dict[str, Any]:
    if isinstance(frame, str):
        raise SayactError(f"the server refused what was measured: {frame.strip()[-300:]}")
    return unpack(frame)


def mean_batch(batches: Sequence[int]) -> float:
    """Mean size of a forward pass, from the size that every action came with."""
    return len(batches) / math.fsum(1 / batch for batch in batches)
