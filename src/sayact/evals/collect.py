"""Demonstrations on disk: worker processes play episodes, the writer keeps them.

    indices ──queue──▶ worker: play(index) ──▶ staging/… ──queue──▶ here: consolidate, show progress

An episode depends on nothing but its index and the settings, so a run that was killed and started
again, with any number of workers, ends with the same dataset as one that went through.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sayact.data.layout import DatasetSpec
from sayact.data.staging import stage
from sayact.data.writer import DatasetWriter
from sayact.evals.demonstrations import DemonstrationPlayer, DemonstrationSettings
from sayact.evals.pool import WorkerDiedError, run_tasks
from sayact.schema import Episode
from sayact.schema.errors import SayactError

RESULTS_PER_CONSOLIDATION = 100  # finished episodes between two looks at whether a file is full


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
    """What a worker tells about one episode."""

    frames: int
    success: bool
    attempts: int


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
    playing = partial(_playing, make_player, spec, writer.directory)
    frames = successes = attempts = 0
    bar = _Bar(done=episodes - len(missing), total=episodes, shown=progress)
    with _told_to_go_on(), bar, closing(run_tasks(playing, missing, workers)) as outcomes:
        for number, (_, outcome) in enumerate(outcomes, start=1):
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


@contextmanager
def _playing(
    make_player: Callable[[], Player], spec: DatasetSpec, directory: Path
) -> Iterator[Callable[[int], _Outcome]]:
    """The function that plays the episode of an index and writes it to the disk."""
    player = make_player()

    def play(index: int) -> _Outcome:
        episode, attempts = player.play(index)
        stage(directory, spec, index, episode)
        return _Outcome(frames=len(episode), success=episode.success, attempts=attempts)

    yield play


@contextmanager
def _told_to_go_on() -> Iterator[None]:
    """Say, when a worker died, that nothing finished is lost."""
    try:
        yield
    except WorkerDiedError as death:
        raise WorkerDiedError(
            f"{death} Finished episodes are kept: run the same command again."
        ) from None


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
