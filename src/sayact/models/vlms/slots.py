"""Where tokens lie in a batch, and which of them see each other.

    slots   0 1 2 3 4 5 6 7          picture, then
    row 0   p p p . . a a a          prompt, padding, answer
    row 1   p p p p p a a a

    key       picture  prompt  answer
    picture     back    both     –       back: itself and what comes before
    prompt      back    both     –       both: back only, unless the prefix is read both ways
    answer      all     all     back

`order` says which token of its own sequence a slot holds, whatever padding lies between.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional as F


@dataclass
class KeyValueCache:
    """Keys and values of every layer in slots that were made once. `used` of them are filled.

    order: which token of its sequence a slot holds. valid: false on padding and on empty slots.
    """

    order: Int64[Tensor, "B S"]
    valid: Bool[Tensor, "B S"]
    used: int = 0
    layers: dict[int, tuple[Tensor, Tensor]] = field(
        default_factory=dict[int, tuple[Tensor, Tensor]]
    )

    def update(
        self, keys: Tensor, values: Tensor, layer: int, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Write (B, heads, new, width) behind the used slots; all slots come back.

        The layers of transformers call this; `used` moves when the last of them has.
        """
        if layer not in self.layers:
            shape = (*keys.shape[:2], self.order.shape[1])
            self.layers[layer] = (
                keys.new_zeros(*shape, keys.shape[-1]),
                values.new_zeros(*shape, values.shape[-1]),
            )
        new = slice(self.used, self.used + keys.shape[2])
        for kept, given in zip(self.layers[layer], (keys, values), strict=True):
            kept[:, :, new] = given
        return self.layers[layer]

    def get_seq_length(self, *_: Any) -> int:
        """transformers asks for it."""
        return self.used


def visible(
    query: Int64[Tensor, "B Q"],
    key: Int64[Tensor, "B S"],
    valid: Bool[Tensor, "B S"],
    prefix: Bool[Tensor, "B Q"] | None,
    window: int | None,
) -> Bool[Tensor, "B Q S"]:
    """Which keys a query sees, from the order of both.

    valid: keys that are there. prefix: the first slots, if they see each other both ways. window:
    how far back a query sees, itself counted; the prefix is seen whole all the same.
    """
    distance = query[:, :, None] - key[:, None, :]
    seen = distance >= 0
    if window is not None:
        seen &= distance < window
    if prefix is not None:
        keys = F.pad(prefix, (0, key.shape[1] - prefix.shape[1]))
        seen |= prefix[:, :, None] & keys[:, None, :]
    return seen & valid[:, None, :]


def penalty(seen: Bool[Tensor, "B Q S"], dtype: torch.dtype) -> Float[Tensor, "B 1 Q S"]:
    """What is added to attention: nothing, or so much below zero that it counts for nothing.

    Finite, because a padded query may see no key at all, and minus infinity would make that NaN.
    """
    hidden = torch.zeros(seen.shape, dtype=dtype, device=seen.device)
    return hidden.masked_fill(~seen, torch.finfo(dtype).min)[:, None]
