"""Tasks without a world, importable by the worker processes of the pool's tests."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

from sayact.schema.errors import UnknownNameError


@contextmanager
def squares() -> Iterator[Callable[[int], int]]:
    yield lambda number: number**2


@contextmanager
def turns() -> Iterator[Callable[[str], tuple[int, int]]]:
    """Tells the process, and how many tasks it did before this one."""
    turn = count()
    yield lambda _: (os.getpid(), next(turn))


@contextmanager
def environment() -> Iterator[Callable[[str], str | None]]:
    yield os.environ.get


@contextmanager
def torch_threads() -> Iterator[Callable[[str], int]]:
    import torch

    yield lambda _: torch.get_num_threads()


@contextmanager
def accidents() -> Iterator[Callable[[str], str]]:
    """Each task is the name of what happens to its worker."""

    def happen(what: str) -> str:
        if what == "mistake":
            raise UnknownNameError("block", "red_mon", ["red_moon"])
        if what == "crash":
            raise ZeroDivisionError("oh")
        if what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "exit":
            os._exit(0)
        if what == "ctrl-c":
            os.kill(os.getpid(), signal.SIGINT)
        if what == "sleep":
            time.sleep(0.2)
        return what

    yield happen


@contextmanager
def no_beginning() -> Iterator[Callable[[str], str]]:
    raise ZeroDivisionError("before the first task")
    yield str
