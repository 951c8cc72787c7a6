"""Before the first robot comes: memory allocated, and the number of threads settled.

A network of a few million parameters is as fast on one thread as on two, and in any thread but the
program's first, where a server computes, twice as fast (results/serve.md). A large one wants all.
"""

import logging
import time
from statistics import median

import numpy as np
import torch

from sayact.policies.many import ManyRobots
from sayact.schema import Observation

PASSES = 5  # timed; one before them allocates
WORTH_IT = 0.9  # of the time on one thread that all of them may take at most

logger = logging.getLogger(__name__)


def warm_up(robots: ManyRobots) -> None:
    """Act on black pictures, in the thread that will compute, and leave it with as many of
    PyTorch's threads as are worth having."""
    if robots.picture is None:
        return
    all_of_them = torch.get_num_threads()
    seconds = {threads: _seconds(robots, threads) for threads in {all_of_them, 1}}
    chosen = all_of_them if seconds[all_of_them] < WORTH_IT * seconds[1] else 1
    torch.set_num_threads(chosen)
    logger.info("%d threads of %d, %.1f ms a step", chosen, all_of_them, 1e3 * seconds[chosen])


def _seconds(robots: ManyRobots, threads: int) -> float:
    """Of one robot's step, the median of a few."""
    torch.set_num_threads(threads)
    assert robots.picture is not None
    black = Observation(image=np.zeros((*robots.picture, 3), np.uint8), instruction="wait")
    memory, taken = robots.begin(), list[float]()
    for _ in range(1 + PASSES):
        started = time.perf_counter()
        robots.act_many([black], [memory])
        taken.append(time.perf_counter() - started)
    return median(taken[1:])
