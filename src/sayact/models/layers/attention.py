"""Pre-norm attention with a gated feed-forward, over keys and values that may come from a cache.

Training computes on the tokens alone, not on the padding between them:

    slots (B, S)    [ i i p p a · · | i i p a a a · ]        · is padding, about half of a batch
    rows  (M,)      [ i i p p a       i i p a a a · ]        M tokens, each knows its slot

M is a round number. A kernel for bfloat16 is written anew for every shape that has not been there
before, and batches in which no two have equally many tokens spent 40 % of their steps on that.
"""

from collections.abc import Iterable

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from sayact.models.rt1 import SwiGLU

ROWS, KEPT_ROWS = 256, 64  # what numbers of tokens, and of those read out, are multiples of


class Attention(nn.Module):
    """Multi-head attention over keys and values that may come from a cache."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(
        self,
        x: Float[Tensor, "B N D"],
        mask: Bool[Tensor, "B N S"],
        cache: "tuple[Tensor, Tensor, int] | None" = None,
    ) -> Float[Tensor, "B N D"]:
        """`cache`: keys and values (B, heads, S, D / heads), and where the new ones are written."""
        return self.out(self.attend(self.query_key_value(x), mask, cache))

    def attend(
        self,
        projected: Float[Tensor, "B N QKV"],
        mask: Bool[Tensor, "B N S"],
        cache: "tuple[Tensor, Tensor, int] | None" = None,
    ) -> Float[Tensor, "B N D"]:
        """What lies between the two linear layers."""
        heads = projected.unflatten(-1, (3 * self.heads, -1)).transpose(1, 2)
        query, key, value = heads.chunk(3, 1)
        if cache is not None:
            keys, values, start = cache
            keys[:, :, start : start + query.shape[2]] = key
            values[:, :, start : start + query.shape[2]] = value
            key, value = keys, values
        # Written out: on a CPU the fused kernel's backward pass took a quarter of a training step.
        scores = (query @ key.transpose(2, 3)) * query.shape[-1] ** -0.5
        weights = scores.masked_fill(~mask[:, None], float("-inf")).softmax(-1).to(value.dtype)
        return (weights @ value).transpose(1, 2).flatten(2)


class Layer(nn.Module):
    """Pre-norm attention and a gated feed-forward."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.norm_attention = nn.RMSNorm(width)
        self.attention = Attention(width, heads)
        self.norm_forward = nn.RMSNorm(width)
        self.feed_forward = SwiGLU(width, hidden)

    def forward(
        self,
        x: Float[Tensor, "B N D"],
        mask: Bool[Tensor, "B N S"],
        cache: "tuple[Tensor, Tensor, int] | None" = None,
    ) -> Float[Tensor, "B N D"]:
        x = x + self.attention(self.norm_attention(x), mask, cache)
        return x + self.feed_forward(self.norm_forward(x))

    def forward_rows(
        self,
        x: Float[Tensor, "M D"],
        mask: Bool[Tensor, "B S S"],
        slots: Int64[Tensor, "M"],
        kept: "Int64[Tensor, 'm'] | None" = None,
    ) -> Float[Tensor, "n D"]:
        """As `forward`, of the tokens alone; `slots`: where each stands among the B · S.

        kept: numbers of the rows that are wanted, all by default. Of the last layer that is what
        is read out, a tenth of a batch.
        """
        batch, length = mask.shape[:2]
        projected = self.attention.query_key_value(self.norm_attention(x))
        padded = projected.new_zeros(batch * length, projected.shape[1])
        padded = padded.index_copy(0, slots, projected).unflatten(0, (batch, length))
        attended = self.attention.attend(padded, mask).flatten(0, 1)
        if kept is not None:
            x, slots = x[kept], slots[kept]
        x = x + self.attention.out(attended[slots])
        return x + self.feed_forward(self.norm_forward(x))


def through_rows(
    layers: Iterable[nn.Module],
    x: Float[Tensor, "B S D"],
    mask: Bool[Tensor, "B S S"],
    used: Bool[Tensor, "B S"],
    kept: "Bool[Tensor, 'B S'] | None" = None,
) -> tuple[Float[Tensor, "n D"], int]:
    """One layer after the other, of the tokens alone.

    used: which slots hold a token; the others are padding. kept: of these, what the last layer
    gives; all by default. Rows in the order of their slots, and how many: what comes after them is
    padding.
    """
    *before, last = layers
    slots, count = rounded(used.flatten(), ROWS)
    rows = x.flatten(0, 1)[slots]
    for layer in before:
        assert isinstance(layer, Layer)
        rows = layer.forward_rows(rows, mask, slots)
    assert isinstance(last, Layer)
    if kept is None:
        return last.forward_rows(rows, mask, slots), count
    few, count = rounded(kept.flatten()[slots], KEPT_ROWS)
    return last.forward_rows(rows, mask, slots, few), count


def rounded(used: Bool[Tensor, "n"], to: int) -> tuple[Int64[Tensor, "M"], int]:
    """Numbers of the used ones in order, then of others until M is a multiple of `to` or all are
    there; how many of them are used."""
    count = int(used.sum())
    size = min(-(-count // to) * to, len(used))
    return torch.argsort(~used, stable=True)[:size], count
