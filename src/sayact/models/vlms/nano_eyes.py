"""How rt2-nano sees: two ways from a picture to image tokens.

"film"   convolutions, FiLM(question) after every block ─▶ TokenLearner ─▶ 16 tokens
"stem"   convolutions ─▶ a few layers of attention ─▶ a token a place
"""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayact.models.layers.attention import Layer
from sayact.models.layers.efficientnet import ConvNorm, EfficientNet
from sayact.models.rt1 import TokenLearner
from sayact.models.vlms.nano_config import NanoConfig

WAVES = 6  # of a place: half a wave across the picture, one, two … sixteen


class FilmTokenizer(nn.Module):
    """A picture and the question about it → K tokens, the first of which are told where to look.

    Each token is told, in turn, where it looked: waves of the mean place of its map. What was found
    is then half the answer to where it is.
    """

    waves: Tensor

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        self.backbone = EfficientNet(config.backbone, config.width)
        self.token_learner = TokenLearner(self.backbone.channels, config.image_tokens)
        self.project = nn.Linear(self.backbone.channels, config.width)
        self.register_buffer("waves", torch.pi * 2.0 ** torch.arange(WAVES), persistent=False)
        self.place = nn.Linear(4 * WAVES, config.width)

    def forward(
        self, pixels: Float[Tensor, "B 3 H W"], question: Float[Tensor, "B D"]
    ) -> tuple[Float[Tensor, "B K D"], Float[Tensor, "B K h w"]]:
        """The tokens, and the map of scores that tells where each of them looked."""
        features = self.backbone(pixels, question)
        tokens, scores = self.token_learner(features.flatten(2).transpose(1, 2))
        maps = scores.transpose(1, 2).unflatten(2, features.shape[2:])
        phase = (mean_place(maps.float())[..., None] * self.waves).flatten(2)
        return self.project(tokens) + self.place(torch.cat([phase.sin(), phase.cos()], 2)), maps


def mean_place(maps: Float[Tensor, "B K h w"]) -> Float[Tensor, "B K 2"]:
    """Where a map of scores looks on average: (x, y) in 0…1 of the picture."""
    rows, columns = ((torch.arange(n, device=maps.device) + 0.5) / n for n in maps.shape[2:])
    weights = maps.flatten(2).softmax(2).unflatten(2, maps.shape[2:])
    return torch.stack([weights.sum(2) @ columns, weights.sum(3) @ rows], -1)


class StemTokenizer(nn.Module):
    """A picture → one token a place, whatever is asked.

    Convolutions with batch norm keep the features apart from picture to picture where a plain patch
    embedding collapses to a constant.
    """

    def __init__(self, config: NanoConfig) -> None:
        super().__init__()
        channels = (3, *config.stem)
        strided = [ConvNorm(before, after, 3, 2, same=True) for before, after in pairwise(channels)]
        self.convolutions = nn.Sequential(*strided, ConvNorm(channels[-1], channels[-1], 3))
        self.project = nn.Linear(channels[-1], config.width)
        self.places = places_of(config)
        self.position = nn.Parameter(
            torch.randn(self.places[0] * self.places[1], config.width) * 0.1
        )
        self.layers = nn.ModuleList(
            Layer(config.width, config.heads, config.hidden) for _ in range(config.stem_layers)
        )

    def forward(self, pixels: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K D"]:
        x = self.convolutions((pixels - 0.5) / 0.25).flatten(2).transpose(1, 2)
        x = self.project(x) + self.position.to(x.dtype)
        everything = x.new_ones(len(x), x.shape[1], x.shape[1], dtype=torch.bool)
        for layer in self.layers:
            x = layer(x, everything)
        return x


def places_of(config: NanoConfig) -> tuple[int, int]:
    """Rows and columns of the stem's map: each stride of two halves, rounding up."""
    height, width = config.picture
    for _ in config.stem:
        height, width = -(-height // 2), -(-width // 2)
    return height, width
