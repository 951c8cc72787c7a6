"""SmolVLM and Idefics3: a decoder that looks back only, with the picture among its words.

    <|im_start|>User:<fake_token_around_image><global-img>[ image tokens ]<fake_token_around_image>
    prompt <end_of_utterance>\\nAssistant: answer … <end_of_utterance>

One picture, squeezed into the square the vision tower was trained on and not cut into tiles:
SigLIP's patches, of which scale_factor² neighbours become one token, so 64 in SmolVLM.

Facts: arXiv 2504.05299 section 2 (SmolVLM), arXiv 2408.12637 section 3 (Idefics3).
"""

from typing import Any

from jaxtyping import Float
from torch import Tensor

from sayact.models.vlms.hub import HubVLM, Picture, Words


class Idefics3(HubVLM):
    """SigLIP, a pixel shuffle and a Llama."""

    closing = "<end_of_utterance>\nAssistant:"

    @classmethod
    def surroundings(cls, words: Words) -> tuple[tuple[int, ...], tuple[int, ...]]:
        around = words.special("<fake_token_around_image>")
        start = words.text("<|im_start|>User:")
        return (*start, around, words.special("<global-img>")), (around,)

    @property
    def image_tokens(self) -> int:
        config = self.body.config
        side = config.vision_config.image_size // config.vision_config.patch_size
        return (side // config.scale_factor) ** 2

    @property
    def decoder(self) -> Any:
        return self.body.text_model

    def see(self, pictures: Float[Tensor, "B 3 h w"]) -> Picture:
        patches = self.body.vision_model(pictures).last_hidden_state
        return Picture(tokens=self.body.connector(patches))
