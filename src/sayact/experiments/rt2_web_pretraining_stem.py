"""The same pretraining for the other eyes: a small PaliGemma with a stem of convolutions.

What       rt2_web_pretraining with `vision="stem"`: the picture is seen before the question is read
Command    sayact train rt2_web_pretraining_stem --out runs/rt2-web-stem
Hardware   two CPU cores with bfloat16; the CPU time of 1,500 steps of rt2_web_pretraining:
           results/rt2-nano-web.md sets both side by side

Attention over every place needs a lower learning rate, or its features become the same for all
pictures.
"""

from dataclasses import replace

from sayact.experiments.rt2_web_pretraining import RECIPE as PRETRAINING

RECIPE = replace(
    PRETRAINING,
    name="rt2_web_pretraining_stem",
    vlm=replace(PRETRAINING.vlm, vision="stem"),
    train=replace(
        PRETRAINING.train, steps=400, learning_rate=4e-4, warmup_steps=50, evaluate_every=200
    ),
    rounds=(replace(PRETRAINING.rounds[-1], until=400),),
)
