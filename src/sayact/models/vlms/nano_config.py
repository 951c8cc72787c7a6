"""The sizes of rt2-nano's backbone."""

from dataclasses import dataclass
from typing import Literal

from sayact.models.layers.efficientnet import EfficientNetConfig
from sayact.models.shapes import NANO


@dataclass(frozen=True, kw_only=True)
class NanoConfig:
    """`vision` chooses between the two image tokenizers; the fields below it belong to one each."""

    vocabulary: int
    context: int = 96  # most tokens of prompt and answer
    picture: tuple[int, int] = (84, 152)  # height, width; others are resized
    width: int = 192
    layers: int = 3
    heads: int = 4
    hidden: int = 384  # of SwiGLU
    vision: Literal["film", "stem"] = "film"

    reader_layers: int = 2  # film: what reads the question before the picture is seen
    backbone: EfficientNetConfig = NANO.backbone  # rt1-nano's eyes
    image_tokens: int = 16

    stem: tuple[int, ...] = (32, 64, 128)  # stem: channels of its convolutions, stride 2 each
    stem_layers: int = 2
