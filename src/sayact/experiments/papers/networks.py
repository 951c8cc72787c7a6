"""The two sizes of RT-2 that are compared: bigger is better, says section 4.3 of its paper."""

from sayact.codecs.nano_tokenizer import SIZE
from sayact.models.layers.efficientnet import EfficientNetConfig
from sayact.models.shapes import fused
from sayact.models.vlms.nano_config import NanoConfig

# rt2-nano's: 3.2 million parameters.
NANO = NanoConfig(vocabulary=SIZE)

# A third of that, narrower and shallower everywhere; near half of it is the table of words.
MICRO = NanoConfig(
    vocabulary=SIZE,
    width=112,
    layers=2,
    hidden=224,
    reader_layers=1,
    backbone=EfficientNetConfig(
        stem=16,
        stages=(fused(24, 2, 2), fused(48, 2, 3)),
        top=None,
        places=(10, 19),
        drop_path=0.0,
    ),
)

# What a tiny run has in the place of either.
TINY_EYES = EfficientNetConfig(
    stem=8, stages=(fused(8, 2, 1), fused(8, 2, 1)), top=None, places=(10, 19), drop_path=0.0
)
