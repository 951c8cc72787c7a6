"""Pre-norm attention with a gated feed-forward, over keys and values that may come from a cache."""

from jaxtyping import Bool, Float
from torch import Tensor, nn

from sayact.models.rt1 import SwiGLU


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
        heads = self.query_key_value(x).unflatten(-1, (3 * self.heads, -1)).transpose(1, 2)
        query, key, value = heads.chunk(3, 1)
        if cache is not None:
            keys, values, start = cache
            keys[:, :, start : start + x.shape[1]] = key
            values[:, :, start : start + x.shape[1]] = value
            key, value = keys, values
        # Written out: on a CPU the fused kernel's backward pass took a quarter of a training step.
        scores = (query @ key.transpose(2, 3)) * query.shape[-1] ** -0.5
        weights = scores.masked_fill(~mask[:, None], float("-inf")).softmax(-1).to(value.dtype)
        return self.out((weights @ value).transpose(1, 2).flatten(2))


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
