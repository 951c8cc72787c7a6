"""Actions ⇄ token ids: every continuous dimension in `bins` equal bins (RT-1 5.1, RT-2 3.2).

low                                              high
 ├──────┼──────┼──────┼── … ──┼──────┼──────┤
 id 0      1      2                254    255      decode: the centre of the bin
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, Int64

from sayact.schema import ActionSpace
from sayact.schema.errors import BadActionError


@runtime_checkable
class ActionCodec(Protocol):
    """What every way of writing actions as ids can do."""

    @property
    def action_space(self) -> ActionSpace: ...

    @property
    def bins(self) -> int: ...

    @property
    def sizes(self) -> tuple[int, ...]: ...

    @property
    def width(self) -> Float32[np.ndarray, "A"]: ...

    def encode(self, values: Float32[np.ndarray, "*batch A"]) -> Int64[np.ndarray, "*batch A"]: ...

    def decode(self, ids: Int64[np.ndarray, "*batch A"]) -> Float32[np.ndarray, "*batch A"]: ...


@dataclass(frozen=True, kw_only=True)
class UniformBins:
    """Bins of equal width; ids decode to the centre of their bin, so errors stay under half a bin.

    A discrete dimension keeps its value as its id. Values outside the action space saturate.
    """

    action_space: ActionSpace
    bins: int = 256

    def __post_init__(self) -> None:
        require_bins(self.bins, self.action_space)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many ids each dimension uses."""
        return tuple(d.n or self.bins for d in self.action_space.dimensions)

    @property
    def width(self) -> Float32[np.ndarray, "A"]:
        """Width of a bin in physical units."""
        return (self.action_space.high - self.action_space.low) / np.float32(self.bins)

    def encode(self, values: Float32[np.ndarray, "*batch A"]) -> Int64[np.ndarray, "*batch A"]:
        """Physical values to ids."""
        require_finite(values)
        top = np.array(self.sizes) - 1
        binned = np.floor((values - self.action_space.low) / self.width)
        ids = np.where(self.action_space.discrete, np.round(values), binned)
        return np.clip(ids, 0, top).astype(np.int64)

    def decode(self, ids: Int64[np.ndarray, "*batch A"]) -> Float32[np.ndarray, "*batch A"]:
        """Ids to physical values."""
        require_ids(ids, self.sizes)
        centres = self.action_space.low + (ids.astype(np.float32) + 0.5) * self.width
        return np.where(self.action_space.discrete, ids, centres).astype(np.float32)


def require_bins(bins: int, space: ActionSpace) -> None:
    """Raises ValueError for fewer than 2 bins, or than a discrete dimension has values."""
    needed = max(2, *(d.n or 0 for d in space.dimensions))
    if bins < needed:
        raise ValueError(f"{bins} bins are too few; this action space needs {needed}")


def require_finite(values: np.ndarray) -> None:
    """Raises BadActionError for NaN and infinity, which would become some id in silence."""
    if not np.isfinite(values).all():
        raise BadActionError(
            "actions to encode must be finite; the data holds NaN or infinity. Find where with "
            "`sayact data check`."
        )


def require_ids(ids: np.ndarray, sizes: tuple[int, ...]) -> None:
    """Raises ValueError for an id that its dimension does not have."""
    if (ids < 0).any() or (ids >= np.array(sizes)).any():
        raise ValueError(f"ids must lie in 0…{[n - 1 for n in sizes]}; got {ids.tolist()}")
