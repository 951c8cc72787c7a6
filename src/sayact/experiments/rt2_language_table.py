"""rt2-nano acts: robot and web in every batch (RT-2 section 3.2, co-fine-tuning).

What       demonstrations of Language-Table, questions about the robot's own frames, and the
           embedded web. A share of the robot examples asks for a plan, or gives one.
Table      the row "RT-2" of the paper's Language-Table table (90 ± 10 %, original simulator)
Command    sayact train rt2_language_table --init runs/rt2-web --out runs/rt2
           Leave --init out to begin from nothing. --data DIR … takes robot datasets that are
           there, such as those of rt1_language_table, which show how to come back from mistakes.
Hardware   two CPU cores with bfloat16; see results/rt2-nano.md for the hours and what it reached
"""

from dataclasses import replace

from sayact.experiments.rt1_language_table import RECIPE as RT1_NANO
from sayact.experiments.rt2_recipe import ROBOT, ROBOT_QUESTIONS, WEB, Phase
from sayact.experiments.rt2_web_pretraining import RECIPE as PRETRAINING

# Robot data between the half of a PaLI-X batch and the two thirds of a PaLM-E batch (the paper's
# appendix).
MIXTURE = {ROBOT: 0.6, ROBOT_QUESTIONS: 0.05, WEB: 0.35}

RECIPE = replace(
    PRETRAINING,
    name="rt2_language_table",
    train=replace(
        PRETRAINING.train, steps=6_000, learning_rate=8e-4, final_share=0.02, evaluate_every=2_000
    ),
    rounds=(Phase(until=6_000, mixture=MIXTURE, episodes=5_000),),
    soft_actions=2.0,
    plan_share=0.3,
    watch_families=RT1_NANO.watch_families,
    watch_episodes=RT1_NANO.watch_episodes,
)
