"""RT-2 on PaliGemma 2, 3 B: the open descendant of PaLI, the backbone of RT-2's Language-Table row.

What       LoRA beside every linear layer; actions are the 256 rarest tokens, places its own
Table      RT-2-PaLI-3B, 90 ± 10 % (original simulator)
Command    sayact train rt2_paligemma_language_table --device cuda --out runs/rt2-paligemma
Hardware   a GPU with 40 GB or more, and the backbone's weights in the Hugging Face cache or within
           reach; not run here: its path is tested on small files of the same format
"""

from dataclasses import replace

from sayact.experiments.rt2_recipe import Hub
from sayact.experiments.rt2_smolvlm_language_table import RECIPE as SMOLVLM
from sayact.models.vlms.adapters import LoraConfig

RECIPE = replace(
    SMOLVLM,
    name="rt2_paligemma_language_table",
    vlm=Hub(
        name="google/paligemma2-3b-pt-224",
        lora=LoraConfig(rank=32, alpha=64.0, embeddings=True),
        checkpointing=True,
        dtype="bfloat16",
    ),
    train=replace(SMOLVLM.train, frames_a_step=128, accumulate=8, learning_rate=2e-4),
)
