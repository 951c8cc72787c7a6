"""What to do when memory ends in the middle of a training step."""

from collections.abc import Generator
from contextlib import contextmanager

import torch

from sayact.schema.errors import SayactError

# What the CPU's allocator says; it raises a plain RuntimeError.
CPU_MESSAGES = "not enough memory", "can't allocate memory", "cannot allocate memory"


class OutOfMemoryError(SayactError):
    """A step that needs more memory than there is."""


@contextmanager
def memory_explained(batch: int) -> Generator[None, None, None]:
    """Put a step inside: running out of memory then names the ways out. `batch` is its examples."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:  # torch's own OutOfMemoryError is a RuntimeError
        if not _is_about_memory(error):
            raise
        first = (str(error).splitlines() or ["no memory left"])[0]
        raise OutOfMemoryError(
            f"out of memory in a step of {batch} examples ({first}). Three ways out: a smaller "
            "batch size; checkpointing, which computes activations twice and keeps few of them; "
            "LoRA, which needs no gradients and no optimizer state for the backbone's own weights."
        ) from error


def _is_about_memory(error: Exception) -> bool:
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return any(message in str(error).lower() for message in CPU_MESSAGES)
