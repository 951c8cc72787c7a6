"""How fast a training step of the published network is here: frames a second, memory.

Every setting runs in a process of its own, so that neither memory kept nor threads started for one
help or hinder the next. Pictures are noise: what is in them costs nothing.
"""

import resource
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from statistics import median
from typing import Any, Literal

import torch

from sayact.codecs.released import CAMERA
from sayact.models.layers.depthwise import DepthwiseConv2d
from sayact.models.rt1 import RT1
from sayact.models.shapes import PAPER
from sayact.schema.batches import Batch
from sayact.train.config import TrainConfig
from sayact.train.gradient import backward, compile_network
from sayact.train.loop import make_optimizer
from sayact.train.memory import keep_freed_memory

SENTENCE_SIZE = 512**-0.5  # of each number of a vector of length 1


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One row. plain: PyTorch's own depthwise gradients, and memory given back after each use."""

    windows: int
    precision: Literal["float32", "bfloat16"]
    plain: bool = False
    compile: bool = False


SETTINGS = (
    Setting(windows=1, precision="float32", plain=True),
    Setting(windows=1, precision="bfloat16", plain=True),
    Setting(windows=4, precision="bfloat16", plain=True),
    *(Setting(windows=n, precision="float32") for n in (1, 2, 4)),
    *(Setting(windows=n, precision="bfloat16") for n in (1, 2, 4)),
)
COMPILED = Setting(windows=4, precision="bfloat16", compile=True)


def measure(
    settings: Sequence[Setting], *, threads: int, steps: int, progress: Callable[[str], None]
) -> list[dict[str, Any]]:
    """A row for every setting: its fields and what was found."""
    rows: list[dict[str, Any]] = []
    for setting in settings:
        progress(", ".join(f"{name} {value}" for name, value in asdict(setting).items()))
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            found = pool.submit(time_steps, setting, threads, steps).result()
        rows.append({**asdict(setting), **found})
    return rows


def time_steps(setting: Setting, threads: int, steps: int) -> dict[str, float]:
    """The median over some steps, after one that warms up (and compiles)."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    if not setting.plain:
        keep_freed_memory()
    model = RT1(PAPER).channels_last("cpu").train()
    if setting.plain:
        for module in model.modules():
            if isinstance(module, DepthwiseConv2d):
                module.own_gradients = False
    if setting.compile:
        compile_network(model, "cpu")
    config = TrainConfig(steps=steps, weight_decay=0.0, epsilon=1e-7, precision=setting.precision)
    optimizer = make_optimizer(config, model)
    batch = noise(setting.windows)
    wall: list[float] = []
    busy: list[float] = []
    for _ in range(steps + 1):
        started, cpu = time.perf_counter(), time.process_time()
        optimizer.zero_grad()
        backward(model, batch, device="cpu", parts=1, dtype=config.dtype("cpu"))
        optimizer.step()
        wall.append(time.perf_counter() - started)
        busy.append(time.process_time() - cpu)
    frames = batch.valid.numel()
    return {
        "frames_per_second": frames / median(wall[1:]),
        "cpu_ms_per_frame": 1e3 * median(busy[1:]) / frames,
        "first_step_seconds": wall[0],
        "peak_mb": peak_megabytes(),
    }


def noise(windows: int) -> Batch:
    """Windows of the published shapes, every frame valid."""
    shape = windows, PAPER.frames
    return Batch(
        pixels=torch.randint(0, 256, (*shape, 3, *CAMERA), dtype=torch.uint8),
        instruction=torch.randn(windows, PAPER.sentence) * SENTENCE_SIZE,
        action_ids=torch.randint(0, PAPER.bins, (*shape, PAPER.action_dims)),
        valid=torch.ones(shape, dtype=torch.bool),
    )


def peak_megabytes() -> float:
    """The most memory this process has held; Linux counts in kilobytes, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)
