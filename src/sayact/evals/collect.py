"""Demonstrations on disk: worker processes play episodes, the writer keeps them.

    indices ──queue──▶ worker: play(index) ──▶ staging/… ──queue──▶ here: consolidate, show progress

An episode depends on nothing but its index and the settings, so a run that was killed and started
again, with any number of workers, ends with the same dataset as one that went through.
"""

import logging
import multiprocessing
import os
import queue
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing.process import BaseProcess, parent_process
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Protocol, runtime_checkable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sayact.data.layout import DatasetSpec
from sayact.data.staging import stage
from sayact.data.writer import DatasetWriter
from sayact.evals.demonstrations import DemonstrationPlayer, DemonstrationSettings
from sayact.schema import Episode
from sayact.schema.errors import SayactError

logger = logging.getLogger(__name__)

PATIENCE = 0.5  # seconds between looks at whether the other side is still alive
RESULTS_PER_CONSOLIDATION = 100  # finished episodes between two looks at whether a file is full

# One core per worker: threads of the numeric libraries would only get in each other's way.
SINGLE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "passive",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "LP_NUM_THREADS": "0",  # Mesa's software renderer draws in the calling thread: a quarter faster
}


@runtime_checkable
class Player(Protocol):
    """Plays the episode of an index: always the same one."""

    def play(self, index: int) -> tuple[Episode, int]:
        """The episode, and how many attempts it took."""
        ...


@dataclass(frozen=True, kw_only=True)
class CollectReport:
    """What one call of `collect` did: new `episodes` and their `frames`; `attempts` counts played
    episodes, kept or not. `total` is how many episodes the folder holds now."""

    directory: Path
    total: int
    episodes: int
    frames: int
    successes: int
    attempts: int
    seconds: float

    @property
    def success_rate(self) -> float:
        """Successful episodes per attempt; 1 for a call that found everything done."""
        return self.successes / self.attempts if self.attempts else 1.0


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """What a worker tells about one episode; `mistake` or `crash` instead when it failed."""

    index: int
    frames: int = 0
    success: bool = False
    attempts: int = 0
    mistake: str = ""
    crash: str = ""


def collect(
    world: str = "language_table",
    *,
    out: str | Path,
    episodes: int,
    families: Sequence[str] = (),
    block_mode: str = "BLOCK_8",
    workers: int = 2,
    seed: int = 0,
    noise: float = 0.0,
    policy: str | None = None,
    keep_failures: bool = False,
    max_steps: int = 200,
    progress: bool = True,
) -> CollectReport:
    """Write `episodes` demonstrations to the folder `out`; goes on where an earlier call stopped.

    families: task families, taken in turn by episode index; by default all of the world's.
    noise: share of steps that start a disturbance of what is executed (labels stay clean).
    policy: checkpoint whose actions are executed while the labels are still the oracle's (DAgger);
        then every episode is kept, whatever became of it.
    keep_failures: keep episodes that do not reach the goal, instead of drawing them anew.
    """
    settings = DemonstrationSettings(
        world=world,
        families=tuple(families),
        block_mode=block_mode,
        seed=seed,
        noise=noise,
        policy=policy,
        keep_failures=keep_failures or policy is not None,
        max_steps=max_steps,
    ).checked()
    return collect_with(
        partial(DemonstrationPlayer, settings),
        settings.spec(),
        out=out,
        episodes=episodes,
        workers=workers,
        progress=progress,
    )


def collect_with(
    make_player: Callable[[], Player],
    spec: DatasetSpec,
    *,
    out: str | Path,
    episodes: int,
    workers: int = 2,
    progress: bool = True,
) -> CollectReport:
    """As `collect`, with any player; `make_player` is called in each worker and must pickle.

    workers: processes; 0 plays in this one.
    """
    if episodes < 1 or workers < 0:
        raise SayactError(
            f"collecting takes at least 1 episode and 0 workers; got {episodes} and {workers}"
        )
    started = time.monotonic()
    writer = DatasetWriter(out, spec)
    missing = sorted(set(range(episodes)) - writer.done)
    played = _play_here if workers == 0 else partial(_play_in_workers, workers=workers)
    frames = successes = attempts = 0
    with _Bar(done=episodes - len(missing), total=episodes, shown=progress) as bar:
        outcomes = played(make_player, spec, writer.directory, missing)
        for number, outcome in enumerate(outcomes, start=1):
            frames += outcome.frames
            successes += outcome.success
            attempts += outcome.attempts
            bar.advance(number, successes / attempts)
            if number % RESULTS_PER_CONSOLIDATION == 0:
                writer.consolidate()
    writer.finalize()
    return CollectReport(
        directory=writer.directory,
        total=len(writer.done),
        episodes=len(missing),
        frames=frames,
        successes=successes,
        attempts=attempts,
        seconds=time.monotonic() - started,
    )


