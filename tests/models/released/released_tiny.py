"""Random weights in networks of the released kind, small but for their backbone, always B3."""

from dataclasses import replace

import torch
from torch import Tensor

from sayact.models.rt1 import RT1, RT1Config
from sayact.models.shapes import FLAX, PAPER

SMALL = {
    "bins": 32,
    "frames": 2,
    "token_width": 16,
    "image_tokens": 4,
    "width": 24,
    "layers": 2,
    "heads": 2,
    "head_dim": 8,
}
TINY = replace(PAPER, **SMALL)
TINY_FLAX = replace(FLAX, **SMALL, hidden=20)


def random_weights(config: RT1Config, seed: int = 0) -> dict[str, Tensor]:
    """A state dict without a zero in it, so that a weight in the wrong place changes the output."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        state = RT1(config).state_dict()
    for name, value in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        noise = torch.empty_like(value).uniform_(-1, 1, generator=generator)
        if name.endswith("running_var"):
            value.copy_(1 + 0.3 * noise)
        elif value.ndim == 1:
            value.add_(0.1 * noise)
        elif ".film." in name:
            value.copy_(0.1 * noise)
        elif value.ndim == 4:  # convolutions that keep the size of what goes through them
            value.copy_(noise * (5 / value[0].numel()) ** 0.5)
        elif "position" in name:
            value.copy_(noise)
    return state
