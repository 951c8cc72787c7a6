"""PaliGemma and PaliGemma 2: the open descendants of PaLI, which RT-2 grew from.

    [ image tokens ] <bos> prompt \\n  answer … <eos>
    \\_____________________________/
     the prefix: picture and text in front of the answer see each other both ways

<bos> is the `start` of the tokenizer, so it comes with the prompt.

Facts: arXiv 2407.07726 section 3 and figure 2 (the mask), arXiv 2412.03555 for PaliGemma 2.
"""

from typing import Any

from jaxtyping import Float, Int64
from torch import Tensor

from sayact.models.vlms.hub import HubVLM, Picture, Words


class PaliGemma(HubVLM):
    """A SigLIP picture in front of Gemma, or of Gemma 2 (every second layer sees a window)."""

    prefix_both_ways = True
    closing = "\n"  # the paper's separator between prompt and answer

    @classmethod
    def surroundings(cls, words: Words) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return (), ()

    @property
    def image_tokens(self) -> int:
        vision = self.body.config.vision_config
        return (vision.image_size // vision.patch_size) ** 2

    @property
    def decoder(self) -> Any:
        return self.body.language_model

    def see(self, pictures: Float[Tensor, "B 3 h w"]) -> Picture:
        return Picture(tokens=self.body.get_image_features(pictures).pooler_output)

    def positions(self, order: Int64[Tensor, "B N"]) -> Int64[Tensor, "B N"]:
        return order + 1  # counted from one