def _play_here(
    make_player: Callable[[], Player], spec: DatasetSpec, directory: Path, missing: Sequence[int]
) -> Iterator[_Outcome]:
    player = make_player() if missing else None
    for index in missing:
        if player is not None:
            yield _play_one(player, spec, directory, index)


def _play_one(player: Player, spec: DatasetSpec, directory: Path, index: int) -> _Outcome:
    episode, attempts = player.play(index)
    stage(directory, spec, index, episode)
    return _Outcome(index=index, frames=len(episode), success=episode.success, attempts=attempts)


def _play_in_workers(
    make_player: Callable[[], Player],
    spec: DatasetSpec,
    directory: Path,
    missing: Sequence[int],
    *,
    workers: int,
) -> Iterator[_Outcome]:
    """Outcomes as they come; a mistake in a worker stops all and is raised here."""
    context = multiprocessing.get_context("spawn")
    tasks: Queue[int | None] = context.Queue()
    results: Queue[_Outcome] = context.Queue()
    for index in missing:
        tasks.put(index)
    count = min(workers, len(missing))
    for _ in range(count):
        tasks.put(None)
    arguments = (make_player, spec, directory, tasks, results)
    processes = [context.Process(target=_work, args=arguments, daemon=True) for _ in range(count)]
    try:
        with _environment(SINGLE_THREAD):
            for process in processes:
                process.start()
        for _ in missing:
            outcome = _next_outcome(results, processes)
            if outcome.mistake:
                raise SayactError(outcome.mistake)
            if outcome.crash:
                raise RuntimeError(f"a worker failed at episode {outcome.index}:\n{outcome.crash}")
            yield outcome
    finally:
        tasks.cancel_join_thread()
        for process in processes:
            if process.is_alive():
                process.terminate()
            process.join()


def _next_outcome(results: "Queue[_Outcome]", processes: Sequence[BaseProcess]) -> _Outcome:
    while True:
        try:
            return results.get(timeout=PATIENCE)
        except queue.Empty:
            codes = [process.exitcode for process in processes]
            if any(codes) or None not in codes:
                raise SayactError(
                    f"a worker process died (exit codes {codes}; -9 often means too little "
                    "memory). Finished episodes are kept: run the same command again."
                ) from None


def _work(
    make_player: Callable[[], Player],
    spec: DatasetSpec,
    directory: Path,
    tasks: "Queue[int | None]",
    results: "Queue[_Outcome]",
) -> None:
    """A worker's whole life: play what comes until told to stop, or nobody is left to tell."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    index, parent = -1, parent_process()
    try:
        player = make_player()
        while parent is None or parent.is_alive():
            try:
                task = tasks.get(timeout=PATIENCE)
            except queue.Empty:
                continue
            if task is None:
                break
            index = task
            results.put(_play_one(player, spec, directory, index))
    except SayactError as error:
        results.put(_Outcome(index=index, mistake=str(error)))
    except Exception:
        results.put(_Outcome(index=index, crash=traceback.format_exc()))
    finally:
        if parent is not None and not parent.is_alive():
            results.cancel_join_thread()  # nobody reads any more: do not wait for it


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Environment variables for processes started meanwhile."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class _Bar:
    """Episodes done of all, episodes a second, and how often the demonstrator succeeds."""

    def __init__(self, *, done: int, total: int, shown: bool) -> None:
        self._done = done
        self._started = time.monotonic()
        self._progress = Progress(
            TextColumn("collecting"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:.1f} episodes/s, success {task.fields[success]:.0%}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not shown,
        )
        self._task = self._progress.add_task("", total=total, completed=done, rate=0.0, success=1.0)

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def advance(self, episodes: int, success: float) -> None:
        """`episodes` kept so far by this run; `success` is the share of attempts that succeeded."""
        rate = episodes / max(time.monotonic() - self._started, 1e-6)
        self._progress.update(
            self._task, completed=self._done + episodes, rate=rate, success=success
        )
