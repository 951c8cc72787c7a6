"""EfficientNet whose every block is steered by the sentence (RT-1 section 5.1).

picture ─▶ stem ─▶ [block ─▶ FiLM] × blocks ─▶ top 1×1 ─▶ features
                        ▲
sentence embedding ─────┘        FiLM: y = (1 + c·M) ⊙ x + c·A,   M = A = 0 at the start,
                                 so that pretrained weights work untouched on day one
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from sayact.models.layers.depthwise import DepthwiseConv2d

# Keras' EfficientNet: momentum 0.99 there is 0.01 here.
NORM_EPS, NORM_MOMENTUM = 1e-3, 0.01
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True, kw_only=True)
class StageConfig:
    """`repeats` blocks of one kind; the stride belongs to the first of them.

    mbconv: expand 1×1, depthwise k×k, squeeze-and-excite, project 1×1 (EfficientNet).
    fused: one dense k×k convolution does the expanding and the mixing (EfficientNet-V2), which
        keeps a CPU's arithmetic busier than a depthwise one.
    """

    kind: Literal["mbconv", "fused"]
    kernel: int
    stride: int
    channels: int
    repeats: int
    expansion: int


@dataclass(frozen=True, kw_only=True)
class EfficientNetConfig:
    """Channels after width scaling, repeats after depth scaling."""

    stem: int
    stages: tuple[StageConfig, ...]
    top: int | None  # channels of the last 1×1 convolution; None leaves it out
    padding: Literal["keras", "same"] = "keras"  # of stride 2, see `ConvNorm`
    mean: tuple[float, float, float] = IMAGENET_MEAN  # of the pixels, red green blue, in 0…1
    std: tuple[float, float, float] = IMAGENET_STD
    stem_kernel: int = 3
    stem_stride: int = 2
    places: tuple[int, int] | None = None  # size of the last map, to learn a vector for each place
    drop_path: float = 0.2  # stochastic depth of the last block, growing linearly to it


def _mbconv(kernel: int, stride: int, channels: int, repeats: int, expansion: int) -> StageConfig:
    return StageConfig(
        kind="mbconv",
        kernel=kernel,
        stride=stride,
        channels=channels,
        repeats=repeats,
        expansion=expansion,
    )


B3 = EfficientNetConfig(
    stem=40,
    stages=(
        _mbconv(3, 1, 24, 2, 1),
        _mbconv(3, 2, 32, 3, 6),
        _mbconv(5, 2, 48, 3, 6),
        _mbconv(3, 2, 96, 5, 6),
        _mbconv(5, 1, 136, 5, 6),
        _mbconv(5, 2, 232, 6, 6),
        _mbconv(3, 1, 384, 2, 6),
    ),
    top=1536,
)


class FiLM(nn.Module):
    """Scale and shift every channel by the sentence; the identity when new."""

    def __init__(self, context: int, channels: int) -> None:
        super().__init__()
        self.scale = nn.Linear(context, channels)
        self.shift = nn.Linear(context, channels)
        for layer in (self.scale, self.shift):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(
        self, x: Float[Tensor, "N C H W"], context: Float[Tensor, "N E"]
    ) -> Float[Tensor, "N C H W"]:
        scale, shift = self.scale(context), self.shift(context)
        return torch.addcmul(shift[..., None, None], 1 + scale[..., None, None], x)


class SamePad(nn.Module):
    """TensorFlow's SAME for stride 2: as much as ⌈size / 2⌉ outputs need, the odd pixel after."""

    def __init__(self, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C h w"]:
        height, width = (self.kernel - 2 + size % 2 for size in x.shape[2:])
        return F.pad(x, (width // 2, width - width // 2, height // 2, height - height // 2))


class ConvNorm(nn.Sequential):
    """Convolution without bias, batch norm, and swish unless told otherwise.

    With stride 2, "keras" pads k//2-1 before and k//2 after whatever the size, as Keras'
    EfficientNet does: 300 pixels become 9 places. "same" is TensorFlow's rule, which depends on the
    size and gives 10; the flax release follows it. Symmetric padding is neither.
    """

    def __init__(
        self,
        channels_in: int,
        channels: int,
        kernel: int = 1,
        stride: int = 1,
        depthwise: bool = False,
        swish: bool = True,
        same: bool = False,
    ) -> None:
        half = kernel // 2
        pad: nn.Module = nn.Identity()
        if stride == 2:
            pad = SamePad(kernel) if same else nn.ZeroPad2d((half - 1, half, half - 1, half))
        padding = half if stride == 1 else 0
        if not depthwise:
            conv = nn.Conv2d(channels_in, channels, kernel, stride, padding, bias=False)
        else:
            conv = DepthwiseConv2d(channels, kernel, stride, padding)
        super().__init__(
            pad,
            conv,
            nn.BatchNorm2d(channels, eps=NORM_EPS, momentum=NORM_MOMENTUM),
            nn.SiLU() if swish else nn.Identity(),
        )


class SqueezeExcite(nn.Module):
    """Weigh channels by what the whole picture holds."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(channels, hidden, 1)
        self.expand = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C H W"]:
        # Not `mean`: its gradient is written out in full, and in another memory order than x has.
        pooled = x.sum((2, 3), keepdim=True) / (x.shape[2] * x.shape[3])
        return x * torch.sigmoid(self.expand(F.silu(self.reduce(pooled))))


class Block(nn.Module):
    """One (fused) inverted bottleneck with its FiLM layer."""

    def __init__(
        self,
        stage: StageConfig,
        channels_in: int,
        stride: int,
        drop_path: float,
        context: int,
        same: bool,
    ) -> None:
        super().__init__()
        hidden, channels, kernel = channels_in * stage.expansion, stage.channels, stage.kernel
        layers: list[nn.Module] = []
        if stage.kind == "mbconv":
            if stage.expansion != 1:
                layers.append(ConvNorm(channels_in, hidden))
            layers.append(ConvNorm(hidden, hidden, kernel, stride, depthwise=True, same=same))
            # The squeeze is a quarter of what enters the block, not of the expanded width.
            layers.append(SqueezeExcite(hidden, channels_in // 4))
            layers.append(ConvNorm(hidden, channels, swish=False))
        elif stage.expansion == 1:
            layers.append(ConvNorm(channels_in, channels, kernel, stride, same=same))
        else:
            layers.append(ConvNorm(channels_in, hidden, kernel, stride, same=same))
            layers.append(ConvNorm(hidden, channels, swish=False))
        self.layers = nn.Sequential(*layers)
        self.film = FiLM(context, channels)
        self.skip = stride == 1 and channels_in == channels
        self.drop_path = drop_path

    def forward(
        self, x: Float[Tensor, "N C H W"], context: Float[Tensor, "N E"]
    ) -> Float[Tensor, "N D h w"]:
        y = self.layers(x)
        if self.skip:
            if self.training and self.drop_path > 0:
                kept = torch.rand(len(x), 1, 1, 1, device=x.device) >= self.drop_path
                y = y * kept / (1 - self.drop_path)
            y = x + y
        return self.film(y, context)


class EfficientNet(nn.Module):
    """Pictures of 0 … 1 and sentence vectors in, a feature map out; eight to 32 times smaller."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: EfficientNetConfig, context: int) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.tensor(config.mean).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(config.std).view(3, 1, 1), persistent=False)
        same = config.padding == "same"
        self.stem = ConvNorm(3, config.stem, config.stem_kernel, config.stem_stride, same=same)
        plan = [(s, s.stride if i == 0 else 1) for s in config.stages for i in range(s.repeats)]
        self.blocks = nn.ModuleList()
        channels = config.stem
        for number, (stage, stride) in enumerate(plan):
            drop_path = config.drop_path * number / len(plan)
            self.blocks.append(Block(stage, channels, stride, drop_path, context, same))
            channels = stage.channels
        # Words such as "left" are about places, which convolutions alone do not know. The map comes
        # in as soon as the features have its size; blocks after it can read it with the sentence.
        self.position_after = max(i for i, (_, stride) in enumerate(plan) if stride == 2)
        self.position = None
        if config.places:
            self.position = nn.Parameter(
                torch.randn(*config.places, config.stages[-1].channels) * 0.1
            )
        self.top = ConvNorm(channels, config.top) if config.top else nn.Identity()
        self.channels = config.top or channels

    def forward(
        self, pixels: Float[Tensor, "N 3 H W"], context: Float[Tensor, "N E"]
    ) -> Float[Tensor, "N C h w"]:
        """Pixels run from 0 to 1."""
        x = (pixels - self.mean) / self.std
        x = self.stem(x)
        for number, block in enumerate(self.blocks):
            x = block(x, context)
            if self.position is not None and number == self.position_after:
                x = x + self.position.permute(2, 0, 1).to(x.dtype)
        return self.top(x)
