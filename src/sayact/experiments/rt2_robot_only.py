"""The control of rt2_language_table: the same network and schedule, and no web.

What       what co-fine-tuning adds is the difference to this (RT-2 section 4.3)
Command    sayact train rt2_robot_only --out runs/rt2-robot-only
Hardware   as rt2_language_table
"""

from dataclasses import replace

from sayact.experiments.rt2_language_table import RECIPE as CO_FINE_TUNED
from sayact.experiments.rt2_recipe import ROBOT, ROBOT_QUESTIONS

MIXTURE = {ROBOT: 0.85, ROBOT_QUESTIONS: 0.15}

RECIPE = replace(
    CO_FINE_TUNED,
    name="rt2_robot_only",
    rounds=tuple(replace(phase, mixture=MIXTURE) for phase in CO_FINE_TUNED.rounds),
)
