"""The full-size network on two CPU cores for an hour: rt1_b3_language_table made to learn at once.

What       the same network, pictures and demonstrations, from random weights
Command    sayact train rt1_b3_hour --data DEMONSTRATIONS --out runs/b3
Hardware   two CPU cores with bfloat16; 65 minutes
Measured   see results/rt1-b3.md

An hour is some 30,000 frames, a thirtieth of what rt1-nano has seen. So it takes what made nano
learn early, and says so: single frames before windows of six; three image tokens told where to
look; targets smoothed over neighbouring bins; sentence vectors times 16; a higher rate that warms
up and falls; colour changes; a shift drawn for every window; no stochastic depth.
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
        steps=1_300,
        single_frame_steps=1_100,
        frames_a_step=16,
        learning_rate=5e-4,
        warmup_steps=40,
        ema_decay=0.99,
        log_every=10,
        evaluate_every=1_300,
        checkpoint_every=100,
    ),
    rounds=(Round(episodes=600, until=1_300),),
    watch_episodes=2,
    jitter=OFFICIAL_JITTER,
    shift=PadThenCrop(shared=False),
)
