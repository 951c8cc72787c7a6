"""How fast each network trains on this machine: what steps a budget buys."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from statistics import mean, median

import torch

from sayact.evals.pool import run_tasks
from sayact.experiments import rt1_language_table, rt2_language_table
from sayact.experiments.papers.networks import NANO, RT1_SIZES, RT2_SIZES
from sayact.experiments.rt2_backbones import build
from sayact.models.rt1 import RT1
from sayact.models.trainable import Trainable
from sayact.schema.batches import AnyBatch, Batch, TextBatch
from sayact.train.config import TrainConfig
from sayact.train.gradient import backward
from sayact.train.loop import make_optimizer

STEPS = 4  # timed, after one that is not
PROMPT, ANSWER = 32, 4  # tokens of an example of the usual length


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Seconds of one thread for a training step of 96 pictures, the other runs beside it."""

    rt1: float
    rt1_micro: float
    nano: float
    micro: float
    pico: float

    def of(self, model: str, size: str) -> float:
        """Of "rt1", or of the others, which are all RT-2s."""
        if model == "rt1":
            return self.rt1 if size == "nano" else self.rt1_micro
        return {"nano": self.nano, "micro": self.micro, "pico": self.pico}[size]


def measure_speed(workers: int) -> Speed:
    """A few steps of each network on noise, in as many processes as will train: runs side by side
    share caches, memory and often a core. The mean of all; about half a minute."""
    measured = [speed for _, speed in run_tasks(_measuring, range(workers), workers)]
    return Speed(
        **{one.name: mean(getattr(speed, one.name) for speed in measured) for one in fields(Speed)}
    )


@contextmanager
def _measuring() -> Iterator[Callable[[int], Speed]]:
    torch.set_num_threads(1)
    yield _measure


def _measure(_: int) -> Speed:
    """In one of the processes."""
    base = rt2_language_table.RECIPE
    rt1 = rt1_language_table.RECIPE
    rt2s = {
        size: _seconds(build(replace(base, vlm=vlm))[0], base.train, _questions(base.train))
        for size, vlm in RT2_SIZES.items()
    }
    rt1s = {
        size: _seconds(RT1(config), rt1.train, _windows(rt1.train))
        for size, config in RT1_SIZES.items()
    }
    return Speed(rt1=rt1s["nano"], rt1_micro=rt1s["micro"], **rt2s)


def _seconds(model: Trainable, config: TrainConfig, batch: AnyBatch) -> float:
    model = model.channels_last("cpu").train()
    optimizer = make_optimizer(config, model)
    taken: list[float] = []
    for _ in range(STEPS + 1):
        started = time.perf_counter()
        optimizer.zero_grad()
        backward(model, batch, device="cpu", parts=1, dtype=config.dtype("cpu"))
        optimizer.step()
        taken.append(time.perf_counter() - started)
    return median(taken[1:])


def _windows(config: TrainConfig) -> Batch:
    """Single frames: most of RT-1's steps."""
    model = rt1_language_table.RECIPE.model
    shape = config.frames_a_step, 1
    return Batch(
        pixels=torch.randint(0, 256, (*shape, 3, *model.picture), dtype=torch.uint8),
        instruction=torch.randn(shape[0], model.sentence),
        action_ids=torch.randint(0, model.bins, (*shape, model.action_dims)),
        valid=torch.ones(shape, dtype=torch.bool),
        points=torch.rand(*shape, model.points, 2),
    )


def _questions(config: TrainConfig) -> TextBatch:
    count, tokens = config.frames_a_step, PROMPT + ANSWER
    prompt = (torch.arange(tokens) < PROMPT).expand(count, -1)
    return TextBatch(
        pixels=torch.randint(0, 256, (count, 3, *NANO.picture), dtype=torch.uint8),
        tokens=torch.randint(0, NANO.vocabulary, (count, tokens)),
        prompt=prompt,
        answer=~prompt,
        source=torch.zeros(count, dtype=torch.long),
        sources=("noise",),
        points=torch.rand(count, 3, 2),
    )
