"""What models are trained on: a total, the parts it is made of, and how they are computed.

bins     cross-entropy of action tokens, softened towards the neighbouring bins where asked,
         or against what a teacher holds probable
places   cross-entropy of where image tokens look
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True, kw_only=True)
class Losses:
    """What training minimises, and what its log says of it.

    total: the mean over everything in the batch that carries loss, as `batch.weight` counts it.
    parts: what the log calls by these names: losses, accuracies, one of each source of a mixture.
    weights: of a part that is a mean over something else than the whole batch, over how much of it:
        the number of answer tokens from a source, the number of places that were known. Steps and
        parts of a step are averaged by it; 0 leaves the part out, whatever stands there (a source
        that this batch has nothing of). A part without a weight counts as the batch does.
    """

    total: Float[Tensor, ""]
    parts: Mapping[str, Float[Tensor, ""]]
    weights: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])


def mean_of(
    values: Float[Tensor, "*n"], chosen: Float[Tensor, "*n"]
) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """The mean of the values that `chosen` is 1 for, and how many those are: a part, its weight.

    Zero of none, and without waiting for a GPU to say how many there are.
    """
    count = chosen.sum()
    return (values * chosen).sum() / count.clamp(min=1), count


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


def taught_bin_loss(
    logits: Float[Tensor, "N A V"], targets: Float[Tensor, "N A V"], temperature: float
) -> Float[Tensor, ""]:
    """Cross-entropy against a teacher's probabilities, both softened by `temperature`.

    Distillation (arXiv 1503.02531, section 2): logits are divided by the temperature, and the loss
    is multiplied by its square, so that gradients keep their size. The entropy of the target is
    taken off, as in `bin_loss`.
    """
    softened = targets ** (1 / temperature)
    softened = softened / softened.sum(-1, keepdim=True)
    told = (logits / temperature).log_softmax(-1)
    return temperature**2 * F.kl_div(told, softened, reduction="none").sum(-1).mean()


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
