"""Batches one ahead: the next is cut by a thread while this one is trained on."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

B = TypeVar("B")
# What to draw: (step, number of windows, frames in each).
Draw = tuple[int, int, int]


def ahead(cut: Callable[[Draw], B], draws: Iterable[Draw]) -> Iterator[B]:
    """`cut(draw)` of every draw, in order."""
    with ThreadPoolExecutor(1) as pool:
        waiting: Future[B] | None = None
        for draw in draws:
            following = pool.submit(cut, draw)
            if waiting is not None:
                yield waiting.result()
            waiting = following
        if waiting is not None:
            yield waiting.result()
