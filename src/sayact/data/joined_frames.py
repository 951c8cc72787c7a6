"""Pictures of several arrays read as one array of rows, all of them or some."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int, Int64, UInt8

from sayact.schema.errors import ShapeError


class JoinedFrames:
    """Several (n, h, w, 3) arrays read as one of N rows; only rows asked for are touched.

    rows: which rows of the parts, one after the other, there are here; None: all.
    """

    def __init__(
        self,
        parts: Sequence[UInt8[np.ndarray, "_ _ _ 3"]],
        rows: Int64[np.ndarray, "N"] | None = None,
    ) -> None:
        self.parts = list(parts)
        self.starts = np.cumsum([0, *(len(part) for part in parts)])
        self.rows = rows
        if len({part.shape[1:] for part in parts}) != 1:
            raise ShapeError(f"stores of different pictures: {[p.shape[1:] for p in parts]}")

    @classmethod
    def of(cls, several: Sequence["JoinedFrames"]) -> "JoinedFrames":
        """One after the other."""
        parts = [part for frames in several for part in frames.parts]
        if all(frames.rows is None for frames in several):
            return cls(parts)
        firsts = np.cumsum([0, *(frames.starts[-1] for frames in several)])
        rows = [
            first + (np.arange(len(frames)) if frames.rows is None else frames.rows)
            for frames, first in zip(several, firsts[:-1], strict=True)
        ]
        return cls(parts, np.concatenate(rows).astype(np.int64))

    def only(self, rows: Int64[np.ndarray, "N"]) -> "JoinedFrames":
        """Some of these rows, in the order given; nothing is copied."""
        return JoinedFrames(self.parts, rows if self.rows is None else self.rows[rows])

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self), *self.parts[0].shape[1:])

    def __len__(self) -> int:
        return int(self.starts[-1]) if self.rows is None else len(self.rows)

    def __getitem__(self, rows: Int[np.ndarray, "..."]) -> UInt8[np.ndarray, "... h w 3"]:
        rows = np.asarray(rows)
        flat = rows.reshape(-1)
        if flat.size and (flat.min() < 0 or flat.max() >= len(self)):
            raise IndexError(f"rows {flat.min()} … {flat.max()} of {len(self)} frames")
        if self.rows is not None:
            flat = self.rows[flat]
        out = np.empty((len(flat), *self.parts[0].shape[1:]), np.uint8)
        part_of = np.searchsorted(self.starts, flat, side="right") - 1
        for number, part in enumerate(self.parts):
            (places,) = np.nonzero(part_of == number)
            if len(places):
                out[places] = part[flat[places] - self.starts[number]]
        return out.reshape(*rows.shape, *out.shape[1:])
