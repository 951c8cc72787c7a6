"""The sizes that are compared: bigger is better, says RT-2's section 4.3.

nano     3.2 million parameters    the main arms: rt1-nano's and rt2-nano's own sizes
micro    1.0 million               the ablations, of RT-1 too, at a third of the price
pico     0.45 million              the smaller of the two sizes that the ablations compare
"""

from dataclasses import replace

from sayact.codecs.nano_tokenizer import SIZE
from sayact.models import shapes
from sayact.models.layers.efficientnet import EfficientNetConfig
from sayact.models.shapes import fused
from sayact.models.vlms.nano_config import NanoConfig

NANO = NanoConfig(vocabulary=SIZE)


def _eyes(stem: int, middle: int, last: int) -> EfficientNetConfig:
    """rt1-nano's, narrower and with a block less."""
    return EfficientNetConfig(
        stem=stem,
        stages=(fused(middle, 2, 2), fused(last, 2, 3)),
        top=None,
        places=(10, 19),
        drop_path=0.0,
    )


# Narrower and shallower everywhere; near half of it is the table of words.
MICRO = NanoConfig(
    vocabulary=SIZE, width=112, layers=2, hidden=224, reader_layers=1, backbone=_eyes(16, 24, 48)
)
PICO = NanoConfig(
    vocabulary=SIZE, width=64, layers=2, hidden=128, reader_layers=1, backbone=_eyes(8, 16, 32)
)
RT2_SIZES = {"nano": NANO, "micro": MICRO, "pico": PICO}

RT1_MICRO = replace(
    shapes.NANO, backbone=MICRO.backbone, token_width=96, width=128, layers=3, head_dim=32
)
RT1_SIZES = {"nano": shapes.NANO, "micro": RT1_MICRO}

# What a tiny run has in the place of any.
TINY_EYES = EfficientNetConfig(
    stem=8, stages=(fused(8, 2, 1), fused(8, 2, 1)), top=None, places=(10, 19), drop_path=0.0
)
