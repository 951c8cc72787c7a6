"""Where RT-2 looks before it says anything: at the effector, at what it must move, at the goal.

picture, prompt ─▶ image tokens 0, 1, 2 … ─▶ a map of the picture each ─▶ its mean place

Backbones whose image tokens are told where to look in training (`VLM.looks`) can say so. What a
policy does wrong is then told apart: it looked at another thing, or it pushed badly.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from sayact.models.vlms.nano_eyes import mean_place
from sayact.models.vlms.vlm import VLM
from sayact.policies.decoding import PromptBatch
from sayact.policies.rt2 import RT2Policy
from sayact.schema import Observation
from sayact.schema.errors import SayactError

EFFECTOR, MOVED, GOAL = range(3)  # the image tokens that are told where to look


@torch.inference_mode()
def looked_at(vlm: VLM, asked: PromptBatch, points: int) -> Float[Tensor, "B P 2"]:
    """Where the first image tokens look on average, (x, y) in 0…1 of the model's picture."""
    silent = torch.zeros_like(asked.prompt)
    _, maps = vlm.look_and_answer(asked.pixels, asked.tokens, asked.prompt, silent)
    assert maps is not None  # `vlm.looks`
    return mean_place(maps[:, :points].float())


def look(policy: RT2Policy, observations: Sequence[Observation]) -> Float32[np.ndarray, "B 3 2"]:
    """EFFECTOR, MOVED and GOAL as the policy sees them, (x, y) in 0…1 of the camera's picture.

    Raises SayactError for a backbone that cannot tell.
    """
    if not policy.vlm.looks:
        raise SayactError(
            f"{type(policy.vlm).__name__} cannot say where it looks; only backbones with eyes that "
            "are told where to look can, such as rt2-nano's"
        )
    processor = policy.processor
    shown = [(processor.images.look(o.image), processor.task(o.instruction)) for o in observations]
    asked = PromptBatch.of(shown, processor.tokenizer.pad, policy.device)
    found = looked_at(policy.vlm, asked, 1 + GOAL).cpu().numpy()
    return processor.images.to_picture_units(found).astype(np.float32)
