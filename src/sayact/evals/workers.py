"""Episodes over several processes. Which worker runs an episode changes nothing about it."""

import logging
import multiprocessing
import queue
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.process import parent_process
from pathlib import Path
from typing import Any

import gymnasium

from sayact.envs import make_env
from sayact.evals.rollouts import EpisodeResult, run_episode
from sayact.evals.videos import Recorder
from sayact.policies.loading import load_policy
from sayact.policies.policy import Policy
from sayact.schema.errors import SayactError

logger = logging.getLogger(__name__)

# How often the parent looks whether a silent worker is still alive.
HEARTBEAT_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Job:
    """One episode to play: `policy` by name or path, the `index`-th start of `family`."""

    policy: str
    family: str
    index: int
    video: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What all episodes of an evaluation share. `options` go to `make_env`."""

    world: str
    seed: int
    options: dict[str, Any]


class Stage:
    """Worlds and policies of one process, each made once, when first asked for."""

    def __init__(self, setting: Setting, policies: dict[str, Policy] | None = None) -> None:
        self.setting = setting
        self.policies = dict(policies or {})
        self.envs: dict[str, gymnasium.Env] = {}

    def play(self, job: Job) -> EpisodeResult:
        env, policy = self._env(job.family), self._policy(job.policy)
        settings = {"family": job.family, "index": job.index, "seed": self.setting.seed}
        if job.video is None:
            return run_episode(env, policy, **settings)
        with Recorder(job.video, env.unwrapped.action_space_spec) as recorder:  # type: ignore[attr-defined]
            return run_episode(env, policy, **settings, watch=recorder.add)

    def close(self) -> None:
        for env in self.envs.values():
            env.close()

    def _env(self, family: str) -> gymnasium.Env:
        if family not in self.envs:
            self.envs[family] = make_env(self.setting.world, family=family, **self.setting.options)
        return self.envs[family]

    def _policy(self, name: str) -> Policy:
        if name not in self.policies:
            self.policies[name] = load_policy(name)
        return self.policies[name]


def play_here(
    setting: Setting, policies: dict[str, Policy], jobs: Sequence[Job]
) -> Iterator[tuple[Job, EpisodeResult]]:
    """All jobs in this process, in order, with policies that are loaded already."""
    stage = Stage(setting, policies)
    try:
        for job in jobs:
            yield job, stage.play(job)
    finally:
        stage.close()


def play_apart(
    setting: Setting, jobs: Sequence[Job], workers: int
) -> Iterator[tuple[Job, EpisodeResult]]:
    """All jobs over fresh processes, as they finish. The first error of a worker is raised here."""
    context = multiprocessing.get_context("spawn")
    todo, done = context.Queue(), context.Queue()
    for job in [*jobs, *[None] * workers]:
        todo.put(job)
    processes = [
        context.Process(target=_work, args=(setting, todo, done), daemon=True)
        for _ in range(workers)
    ]
    for process in processes:
        process.start()
    try:
        for _ in jobs:
            answer = _next(done, processes)
            if isinstance(answer, Exception):
                raise answer
            yield answer
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _work(setting: Setting, todo: Any, done: Any) -> None:
    """Body of a worker process."""
    # Several workers share the cores; each with its own pool of threads would only be slower.
    import torch

    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    stage = Stage(setting)
    try:
        for job in _until_told(todo, _parent_lives):
            done.put((job, stage.play(job)))
    except SayactError as mistake:
        # As text: an exception with arguments of its own does not survive the way to the parent.
        done.put(SayactError(str(mistake)))
    except Exception as failure:
        logger.exception("a worker failed")
        done.put(RuntimeError(f"a worker failed: {type(failure).__name__}: {failure}"))
    finally:
        stage.close()
        if not _parent_lives():
            done.cancel_join_thread()  # nobody reads any more: do not wait for it


def _parent_lives() -> bool:
    parent = parent_process()
    return parent is None or parent.is_alive()


def _until_told(todo: Any, parent_lives: Callable[[], bool]) -> Iterator[Job]:
    """Jobs as they come, until told to stop or, after a kill, nobody is left to tell."""
    while parent_lives():
        try:
            job = todo.get(timeout=HEARTBEAT_SECONDS)
        except queue.Empty:
            continue
        if job is None:
            return
        yield job


def _next(done: Any, processes: Sequence[Any]) -> Any:
    """The next answer; an error when the workers died without one, for lack of memory perhaps."""
    while True:
        try:
            return done.get(timeout=HEARTBEAT_SECONDS)
        except queue.Empty:
            codes = [process.exitcode for process in processes]
            if any(code not in (None, 0) for code in codes) or None not in codes:
                raise SayactError(
                    f"a worker process ended without an answer (exit codes {codes}). Memory may "
                    "have run out: try fewer workers."
                ) from None
