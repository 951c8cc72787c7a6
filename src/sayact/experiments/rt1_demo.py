"""RT-1 nano in a few minutes: one family, four blocks of it named by a sentence, two CPU cores.

What `make demo` trains. Measured: see results/demo.md.
"""

from dataclasses import replace

from sayact.experiments.recipe import Recipe, Round
from sayact.experiments.rt1_language_table import RECIPE as FULL

RECIPE = Recipe(
    name="rt1_demo",
    model=FULL.model,
    images=FULL.images,
    train=replace(FULL.train, steps=3_000, single_frame_steps=2_500, evaluate_every=1_000),
    rounds=(Round(episodes=400, until=3_000),),
    families=("block2block",),
    watch_episodes=10,
)
