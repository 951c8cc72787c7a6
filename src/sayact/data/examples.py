"""One picture, a prompt and its answer; many of them as the batch that RT-2 is trained on.

prompt 0   prompt 0   answer 0   end   pad   pad        tokens of row 0
prompt 1   answer 1   answer 1   answer 1   end         of row 1: prompts are not aligned
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8

from sayact.schema.batches import TextBatch

POINTS = 3  # of an example: the effector, what the prompt is about, its goal or a second object
UNKNOWN = np.full((POINTS, 2), np.nan, np.float32)


@dataclass(frozen=True, kw_only=True)
class Example:
    """pixels: the model picture. prompt, answer: token ids; the answer ends with the end token.

    points: (x, y) in 0…1 of the model picture, NaN where unknown.
    """

    pixels: UInt8[np.ndarray, "3 c d"]
    prompt: Sequence[int]
    answer: Sequence[int]
    points: Float32[np.ndarray, "3 2"]


@runtime_checkable
class Source(Protocol):
    """Where examples come from: one part of a mixture."""

    @property
    def name(self) -> str:
        """What the log calls its loss by."""
        ...

    def __len__(self) -> int:
        """How many different examples it has, before crops and colours."""
        ...

    def draw(self, rng: np.random.Generator, count: int) -> list[Example]:
        """Any `count` of them; the same ones for a generator in the same state."""
        ...


def collate(
    examples: Sequence[Example],
    source: Int64[np.ndarray, "B"],
    sources: tuple[str, ...],
    pad: int,
) -> TextBatch:
    """Tokens are as wide as the longest row; a padding token is neither prompt nor answer."""
    ends = np.array([(len(e.prompt), len(e.prompt) + len(e.answer)) for e in examples])
    tokens = np.full((len(examples), ends.max()), pad, np.int64)
    for row, (example, (middle, end)) in enumerate(zip(examples, ends, strict=True)):
        tokens[row, :middle] = example.prompt
        tokens[row, middle:end] = example.answer
    place = np.arange(tokens.shape[1])
    prompt = place < ends[:, :1]
    return TextBatch(
        pixels=torch.from_numpy(np.stack([e.pixels for e in examples])),
        tokens=torch.from_numpy(tokens),
        prompt=torch.from_numpy(prompt),
        answer=torch.from_numpy((place < ends[:, 1:]) & ~prompt),
        source=torch.from_numpy(source),
        sources=sources,
        points=torch.from_numpy(np.stack([e.points for e in examples])),
    )
