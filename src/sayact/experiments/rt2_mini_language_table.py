"""rt2-mini: rt2-nano's plan fifteen times as large, for a GPU.

What       47 M parameters, the camera's full picture instead of half of it
Command    sayact train rt2_mini_language_table --device cuda --out runs/rt2-mini
Hardware   a GPU; on a CPU only --tiny has run, and no number is claimed
"""

from dataclasses import replace

from sayact.codecs import ImageCodec
from sayact.codecs.nano_tokenizer import SIZE
from sayact.experiments.rt2_language_table import MIXTURE
from sayact.experiments.rt2_language_table import RECIPE as NANO
from sayact.experiments.rt2_recipe import WEB, Gate, Phase
from sayact.models.layers.efficientnet import EfficientNetConfig
from sayact.models.shapes import fused
from sayact.models.vlms.nano_config import NanoConfig

RECIPE = replace(
    NANO,
    name="rt2_mini_language_table",
    vlm=NanoConfig(
        vocabulary=SIZE,
        picture=(168, 304),
        width=512,
        layers=8,
        heads=8,
        hidden=1408,
        reader_layers=4,
        backbone=EfficientNetConfig(
            stem=32,
            stages=(fused(64, 2, 2), fused(128, 2, 4), fused(256, 2, 6)),
            top=None,
            places=(10, 19),
            drop_path=0.1,
        ),
        image_tokens=32,
    ),
    images=ImageCodec(camera=(180, 320), shrink_by=1, crop=(168, 304)),
    train=replace(NANO.train, steps=60_000, frames_a_step=256, learning_rate=4e-4),
    rounds=(
        Phase(
            until=20_000,
            mixture={WEB: 1.0},
            gate=Gate(number="answers/table/pointing", at_least=0.9),
        ),
        Phase(until=60_000, mixture=MIXTURE, episodes=20_000),
    ),
)
