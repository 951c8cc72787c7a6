"""The sizes RT-1 was published in, and ours.

            rt1main, rt1simreal   rt1multirobot   rt1x (flax)    rt1flax (its defaults)
frames      6                     6               15             6
tokens      6 × (8 + 11) = 114    114             15 × 92 = 1380 114
layers      8, width 512          10, width 1024  8, width 512   8, width 512
heads       8 × 128               8 × 256         8 × 256        8 × 128
forward     linear                linear          SwiGLU 512     SwiGLU 512
bins        256                   256             512            256
places      9 × 9                 9 × 9           10 × 10        10 × 10
parameters  35.3 M                111.4 M         57.0 M         39.4 M
"""

from dataclasses import replace

from sayact.models.layers.efficientnet import B3, EfficientNetConfig, StageConfig
from sayact.models.rt1 import RT1Config

# google-research/robotics_transformer: rt1main and rt1simreal. `RT1Config`'s own values.
PAPER = RT1Config(action_dims=11)

# The same code's rt1multirobot.
MULTIROBOT = replace(PAPER, layers=10, width=1024, head_dim=256)

# google-deepmind/open_x_embodiment, flax: the class as it comes.
FLAX = replace(
    PAPER,
    backbone=replace(B3, padding="same"),
    feed_forward="swiglu",
    hidden=512,
    action_keys=False,
    empty_start=True,
)

# And as its example configures it: RT-1-X.
RT1_X = replace(FLAX, frames=15, image_tokens=81, head_dim=256, bins=512)

PUBLISHED = {
    "rt1main": PAPER,
    "rt1simreal": PAPER,
    "rt1multirobot": MULTIROBOT,
    "rt1x": RT1_X,
    "rt1flax": FLAX,
}


def fused(channels: int, stride: int, repeats: int) -> StageConfig:
    """Dense 3×3 convolutions, which keep a CPU busier than EfficientNet's."""
    return StageConfig(
        kind="fused", kernel=3, stride=stride, channels=channels, repeats=repeats, expansion=1
    )


# For two CPU cores: dense 3×3 convolutions instead of EfficientNet's. Where it departs from the
# paper stands in the recipe that trains it.
NANO = RT1Config(
    action_dims=2,
    picture=(84, 152),
    backbone=EfficientNetConfig(
        stem=24,
        stages=(fused(48, 2, 2), fused(96, 2, 4)),
        top=None,
        places=(10, 19),
        drop_path=0.0,
    ),
    token_width=128,
    image_tokens=8,
    width=192,
    layers=4,
    heads=4,
    head_dim=48,
    feed_forward="swiglu",
    dropout=0.0,
    sentence_scale=16.0,
    points=3,
    soft_bins=2.0,
)
