"""RT-1 as the released code trains it, on Language-Table: 35 M parameters, for a GPU.

What       EfficientNet-B3 at 300 × 300, six frames, one-hot bins; behaviour cloning of a disturbed
           oracle. ImageNet weights in the backbone if this machine has them (see
           `experiments.pretrained`), else random ones; the run says which
Table      the row "RT-1" of RT-2's Language-Table table (74 ± 13 % there)
Command    sayact train rt1_b3_language_table --device cuda --compile --out runs/b3
Hardware   one GPU, and some 90 GB of disk for the frame cache (20,000 episodes of about 25 frames
           at full size); on a CPU only --tiny is of use, and rt1_b3_hour
Measured   on a GPU nothing yet: no claim is made. On a CPU see results/rt1-b3.md

As google-research/robotics_transformer has it: the network to the last padding rule; pictures
divided by 255, padded with black and cut at one random place for the whole batch, no colour
changes; batch norm by the statistics of the step's frames; stochastic depth 0.2 and dropout 0.1;
all six frames supervised; Adam at a constant 1e-4 with epsilon 1e-7, no decay, no clipping.

Where it departs: two action dimensions instead of eleven. The released loss is ours divided by
B·T·19, which matters to Adam through its epsilon alone; RT-1-X's code has the plain mean, as here.
Keras' Adam adds epsilon before it corrects the second moment's bias, PyTorch's after: the same
epsilon weighs 1/√(1 - 0.999ᵗ) as much there, 32 times at the first step and 1.03 times at the
3,000th.
Bins are read at their centre, not at their lower edge. Non-finite gradients stop the run; there
they become zero. The size of a batch and the number of steps are not published for this data.
"""

from dataclasses import replace

from sayact.codecs import ImageCodec
from sayact.data.augmentation import PadThenCrop
from sayact.experiments.recipe import Recipe, Round
from sayact.experiments.rt1_language_table import RECIPE as NANO_RECIPE
from sayact.models.shapes import PAPER
from sayact.train import TrainConfig

RECIPE = Recipe(
    name="rt1_b3_language_table",
    model=replace(PAPER, action_dims=2),
    images=ImageCodec(camera=(180, 320), shrink_by=1, crop=(180, 320)),  # whole
    train=TrainConfig(
        steps=100_000,
        frames_a_step=192,
        learning_rate=1e-4,
        warmup_steps=0,
        final_share=1.0,
        weight_decay=0.0,
        betas=(0.9, 0.999),
        epsilon=1e-7,
        clip_norm=None,
        batch_norm="batch",
        threads=None,  # all cores: they cut the next batch while the GPU computes
        evaluate_every=5_000,
    ),
    rounds=(Round(episodes=20_000, until=100_000),),
    families=NANO_RECIPE.families,
    watch_families=NANO_RECIPE.watch_families,
    jitter=None,
    shift=PadThenCrop(),
    pretrained=True,
)
