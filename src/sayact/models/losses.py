"""What RT-1 is trained on: cross-entropy over bins, and over places where tokens should look."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F


def bin_loss(
    logits: Float[Tensor, "N A V"], ids: Int64[Tensor, "N A"], soft_bins: float
) -> Float[Tensor, ""]:
    """Cross-entropy against the bin, or against a Gaussian around it `soft_bins` wide.

    A soft target tells the network that the neighbouring bin is nearly right, which one-hot targets
    hide. The entropy of the target is taken off, so that zero is perfect either way.
    """
    if soft_bins == 0:
        return F.cross_entropy(logits.flatten(0, 1), ids.flatten())
    distance = torch.arange(logits.shape[-1], device=ids.device) - ids[..., None]
    target = torch.softmax(-0.5 * (distance / soft_bins) ** 2, -1)
    return F.kl_div(logits.log_softmax(-1), target, reduction="none").sum(-1).mean()


def pointing_loss(
    maps: Float[Tensor, "N P h w"], points: Float[Tensor, "N P 2"]
) -> Float[Tensor, ""]:
    """Cross-entropy of each token's map against the four cells around its point, bilinearly.

    Points outside the picture count at its edge.
    """
    height, width = maps.shape[2:]
    size = points.new_tensor([width, height])
    cell = (points * size - 0.5).clamp(min=0).minimum(size - 1)
    columns = torch.arange(width, device=maps.device)
    rows = torch.arange(height, device=maps.device)
    across = (1 - (columns - cell[..., 0, None]).abs()).clamp(min=0)
    down = (1 - (rows - cell[..., 1, None]).abs()).clamp(min=0)
    target = (down[..., :, None] * across[..., None, :]).flatten(2)
    return -(target * maps.flatten(2).log_softmax(-1)).sum(-1).mean()
