"""One step's gradient: of the whole batch at once, or summed over its parts for less memory."""

import shutil
from contextlib import nullcontext
from itertools import pairwise

import torch
from torch import Tensor

from sayact.models.rt1 import RT1
from sayact.schema.batches import Batch
from sayact.schema.errors import SayactError

CPU_COMPILERS = ("g++", "clang++", "c++")


def backward(
    model: RT1, batch: Batch, *, device: str, parts: int, dtype: torch.dtype
) -> dict[str, Tensor]:
    """Add the gradient of the batch's mean loss to the parameters; the loss and what is in it.

    The losses are means over valid frames, so each part counts by its share of those: the sum is
    the gradient of the whole batch. With the batch's own statistics in batch norm it is not quite,
    since every part then has its own. Weights, batch norm's statistics and losses stay in float32
    whatever `dtype` is.
    """
    kind = torch.device(device).type  # cuda of cuda:1
    total = batch.valid.sum()
    found: dict[str, Tensor] = {}
    for part in split(batch, parts):
        share = (part.valid.sum() / total).to(device)
        with torch.autocast(kind, dtype) if dtype != torch.float32 else nullcontext():
            losses = model.loss(part.to(device))
        (losses.total * share).backward()
        values = {"loss": losses.total, "action": losses.action, "accuracy": losses.accuracy}
        if losses.points is not None:
            values["points"] = losses.points
        for name, value in values.items():
            weighed = value.detach() * share
            found[name] = found[name] + weighed if name in found else weighed
    return found


def split(batch: Batch, parts: int) -> list[Batch]:
    """The windows of a batch in `parts` of equal number, or as nearly as it goes."""
    windows = len(batch.valid)
    assert 1 <= parts <= windows  # TrainConfig.check
    bounds = [windows * part // parts for part in range(parts + 1)]
    return [
        Batch(
            pixels=batch.pixels[start:end],
            instruction=batch.instruction[start:end],
            action_ids=batch.action_ids[start:end],
            valid=batch.valid[start:end],
            points=None if batch.points is None else batch.points[start:end],
        )
        for start, end in pairwise(bounds)
    ]


def compile_network(model: RT1, device: str) -> None:
    """Both halves by torch.compile; what is saved and loaded stays the same.

    The loss stays as it is: how many frames are valid changes with every batch.
    """
    require_compiler(device)
    model.tokenizer.compile()
    model.transformer.compile()


def require_compiler(device: str) -> None:
    """Raises SayactError where torch.compile would have nothing to compile with."""
    if torch.device(device).type == "cpu" and not any(map(shutil.which, CPU_COMPILERS)):
        raise SayactError(
            f"torch.compile needs a C++ compiler on a CPU, and none of {', '.join(CPU_COMPILERS)} "
            "is there. Install one, or train without --compile: the results are the same."
        )
