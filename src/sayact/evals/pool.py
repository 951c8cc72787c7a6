"""Tasks over several processes, each with its own state, results as they come.

    tasks ──queue──▶ worker: prepare() once, then do(task) each ──queue──▶ here: (task, result)

Which process does a task, and what it did before, must change nothing about the result.
"""

import multiprocessing
import os
import queue
import signal
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from multiprocessing.process import BaseProcess, parent_process
from multiprocessing.queues import Queue
from typing import Any, TypeVar

from sayact.schema.errors import SayactError

Task = TypeVar("Task")
Result = TypeVar("Result")

HEARTBEAT_SECONDS = 0.5  # between looks at whether the other side is still alive

# One core per worker: threads of the numeric libraries would only get in each other's way.
SINGLE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "passive",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "LP_NUM_THREADS": "0",  # Mesa's software renderer draws in the calling thread: a quarter faster
}


class WorkerDiedError(SayactError):
    """A worker process that ended before its work was done, without a word."""


def run_tasks(
    prepare: Callable[[], AbstractContextManager[Callable[[Task], Result]]],
    tasks: Sequence[Task],
    workers: int,
) -> Generator[tuple[Task, Result], None, None]:
    """Each task with its result, in the order they finish; the first error ends it all.

    prepare: makes what a process needs for all its tasks, and gives the function that does one.
        Called once in each worker; must pickle, as must tasks (none of them None) and results.
    workers: processes; 0 does everything in this one, in order.
    """
    if workers < 0:
        raise SayactError(f"workers are counted from 0, which is this process; got {workers}")
    if not tasks:
        return
    if workers == 0:
        with prepare() as do:
            for task in tasks:
                yield task, do(task)
    else:
        yield from _run_apart(prepare, tasks, min(workers, len(tasks)))


def _run_apart(
    prepare: Callable[[], AbstractContextManager[Callable[[Task], Result]]],
    tasks: Sequence[Task],
    workers: int,
) -> Iterator[tuple[Task, Result]]:
    context = multiprocessing.get_context("spawn")
    todo, done = context.Queue(), context.Queue()
    for task in [*tasks, *[None] * workers]:  # None: nothing left to do
        todo.put(task)
    processes: list[BaseProcess] = []
    try:
        with _environment(SINGLE_THREAD):
            for _ in range(workers):
                process = context.Process(target=_work, args=(prepare, todo, done), daemon=True)
                process.start()
                processes.append(process)
        for _ in tasks:
            answer = _next_answer(done, processes)
            if isinstance(answer, Exception):
                raise answer
            yield answer
    finally:
        todo.cancel_join_thread()  # after an error nobody takes what is left
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()


def _next_answer(done: "Queue[Any]", processes: Sequence[BaseProcess]) -> Any:
    while True:
        # Before the look into the queue: what a worker had to say, it said before it ended.
        codes = [process.exitcode for process in processes]
        try:
            return done.get(timeout=HEARTBEAT_SECONDS)
        except queue.Empty:
            if any(codes) or None not in codes:
                raise WorkerDiedError(
                    f"a worker process died (exit codes {codes}; -9 often means too little memory: "
                    "try fewer workers)."
                ) from None


def _work(
    prepare: Callable[[], AbstractContextManager[Callable[[Any], Any]]],
    todo: "Queue[Any]",
    done: "Queue[Any]",
) -> None:
    """A worker's whole life: answers to tasks, or one error that travels as text.

    (An exception with arguments of its own does not survive the way to the parent.)
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    place = "its start"
    try:
        with prepare() as do:
            for task in _until_told(todo):
                place = f"task {task!r}"
                done.put((task, do(task)))
    except SayactError as mistake:
        done.put(SayactError(str(mistake)))
    except Exception:
        done.put(RuntimeError(f"a worker failed at {place}:\n{traceback.format_exc()}"))
    finally:
        if not parent_lives():
            done.cancel_join_thread()  # nobody reads any more: do not wait for it


def _until_told(todo: "Queue[Any]") -> Iterator[Any]:
    """Tasks as they come, until told to stop or, after a kill, nobody is left to tell."""
    while parent_lives():
        try:
            task = todo.get(timeout=HEARTBEAT_SECONDS)
        except queue.Empty:
            continue
        if task is None:
            return
        yield task


def parent_lives() -> bool:
    """Is whoever started this process still there? A process that nobody started has no parent."""
    parent = parent_process()
    return parent is None or parent.is_alive()


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
