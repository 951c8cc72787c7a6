"""The full-size network on two CPU cores for an hour: rt1_b3_language_table made to learn at once.

What       the same network and pictures, fewer demonstrations, from random weights even where
           ImageNet's are at hand
Command    sayact train rt1_b3_hour --out runs/b3
Hardware   two CPU cores with bfloat16; about an hour, see the results
Measured   see results/rt1-b3.md

It sees 960 · 16 single frames and 90 · 2 windows of six: 16,440 frames, a sixtieth of what rt1-nano
has seen. So it takes what made nano learn early, and says so: single frames before windows of six;
three image tokens told where to look; targets smoothed over neighbouring bins; sentence vectors
times 16; a higher rate that warms up and falls; colour changes; a shift drawn for every window; no
stochastic depth.
"""

from dataclasses import replace

from sayact.data.augmentation import PadThenCrop
from sayact.experiments.recipe import OFFICIAL_JITTER, Round
from sayact.experiments.rt1_b3_language_table import RECIPE as PAPER_RECIPE
from sayact.models.layers.efficientnet import B3
from sayact.train import TrainConfig

RECIPE = replace(
    PAPER_RECIPE,
    name="rt1_b3_hour",
    model=replace(
        PAPER_RECIPE.model,
        backbone=replace(B3, drop_path=0.0),
        dropout=0.0,
        sentence_scale=16.0,
        points=3,
        soft_bins=2.0,
    ),
    train=TrainConfig(
        steps=1_050,
        single_frame_steps=960,
        frames_a_step=16,
        learning_rate=5e-4,
        warmup_steps=40,
        ema_decay=0.99,
        log_every=10,
        evaluate_every=1_050,
        checkpoint_every=50,
    ),
    rounds=(Round(episodes=600, until=1_050),),
    watch_episodes=2,
    jitter=OFFICIAL_JITTER,
    shift=PadThenCrop(shared=False),
    pretrained=False,
)
