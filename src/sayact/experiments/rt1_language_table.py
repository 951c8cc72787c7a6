"""RT-1 nano on Language-Table, end to end."""

from sayact.codecs import ImageCodec
from sayact.experiments.recipe import Recipe, Round
from sayact.models.rt1 import NANO
from sayact.train import TrainConfig

RECIPE = Recipe(
    name="rt1_language_table",
    model=NANO,
    images=ImageCodec(camera=(180, 320), shrink_by=2, crop=(84, 152)),
    train=TrainConfig(steps=13_000, single_frame_steps=10_000, ema_decay=0.999),
    rounds=(
        Round(episodes=5_000, until=4_000),
        Round(episodes=700, until=6_500, follow=True),
        Round(episodes=700, until=9_000, follow=True),
        Round(episodes=700, until=13_000, follow=True),
    ),
    families=(
        "block2block",
        "block2absolute",
        "block2relative",
        "block2block_relative",
        "separate",
        "point2block",
        "block1_to_corner",
    ),
    watch_families=("block2block", "block2absolute", "block2block_relative"),
)
