"""Places in the picture ⇄ words: how a language model points.

(x, y) in 0…1 of the model picture ─▶ <loc23><loc41>      x first, then y, `bins` places a side
                                      (36, 64)            where the vocabulary has no such tokens
"""

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sayact.codecs.tokens import Tokenizer
from sayact.schema.errors import SayactError

# How many places a side vocabularies name: rt2-nano's own, and PaliGemma's (`<loc0000>` …).
NAMED_BINS = (64, 1024)
NUMBERED_BINS = 100  # two digits say where to one part in a hundred

PLACEHOLDER = re.compile(r"<p(\d+)>")  # in a text: the place of the point with this index


@dataclass(frozen=True, kw_only=True)
class PlaceWords:
    """Places decode to the middle of their cell, so errors stay under half a cell."""

    tokenizer: Tokenizer
    bins: int

    @cached_property
    def ids(self) -> tuple[int, ...]:
        """The token of every place along a side; empty where places are written as numbers."""
        found = [self.tokenizer.token_id(self._name(place)) for place in range(self.bins)]
        return tuple(token for token in found if token is not None) if all_known(found) else ()

    def encode(self, x: float, y: float, gap: str = "") -> list[int]:
        """The tokens of a point: two, x then y, where places have tokens. Outside saturates.

        `gap` is the space before it; some vocabularies have none before a place.
        """
        return self.tokenizer.encode(gap + self.write(x, y))

    def write(self, x: float, y: float) -> str:
        """A point as text."""
        column, row = self._cells(x, y)
        return self._name(column) + self._name(row) if self.ids else f"({column}, {row})"

    def read(self, text: str) -> list[tuple[float, float]]:
        """All points that a text names, in its order."""
        found = ((int(column), int(row)) for column, row in self._written.findall(text))
        return [
            ((column + 0.5) / self.bins, (row + 0.5) / self.bins)
            for column, row in found
            if column < self.bins and row < self.bins
        ]

    def blank(self, text: str, mark: str) -> str:
        """The text with a mark where each point stood."""
        return self._written.sub(mark, text)

    @cached_property
    def _written(self) -> re.Pattern[str]:
        """Column and row of a point in a text."""
        named, numbered = r"<loc(\d+)>\s*<loc(\d+)>", r"\((\d+), ?(\d+)\)"
        return re.compile(named if self.ids else numbered)

    def _name(self, place: int) -> str:
        return f"<loc{place:0{len(str(self.bins - 1))}d}>"

    def _cells(self, x: float, y: float) -> tuple[int, int]:
        if not np.isfinite([x, y]).all():
            raise SayactError(
                f"the point ({x}, {y}) is nowhere; a text can only name places that are known"
            )
        column, row = (min(max(int(v * self.bins), 0), self.bins - 1) for v in (x, y))
        return column, row


def place_words(tokenizer: Tokenizer) -> PlaceWords:
    """By the tokenizer's own place tokens if it has some, else by numbers."""
    for bins in NAMED_BINS:
        if (named := PlaceWords(tokenizer=tokenizer, bins=bins)).ids:
            return named
    return PlaceWords(tokenizer=tokenizer, bins=NUMBERED_BINS)


def all_known(ids: list[int | None]) -> bool:
    return all(token is not None for token in ids)
