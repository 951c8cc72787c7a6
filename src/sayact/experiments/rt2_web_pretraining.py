"""rt2-nano looks and speaks: the embedded web alone, before any robot.

What       a vision-language model of a few million parameters, from nothing, on 60,000 drawn
           pictures with half a million questions in a dozen languages
Command    sayact train rt2_web_pretraining --out runs/rt2-web
Hardware   two CPU cores with bfloat16; see results/rt2-nano-web.md for hours and numbers

Gates follow the order in which grounding emerges: the place of the effector, then colour, then
whole names. Its checkpoint is what rt2_language_table begins with (`--init runs/rt2-web`).
"""

from sayact.codecs.nano_tokenizer import SIZE
from sayact.experiments.rt1_language_table import RECIPE as RT1_NANO
from sayact.experiments.rt2_recipe import WEB, Phase, RT2Recipe
from sayact.models.vlms.nano import NanoConfig
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
    rounds=(Phase(until=3_000, mixture={WEB: 1.0}),),
    families=RT1_NANO.families,
    soft_places=1.0,
    jitter=RT1_NANO.jitter,
    watch_episodes=0,
)
