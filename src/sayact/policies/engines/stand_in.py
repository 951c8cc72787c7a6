"""A stand-in for the released RT-1, whose weights cannot ship with this package.

The published shape with weights drawn at random, scaled so that neither activations nor logits die
out or explode; and pictures drawn at random that move. What it answers means nothing, but takes as
long, and reacts to every pixel. A random network amplifies rounding, where a trained one dampens
it: agreement measured here is pessimistic.
"""

# Half of these libraries' types are unknown to a strict checker.
# pyright: standard

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from sayact.codecs import UniversalSentenceEncoder
from sayact.codecs.released import CAMERA, released_processor
from sayact.config import to_json
from sayact.models.checkpoint import Checkpoint
from sayact.models.layers.efficientnet import FiLM
from sayact.models.rt1 import RT1, RT1Config, TokenLearner
from sayact.models.shapes import PAPER
from sayact.schema import RT1 as RT1_ACTIONS
from sayact.schema import Observation

SWISH_GAIN = 1.85  # variance that weights must add for a swish layer to keep its input's
PIXELS_A_FRAME = 7  # how far the picture moves
PATCH = 32  # pixels of one colour


def stand_in(token_learner: bool = True, config: RT1Config = PAPER) -> Checkpoint:
    """The network with TokenLearner, or with every place of the picture as a token (9 × 9)."""
    if not token_learner:
        config = replace(config, token_learner=False, image_tokens=_places(config))
    model = RT1(config)
    draw_weights(model, torch.Generator().manual_seed(0))
    processor = released_processor(RT1_ACTIONS, config.bins, UniversalSentenceEncoder())
    return Checkpoint(
        weights=model.state_dict(),
        config={"model": "rt1", "architecture": to_json(config)},
        action_space=RT1_ACTIONS,
        processor=processor.to_json(),
    )


@torch.no_grad()
def draw_weights(model: RT1, generator: torch.Generator) -> None:
    """Fill every parameter; batch norm gets statistics to remove as well."""

    def normal(parameter: Float[Tensor, "..."], deviation: float, mean: float = 0.0) -> None:
        parameter.copy_(mean + deviation * torch.randn(parameter.shape, generator=generator))

    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            normal(module.weight, (SWISH_GAIN / module.weight[0].numel()) ** 0.5)
        elif isinstance(module, nn.Linear):
            normal(module.weight, module.in_features**-0.5)
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            normal(module.bias, 0.05)
        elif isinstance(module, nn.BatchNorm2d):
            normal(module.weight, 0.1, mean=1.0)
            normal(module.bias, 0.1)
            normal(module.running_mean, 0.1)  # pyright: ignore[reportArgumentType]
            module.running_var.uniform_(0.5, 1.5, generator=generator)  # pyright: ignore
    for module in model.modules():  # sentences are vectors of length 1: steer by a fifth or so
        if isinstance(module, FiLM):
            normal(module.scale.weight, 0.2)
            normal(module.shift.weight, 0.2)
        elif isinstance(module, TokenLearner):
            module.out.weight *= 8  # or every token would be the mean of all places
    normal(model.transformer.position.weight, 1.5)
    model.transformer.head.weight *= 2


def moving_pictures(
    episodes: int, steps: int, rng: np.random.Generator, camera: tuple[int, int] = CAMERA
) -> list[list[Observation]]:
    """Patches of colour under noise, moving left; every episode has a sentence of its own."""
    return [_episode(number, steps, rng, camera) for number in range(episodes)]


def _episode(
    number: int, steps: int, rng: np.random.Generator, camera: tuple[int, int]
) -> list[Observation]:
    height, width = camera
    rows, columns = -(-height // PATCH), -(-(width + PIXELS_A_FRAME * steps) // PATCH)
    patches = rng.integers(0, 192, (rows, columns, 3), dtype=np.uint8)
    scene = patches.repeat(PATCH, 0).repeat(PATCH, 1)[:height]
    seen = []
    for step in range(steps):
        left = PIXELS_A_FRAME * step
        noise = rng.integers(0, 64, (height, width, 3), dtype=np.uint8)
        picture = scene[:, left : left + width] + noise
        seen.append(Observation(image=picture, instruction=f"pick up can number {number}"))
    return seen


def _places(config: RT1Config) -> int:
    """Size of the image network's last map, counted without computing it."""
    with torch.device("meta"):
        tokenizer = RT1(config).tokenizer
        pixels = torch.zeros(1, 3, *config.picture, dtype=torch.uint8)
        features = tokenizer.features(pixels, torch.zeros(1, config.sentence))
    return features.shape[2] * features.shape[3]
