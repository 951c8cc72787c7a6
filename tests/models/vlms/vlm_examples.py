"""Pictures with random text, as `VLM.forward` takes them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from sayact.models.vlms.vlm import VLM
from sayact.testing.tiny_backbones import TINY_BACKBONES

KINDS = tuple(TINY_BACKBONES)


@dataclass(frozen=True)
class Examples:
    """Rows of tokens with prompt at the left, answer behind it and padding at the right."""

    pixels: Tensor
    tokens: Tensor
    prompt: Tensor
    answer: Tensor

    @property
    def given(self) -> Tensor:
        return self.prompt | self.answer

    def row(self, index: int) -> "Examples":
        """One example without its padding."""
        length = int(self.given[index].sum())
        text = (t[index : index + 1, :length] for t in (self.tokens, self.prompt, self.answer))
        return Examples(self.pixels[index : index + 1], *text)

    def logits(self, vlm: VLM) -> Tensor:
        with torch.no_grad():
            return vlm(self.pixels, self.tokens, self.prompt, self.answer)


def examples(lengths: tuple[tuple[int, int], ...], seed: int = 0) -> Examples:
    """`lengths` are those of prompt and answer in each row."""
    random = torch.Generator().manual_seed(seed)
    longest = max(sum(pair) for pair in lengths)
    place = torch.arange(longest)
    starts, ends = torch.tensor(lengths).T[:, :, None], torch.tensor(lengths).sum(1, keepdim=True)
    prompt = place < starts[0]
    return Examples(
        pixels=torch.randint(
            0, 256, (len(lengths), 3, 36, 64), dtype=torch.uint8, generator=random
        ),
        tokens=torch.randint(300, 1000, (len(lengths), longest), generator=random),
        prompt=prompt,
        answer=(place < ends) & ~prompt,
    )
