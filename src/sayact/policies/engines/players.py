"""Engines at work, each in a process of its own that answers calls.

A process of its own, so that its peak memory is its own; all alive together, so that they can take
turns and the noise of a machine hits all of them alike.
"""

# Half of these libraries' types are unknown to a strict checker.
# pyright: standard

import multiprocessing
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from sayact.codecs import Processor
from sayact.models.checkpoint import read_checkpoint
from sayact.models.rt1 import RT1Config
from sayact.policies.engines.engine import Engine
from sayact.policies.engines.graph_engine import Precision
from sayact.policies.engines.openvino_engine import has_bfloat16
from sayact.policies.engines.pytorch import StreamlinedEngine
from sayact.policies.engines.roofline import matmul_rates
from sayact.policies.loading import build_model, build_processor, load_policy
from sayact.policies.rt1 import RT1Policy
from sayact.schema import Observation
from sayact.schema.errors import SayactError

Episodes = Sequence[Sequence[Observation]]

STOP_SECONDS = 10.0  # for a process to end by itself
MEGA = 1e6
# Threads that spin steal the time of those that work; threads that fall asleep at once are late for
# the next small operation, and PyTorch's step takes 138 ms instead of 85. So they spin a little.
THREADS_THAT_WAIT = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "10000"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One row of the bench. `engine` "torch" in float32 is the reference, the network unchanged;
    "torch streamlined" and "torch compiled" run its graphs in PyTorch."""

    engine: str
    precision: Precision
    cache: bool = True  # of image tokens; else all frames of the window are seen anew every step
    token_learner: bool = True

    def __str__(self) -> str:
        off = [
            f"no {name}"
            for name, on in (("cache", self.cache), ("TokenLearner", self.token_learner))
            if not on
        ]
        return ", ".join([f"{self.engine} {self.precision}", *off])


class Player:
    """A policy over one engine, and what is asked about it."""

    def __init__(self, case: Case, folder: Path, episodes: Episodes) -> None:
        self._episodes = episodes
        self._moments = [moment for episode in episodes for moment in episode]
        self._next = 0
        engine, processor = _loaded(case, folder)
        self._policy = RT1Policy(engine if case.cache else Uncached(engine), processor)
        for moment in self._moments[:2]:  # compile, allocate, embed the sentence
            self._policy.act(moment)
        self._policy.reset()

    def answers(self) -> tuple[np.ndarray, np.ndarray]:
        """Tokens and values, both (moments, A), of all episodes from their beginnings."""
        actions = []
        for episode in self._episodes:
            self._policy.reset()
            actions += [self._policy.act(moment) for moment in episode]
        return np.stack([a.tokens for a in actions]), np.stack([a.values for a in actions])

    def seconds(self, steps: int) -> list[tuple[float, float]]:
        """Time on the clock, and of all cores together, of so many control steps.

        They go on where the last call stopped, the window full.
        """
        taken = []
        for _ in range(steps):
            moment = self._moments[self._next % len(self._moments)]
            self._next += 1
            began, worked = time.perf_counter(), time.process_time()
            self._policy.act(moment)
            taken.append((time.perf_counter() - began, time.process_time() - worked))
        return taken

    def peak_mb(self) -> float:
        """Most memory that this process ever held, PyTorch and Python included."""
        status = Path("/proc/self/status")
        if status.exists():
            for line in status.read_text().splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024 / MEGA
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return held * (1 if sys.platform == "darwin" else 1024) / MEGA

    def rates(self, seconds: float) -> dict[str, float]:
        return matmul_rates(seconds)


def _loaded(case: Case, folder: Path) -> tuple[Engine, Processor]:
    """Raises SayactError where the row would be something else than its name says."""
    if case.engine.startswith("torch "):
        content = read_checkpoint(folder)
        compiled = case.engine == "torch compiled"
        engine = StreamlinedEngine(build_model(content), case.precision, compiled=compiled)
        return engine, build_processor(content)
    if case.engine == "openvino" and case.precision != "float32" and not has_bfloat16():
        raise SayactError("this processor has no bfloat16; it would be computed in float32")
    policy = load_policy(folder)
    assert isinstance(policy, RT1Policy)
    return policy.engine, policy.processor


class Uncached:
    """An engine that sees all frames of the window at every step, as before RT-1's token cache."""

    def __init__(self, engine: Engine) -> None:
        if engine.config.empty_start:
            raise SayactError("a network that starts with empty frames is not measured uncached")
        self._engine = engine
        self._seen: list[tuple[np.ndarray, np.ndarray]] = []

    @property
    def config(self) -> RT1Config:
        return self._engine.config

    def tokenize(
        self, pixels: UInt8[np.ndarray, "3 H W"], sentence: Float32[np.ndarray, "E"]
    ) -> Float32[np.ndarray, "K D"]:
        self._seen = [*self._seen[1 - self.config.frames :], (pixels, sentence)]
        return np.zeros((self.config.image_tokens, self.config.token_width), np.float32)

    def decode(self, tokens: Float32[np.ndarray, "T K D"]) -> Float32[np.ndarray, "A V"]:
        frames = [self._engine.tokenize(*seen) for seen in self._seen[-len(tokens) :]]
        return self._engine.decode(np.stack(frames))


class Apart:
    """A `Player` in a process of its own: `call` a method by name, `close` at the end."""

    def __init__(self, case: Case, folder: Path, episodes: Episodes, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, other = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(other, case, folder, episodes), daemon=True
        )
        # Read by the numeric libraries when they are loaded.
        settings = _environment(OMP_NUM_THREADS=str(threads), **THREADS_THAT_WAIT)
        with settings, _deaf_to_the_keyboard():
            self._process.start()
        other.close()
        try:
            self._answer()
        except BaseException:
            self.close()
            raise

    def call(self, method: str, *arguments: Any) -> Any:
        self._line.send((method, arguments))
        return self._answer()

    def close(self) -> None:
        self._line.close()
        self._process.join(STOP_SECONDS)
        self._process.terminate()

    def _answer(self) -> Any:
        try:
            good, answer = self._line.recv()
        except EOFError:
            raise SayactError(
                f"a process of the bench died with exit code {self._process.exitcode}; -9 often "
                "means too little memory"
            ) from None
        if not good:
            raise SayactError(answer)
        return answer


def _serve(line: Connection, case: Case, folder: Path, episodes: Episodes) -> None:
    """The process's whole life. An error travels as text."""
    try:
        player = Player(case, folder, episodes)
        line.send((True, None))
        while True:
            method, arguments = line.recv()
            line.send((True, getattr(player, method)(*arguments)))
    except (EOFError, BrokenPipeError):
        return  # the other side has closed
    except SayactError as mistake:
        line.send((False, str(mistake)))
    except Exception:
        line.send((False, f"{case} failed: {traceback.format_exc(limit=-3)}"))


@contextmanager
def _deaf_to_the_keyboard() -> Generator[None, None, None]:
    """Processes started meanwhile never hear Ctrl-C: the parent handles it, and closes them."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # which a new process takes over
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _environment(**variables: str) -> Generator[None, None, None]:
    """Environment variables for a process started meanwhile."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
