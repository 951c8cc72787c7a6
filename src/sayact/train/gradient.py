"""One step's gradient: of the whole batch at once, or summed over its parts for less memory."""

import shutil
from collections.abc import Sequence
from contextlib import nullcontext

import torch
from torch import Tensor

from sayact.models.losses import Losses
from sayact.models.trainable import Trainable
from sayact.schema.batches import AnyBatch
from sayact.schema.errors import SayactError

CPU_COMPILERS = ("g++", "clang++", "c++")
TINY = 1e-12  # in place of a weight of zero, whose part is left out of the log


def backward(
    model: Trainable, batch: AnyBatch, *, device: str, parts: int, dtype: torch.dtype
) -> Losses:
    """Add the gradient of the batch's mean loss to the parameters; the losses of the whole batch.

    They are means over what carries loss, so each part counts by its share of that: the sum is the
    gradient of the whole batch. With the batch's own statistics in batch norm it is not quite,
    since every part then has its own. Weights, batch norm's statistics and losses stay in float32
    whatever `dtype` is.
    """
    kind = torch.device(device).type  # cuda of cuda:1
    whole = batch.weight
    found: list[tuple[Losses, Tensor]] = []
    for part in batch.split(parts):
        share = (part.weight / whole).to(device)
        with torch.autocast(kind, dtype) if dtype != torch.float32 else nullcontext():
            losses = model.loss(part.to(device))
        (losses.total * share).backward()
        found.append((losses, share))
    return together(found)


@torch.no_grad()
def together(found: Sequence[tuple[Losses, Tensor]]) -> Losses:
    """Losses of parts of a batch as those of the whole: each by its share, or its own weight."""
    sums: dict[str, Tensor] = {}
    weights: dict[str, Tensor] = {}
    for losses, share in found:
        for name, value in losses.parts.items():
            weight = losses.weights.get(name)
            counted = value * (share if weight is None else weight)
            sums[name] = sums[name] + counted if name in sums else counted
            if weight is not None:
                weights[name] = weights[name] + weight if name in weights else weight
    return Losses(
        total=torch.stack([losses.total * share for losses, share in found]).sum(),
        parts={n: s / weights[n].clamp(min=TINY) if n in weights else s for n, s in sums.items()},
        weights=weights,
    )


def compile_network(model: Trainable, device: str) -> None:
    """By torch.compile, which needs a compiler."""
    require_compiler(device)
    model.compile_network()


def require_compiler(device: str) -> None:
    """Raises SayactError where torch.compile would have nothing to compile with."""
    if torch.device(device).type == "cpu" and not any(map(shutil.which, CPU_COMPILERS)):
        raise SayactError(
            f"torch.compile needs a C++ compiler on a CPU, and none of {', '.join(CPU_COMPILERS)} "
            "is there. Install one, or train without --compile: the results are the same."
        )
