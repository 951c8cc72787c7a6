"""What a model trains on: windows of frames as tensors (in a file of its own: it needs torch)."""

from dataclasses import dataclass

from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Batch:
    """`B` windows of `T` frames, ready for a model.

    pixels: cropped model pictures, still bytes (the model scales them).
    instruction: sentence embedding of the window (one sentence an episode).
    action_ids: the bin of every action dimension of every frame.
    valid: false where a window reaches past the end of its episode; such frames carry no loss.
    points: where named things are in the picture, (x, y) in 0…1 of its width and height, for an
        auxiliary pointing loss; None when the data does not know. P points a frame.
    """

    pixels: UInt8[Tensor, "B T 3 H W"]
    instruction: Float[Tensor, "B E"]
    action_ids: Int64[Tensor, "B T A"]
    valid: Bool[Tensor, "B T"]
    points: Float[Tensor, "B T P 2"] | None = None

    def to(self, device: str) -> "Batch":
        return Batch(
            pixels=self.pixels.to(device),
            instruction=self.instruction.to(device),
            action_ids=self.action_ids.to(device),
            valid=self.valid.to(device),
            points=None if self.points is None else self.points.to(device),
        )


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
        return TextBatch(
            pixels=self.pixels.to(device),
            tokens=self.tokens.to(device),
            prompt=self.prompt.to(device),
            answer=self.answer.to(device),
            source=self.source.to(device),
            sources=self.sources,
            points=None if self.points is None else self.points.to(device),
        )
