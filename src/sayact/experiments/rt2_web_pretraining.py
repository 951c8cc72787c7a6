"""rt2-nano looks and speaks: the embedded web alone, before any robot.

What       a vision-language model of 3.2 M parameters, from nothing, on 52,000 drawn pictures with
           392,000 questions in eight languages
Command    sayact train rt2_web_pretraining --out runs/rt2-web
Hardware   two CPU cores with bfloat16; see results/rt2-nano-web.md for hours and numbers

Grounding comes in an order: where the effector is, then where the thing is that was named, and much
later what a thing is called. Each phase ends when its own number is reached, at the latest at its
step. Its checkpoint is what rt2_language_table begins with (`--init runs/rt2-web`).
"""

from sayact.codecs.nano_tokenizer import SIZE
from sayact.experiments.rt1_language_table import RECIPE as RT1_NANO
from sayact.experiments.rt2_recipe import WEB, Gate, Phase, RT2Recipe, Web
from sayact.models.vlms.nano_config import NanoConfig
from sayact.train import TrainConfig

RECIPE = RT2Recipe(
    name="rt2_web_pretraining",
    vlm=NanoConfig(vocabulary=SIZE),
    images=RT1_NANO.images,
    train=TrainConfig(
        steps=3_000,
        frames_a_step=96,
        final_share=0.2,
        ema_decay=0.999,
        batch_norm="batch",
        evaluate_every=500,
    ),
    rounds=(
        Phase(
            until=2_000,
            mixture={WEB: 1.0},
            gate=Gate(number="answers/table/effector", at_least=0.9),
        ),
        Phase(
            until=3_000,
            mixture={WEB: 1.0},
            gate=Gate(number="answers/table/pointing", at_least=0.7),
        ),
    ),
    web=Web(pictures=40_000, pages=12_000),
    families=RT1_NANO.families,
    soft_places=1.0,
    jitter=RT1_NANO.jitter,
    watch_episodes=0,
)
