"""Actions ⇄ token ids as the released RT-1 code does it, to the last rounding.

low                                              high
 │ id 0 │ id 1 │ id 2 │ … │ id 253 │ id 254 │ 255     decode: the lower edge of the interval
 └──────┴──────┴──────┴── … ───────┴────────┘         id 255 is the point `high` alone

`UniformBins` is what to train with; this is what the released checkpoints were trained with. Its
two blemishes are theirs: a decoded action lies up to one interval under the one encoded, and
encoding a decoded action again loses a bin for 15 to 25 of 100 ids, by rounding.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from sayact.codecs.bins import require_bins, require_finite, require_ids
from sayact.schema import ActionSpace


@dataclass(frozen=True, kw_only=True)
class EdgeBins:
    """`bins - 1` intervals, ids decode to their lower edge. Values outside the space saturate.

    The network may answer any id for a discrete dimension, also one the dimension does not have:
    such an id decodes to `fallback` (0, terminate, in TensorFlow; the flax example acts as in 2).
    """

    action_space: ActionSpace
    bins: int = 256
    fallback: int = 0

    def __post_init__(self) -> None:
        require_bins(self.bins, self.action_space)
        fewest = min((d.n for d in self.action_space.dimensions if d.n), default=self.bins)
        if not 0 <= self.fallback < fewest:
            raise ValueError(
                f"fallback {self.fallback} must be a value of every discrete dimension: "
                f"0 to {fewest - 1}"
            )

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many ids each dimension uses: all, since none is refused."""
        return (self.bins,) * len(self.action_space)

    @property
    def width(self) -> Float32[np.ndarray, "A"]:
        """Width of an interval in physical units."""
        return (self.action_space.high - self.action_space.low) / np.float32(self.bins - 1)

    def encode(self, values: Float32[np.ndarray, "*batch A"]) -> Int64[np.ndarray, "*batch A"]:
        """Physical values to ids."""
        require_finite(values)
        low, high = self.action_space.low, self.action_space.high
        # The order of these float32 operations decides which id a value on an edge gets.
        share = (np.clip(values, low, high) - low) / (high - low)
        floored = (share * np.float32(self.bins - 1)).astype(np.int64)
        chosen = np.clip(np.round(values), 0, high).astype(np.int64)
        return np.where(self.action_space.discrete, chosen, floored)

    def decode(self, ids: Int64[np.ndarray, "*batch A"]) -> Float32[np.ndarray, "*batch A"]:
        """Ids to physical values."""
        require_ids(ids, self.sizes)
        low, high = self.action_space.low, self.action_space.high
        edges = ids.astype(np.float32) / np.float32(self.bins - 1) * (high - low) + low
        chosen = np.where(ids <= high, ids, self.fallback)
        return np.where(self.action_space.discrete, chosen, edges).astype(np.float32)
