"""RT-2 on SmolVLM-256M, a pretrained backbone of the Hugging Face hub.

What       all weights are trained; actions are the 256 rarest tokens (symbol tuning, as PaLM-E)
Command    sayact train rt2_smolvlm_language_table --device cuda --out runs/rt2-smolvlm
Hardware   a GPU with 24 GB or more, and the backbone's weights in the Hugging Face cache or within
           reach; not run here: its path is tested on small files of the same format
"""

from dataclasses import replace

from sayact.codecs import ImageCodec
from sayact.experiments.rt2_language_table import RECIPE as NANO
from sayact.experiments.rt2_recipe import Hub

RECIPE = replace(
    NANO,
    name="rt2_smolvlm_language_table",
    vlm=Hub(name="HuggingFaceTB/SmolVLM-256M-Instruct", checkpointing=True, dtype="bfloat16"),
    images=ImageCodec(camera=(180, 320), shrink_by=1, crop=(168, 304)),
    train=replace(
        NANO.train,
        frames_a_step=64,
        accumulate=4,
        learning_rate=1e-4,
        batch_norm="running",
        precision="bfloat16",
    ),
    action_words="symbols",
    soft_places=0.0,  # its places are written with digits
)
