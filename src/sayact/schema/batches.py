"""What a model trains on: windows of frames as tensors (in a file of its own: it needs torch)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import itemgetter
from typing import Protocol, TypeVar, runtime_checkable

from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor


@runtime_checkable
class AnyBatch(Protocol):
    """What the training loop asks of a batch, whatever it holds."""

    @property
    def weight(self) -> Tensor:
        """How much of it carries loss, as one number: frames, or answer tokens."""
        ...

    @property
    def frames(self) -> int:
        """How many pictures it holds."""
        ...

    def to(self, device: str) -> "AnyBatch": ...

    def split(self, parts: int) -> Sequence["AnyBatch"]:
        """In `parts` of equally many rows, or as nearly as it goes; at most as many as rows."""
        ...


@dataclass(frozen=True, kw_only=True)
class Batch:
    """`B` windows of `T` frames, ready for a model.

    pixels: cropped model pictures, still bytes (the model scales them).
    instruction: sentence embedding of the window (one sentence an episode).
    action_ids: the bin of every action dimension of every frame.
    valid: false where a window reaches past the end of its episode; such frames carry no loss.
    points: where named things are in the picture, (x, y) in 0…1 of its width and height, for an
        auxiliary pointing loss; None when the data does not know. P points a frame.
    action_targets: what to learn instead of `action_ids`, where it is known better than as one bin:
        the probability of each of V bins; see `sayact.experiments.distillation`.
    """

    pixels: UInt8[Tensor, "B T 3 H W"]
    instruction: Float[Tensor, "B E"]
    action_ids: Int64[Tensor, "B T A"]
    valid: Bool[Tensor, "B T"]
    points: Float[Tensor, "B T P 2"] | None = None
    action_targets: Float[Tensor, "B T A V"] | None = None

    def to(self, device: str) -> "Batch":
        return _each_tensor(self, lambda tensor: tensor.to(device))

    @property
    def weight(self) -> Tensor:
        return self.valid.sum()

    @property
    def frames(self) -> int:
        return self.valid.numel()

    def split(self, parts: int) -> list["Batch"]:
        """Whole windows."""
        return _rows(self, len(self.valid), parts)


@dataclass(frozen=True, kw_only=True)
class TextBatch:
    """`B` pictures, each with a prompt and the answer to learn: what RT-2 is trained on.

    pixels: model pictures, still bytes (the model scales them).
    tokens: prompt, then answer, then padding. Image tokens are not among them: how many there are
        and where they go is the backbone's affair.
    prompt, answer: true on the tokens of either, false on padding; only answers carry loss.
    source: which of `sources` each example came from.
    points: where the effector, what the prompt is about and its goal are in the picture, (x, y) in
        0…1 of its width and height, for an auxiliary pointing loss; NaN where that is unknown.
    """

    pixels: UInt8[Tensor, "B 3 H W"]
    tokens: Int64[Tensor, "B N"]
    prompt: Bool[Tensor, "B N"]
    answer: Bool[Tensor, "B N"]
    source: Int64[Tensor, "B"]
    sources: tuple[str, ...]
    points: Float[Tensor, "B P 2"] | None = None

    def to(self, device: str) -> "TextBatch":
        return _each_tensor(self, lambda tensor: tensor.to(device))

    @property
    def weight(self) -> Tensor:
        """An answer of n tokens weighs √n; see `RT2.loss`."""
        return self.answer.sum(1).float().sqrt().sum()

    @property
    def frames(self) -> int:
        return len(self.tokens)

    def split(self, parts: int) -> list["TextBatch"]:
        return _rows(self, len(self.tokens), parts)

    def with_pixels(self, pixels: UInt8[Tensor, "B 3 H W"]) -> "TextBatch":
        """The same questions about other pictures, such as recoloured ones."""
        return replace(self, pixels=pixels)


_Kind = TypeVar("_Kind", Batch, TextBatch)


def _each_tensor(batch: _Kind, change: Callable[[Tensor], Tensor]) -> _Kind:
    """The same batch with every tensor changed alike."""
    tensors = {name: value for name, value in vars(batch).items() if isinstance(value, Tensor)}
    return replace(batch, **{name: change(value) for name, value in tensors.items()})


def _rows(batch: _Kind, rows: int, parts: int) -> list[_Kind]:
    assert 1 <= parts <= rows  # TrainConfig.check
    bounds = pairwise(rows * part // parts for part in range(parts + 1))
    return [_each_tensor(batch, itemgetter(slice(*bound))) for bound in bounds]
