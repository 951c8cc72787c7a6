"""RT-1 nano in minutes: one task family, from nothing, on two CPU cores. What `make demo` trains.

What       block to block, eight blocks, every wording; the network and losses of rt1_language_table
Command    sayact demo, or: sayact train rt1_demo --out runs/demo/training
Measured   see results/demo.md
"""

from dataclasses import replace

from sayact.experiments.recipe import Recipe, Round
from sayact.experiments.rt1_language_table import RECIPE as FULL

RECIPE = Recipe(
    name="rt1_demo",
    model=FULL.model,
    images=FULL.images,
    # Small batches, for more steps in so few minutes.
    train=replace(
        FULL.train,
        steps=2_600,
        single_frame_steps=2_200,
        frames_a_step=64,
        warmup_steps=100,
        ema_decay=0.995,
        evaluate_every=650,
        checkpoint_every=650,
    ),
    rounds=(Round(episodes=600, until=1_300), Round(episodes=120, until=2_600, follow=True)),
    families=("block2block",),
    watch_episodes=8,
)
