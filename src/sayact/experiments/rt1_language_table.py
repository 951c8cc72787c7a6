"""RT-1 nano on Language-Table, end to end: the recipe of the policy in the box.

What       seven task families, eight blocks, every wording; pictures of 320 × 180 seen at half size
Table      the row "RT-1" of RT-2's Language-Table table (74 ± 13 %, on the original simulator)
Command    sayact train rt1_language_table --out runs/nano
Hardware   two CPU cores with bfloat16; see results/rt1-nano.md for the hours and what it reached

Where it departs from the paper, and why:

- Dense 3×3 convolutions in place of EfficientNet-B3: they keep a CPU busier than depthwise ones.
- A learned vector for every place of the feature map ("left" is a place), no ImageNet weights.
- Three of the eight image tokens are told where to look (effector, block to push, its
  goal), so that the sentence matters early.
- Targets are smoothed over neighbouring bins: a bin is 0.8 mm wide, the next nearly as good.
- Sentence vectors are scaled by 16: numbers of 0.04 are slow food for Adam.
- Single frames first, windows of six last: six times as many scenes in a batch.
- After the first round the policy acts and the oracle labels (DAgger): demonstrations alone never
  show how to come back from a policy's own mistakes.
- SwiGLU feed-forward, as in RT-1-X; an average of the weights acts (decay 0.999).
"""

from sayact.codecs import ImageCodec
from sayact.experiments.recipe import Recipe, Round
from sayact.models.shapes import NANO
from sayact.train import TrainConfig

# "Block beside block" is learned last: it must not touch the block it is about.
HARD = (
    *("block2block_relative",) * 4,
    "block2block",
    "block2absolute",
    "block2relative",
)

RECIPE = Recipe(
    name="rt1_language_table",
    model=NANO,
    images=ImageCodec(camera=(180, 320), shrink_by=2, crop=(84, 152)),
    train=TrainConfig(
        steps=11_000, single_frame_steps=8_000, ema_decay=0.999, evaluate_every=3_000
    ),
    rounds=(
        Round(episodes=5_000, until=4_000),
        Round(episodes=1_000, until=6_000, follow=True),
        Round(episodes=840, until=8_000, follow=True, families=HARD),
        Round(episodes=700, until=11_000, follow=True, families=HARD),
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
