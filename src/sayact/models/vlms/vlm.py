"""What RT-2 asks of a vision-language model: logits of an answer, all at once or token by token.

    training   [head] [image tokens] [prompt …] [answer …] ─▶ logits of every answer token
    acting     [head] [image tokens] [prompt …] ─prefill─▶ logits of the first answer token, cache
               token ─step─▶ logits of the next, cache grown by one

Head and image tokens are the backbone's own. Callers give pixels and the text that follows them:
prompts end with what `closing` says, and an answer ends with the tokenizer's end token.
"""

from abc import ABC, abstractmethod
from typing import Any

from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor, nn


class VLM(nn.Module, ABC):
    """A backbone. Pictures are bytes of any size; it resizes them to its own."""

    # Text that closes a prompt, such as the turn markers of a chat model.
    closing: str = ""

    @property
    def looks(self) -> bool:
        """Whether its image tokens tell where they looked (`look_and_answer`)."""
        return False

    @property
    @abstractmethod
    def image_size(self) -> tuple[int, int]:
        """Height and width, in pixels, of the picture that the backbone sees."""

    @property
    @abstractmethod
    def vocabulary(self) -> int:
        """How many tokens it tells apart: the width of its logits."""

    @property
    @abstractmethod
    def context(self) -> int:
        """Most tokens of prompt and answer together."""

    @property
    @abstractmethod
    def token_embedding(self) -> nn.Embedding:
        """The table of word vectors; symbol tuning overwrites rows of it."""

    @abstractmethod
    def forward(
        self,
        pixels: UInt8[Tensor, "B 3 H W"],
        tokens: Int64[Tensor, "B N"],
        prompt: Bool[Tensor, "B N"],
        answer: Bool[Tensor, "B N"],
    ) -> Float[Tensor, "M V"]:
        """Logits of every answer token, in the order of `tokens[answer]`.

        Row m is what the model expects in that place, having seen the picture, the prompt and the
        answer before it. Prompt and answer stand at the left, padding at the right.
        """

    def look_and_answer(
        self,
        pixels: UInt8[Tensor, "B 3 H W"],
        tokens: Int64[Tensor, "B N"],
        prompt: Bool[Tensor, "B N"],
        answer: Bool[Tensor, "B N"],
    ) -> tuple[Float[Tensor, "M V"], Float[Tensor, "B K h w"] | None]:
        """The same logits, and maps of where K image tokens looked; None where none can say so."""
        return self(pixels, tokens, prompt, answer), None

    @abstractmethod
    def prefill(
        self,
        pixels: UInt8[Tensor, "B 3 H W"],
        tokens: Int64[Tensor, "B N"],
        prompt: Bool[Tensor, "B N"],
        room: int,
    ) -> tuple[Float[Tensor, "B V"], Any]:
        """Logits of the first answer token, and a cache with room for `room` answer tokens."""

    @abstractmethod
    def step(self, tokens: Int64[Tensor, "B"], cache: Any) -> Float[Tensor, "B V"]:
        """Logits after one more answer token each; `cache` is changed in place."""
