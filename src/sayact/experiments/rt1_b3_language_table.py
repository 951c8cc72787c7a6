"""RT-1 as the paper has it (arXiv 2212.06817), on Language-Table: 35 M parameters, for a GPU.

What       the published shapes and loss: EfficientNet-B3 at 300 × 300, six frames, one-hot bins,
           Adam at 1e-4 without decay, behaviour cloning of a disturbed oracle
Table      the row "RT-1" of RT-2's Language-Table table (74 ± 13 % there)
Command    sayact train rt1_b3_language_table --device cuda --out runs/b3
Hardware   one GPU, and some 90 GB of disk for the frame cache (20,000 episodes of about 25 frames
           at full size); on a CPU only --tiny is of use
Measured   nothing yet beyond --tiny: no claim is made

Where it departs from the paper: two action dimensions instead of eleven; random weights instead of
ImageNet's; a warm-up, a cosine and clipped gradients instead of a constant rate; random crops out
of the picture instead of padding; and Language-Table's colour changes.
"""

from dataclasses import replace

from sayact.codecs import ImageCodec
from sayact.experiments.recipe import Recipe, Round
from sayact.experiments.rt1_language_table import RECIPE as NANO_RECIPE
from sayact.models.shapes import PAPER
from sayact.train import TrainConfig

RECIPE = Recipe(
    name="rt1_b3_language_table",
    model=replace(PAPER, action_dims=2),
    images=ImageCodec(camera=(180, 320), shrink_by=1, crop=(170, 304)),
    train=TrainConfig(
        steps=100_000,
        frames_a_step=192,
        learning_rate=1e-4,
        weight_decay=0.0,
        betas=(0.9, 0.999),
        evaluate_every=5_000,
    ),
    rounds=(Round(episodes=20_000, until=100_000),),
    families=NANO_RECIPE.families,
    watch_families=NANO_RECIPE.watch_families,
)
