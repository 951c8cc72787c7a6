"""RT-1 acting: one picture in, one action out, the last T frames remembered as image tokens.

    step s:   picture ─▶ tokenize (this frame only) ─▶ ┐
              image tokens of the T-1 frames before ───┴─▶ decode ─▶ argmax of the newest frame

A frame passes through the backbone once (RT-1 section 5.1, 1.7 × faster there), with the sentence
that was in force when it was seen.
"""

from collections import deque

import numpy as np
import torch
from torch import Tensor

from sayact.codecs import Processor
from sayact.models.rt1 import RT1
from sayact.policies.policy import Policy
from sayact.schema import Action, ActionSpace, Observation
from sayact.schema.errors import BadActionError


class RT1Policy(Policy):
    """Greedy decoding, as in the paper: the likeliest bin of every dimension."""

    def __init__(self, model: RT1, processor: Processor, device: str = "cpu") -> None:
        self.model: RT1 = model.channels_last(device).eval()
        self.processor = processor
        self.device = device
        self._tokens: deque[Tensor] = deque(maxlen=model.config.frames)
        # Ids that a discrete dimension does not have are never chosen.
        illegal = torch.ones(model.config.action_dims, model.config.bins, dtype=torch.bool)
        for dimension, size in enumerate(processor.actions.sizes):
            illegal[dimension, :size] = False
        self._illegal = illegal.to(device)

    @property
    def action_space(self) -> ActionSpace:
        return self.processor.action_space

    def reset(self) -> None:
        """Forget the episode."""
        self._tokens.clear()

    @torch.inference_mode()
    def act(self, observation: Observation) -> Action:
        """The action for this moment; call once a control step, `reset()` before an episode."""
        pixels, sentence = self.processor.observe(observation)
        frame = torch.as_tensor(pixels, device=self.device)[None]
        context = torch.as_tensor(sentence, device=self.device)[None]
        self._tokens.append(self.model.tokenize(frame, context))
        logits = self.model.decode(torch.stack(tuple(self._tokens), 1))[0, -1]
        return self.choose(logits)

    def choose(self, logits: Tensor) -> Action:
        """(A, V) logits of one frame → the likeliest action, with the probability of each token.

        Raises BadActionError when the network answers NaN or infinity: the largest of those is
        some bin too, and would be acted on in silence.
        """
        if not torch.isfinite(logits).all():
            raise BadActionError(
                "the network's logits hold NaN or infinity; its weights or its input are broken"
            )
        chances = logits.float().masked_fill(self._illegal, float("-inf")).softmax(-1)
        best, ids = chances.max(-1)
        return self.processor.action(
            ids.cpu().numpy().astype(np.int64), best.cpu().numpy().astype(np.float32)
        )
