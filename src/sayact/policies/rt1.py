"""RT-1 acting: one picture in, one action out, the last T frames remembered as image tokens.

    step s:   picture ─▶ tokenize (this frame only) ─▶ ┐
              image tokens of the T-1 frames before ───┴─▶ decode ─▶ argmax of the newest frame

A frame passes through the backbone once (RT-1 section 5.1, 1.7 × faster there), with the sentence
that was in force when it was seen. Both networks are computed by an engine.

    frames of an episode   0   1   2   3   4   5   6   7      T = 6, RT-1's
    window at step 2      [0   1   2]                         not padded: three frames, slots 0 … 2
    window at step 7              [2   3   4   5   6   7]     frame 2 has moved to slot 0

Positions belong to slots, not to frames, so a frame's image tokens can be kept, and what the
transformer made of them cannot. There is no clock: a slot is a call of `act`.

RT-1-X was trained on full windows only, with empty frames before an episode's first; its config
says so (`empty_start`), and its windows are then filled with those.
"""

from collections import deque
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from jaxtyping import Float32, UInt8

from sayact.codecs import Processor
from sayact.models.rt1 import RT1Config
from sayact.policies.engines import Engine
from sayact.policies.policy import Policy, require_sound
from sayact.schema import Action, ActionSpace, Observation
from sayact.schema.errors import BadObservationError, CheckpointError, ShapeError


class RT1Policy(Policy):
    """Greedy decoding, as in the paper: the likeliest bin of every dimension.

    As in the released code, every call of `act` fills one slot of the window:
    - a frame given twice stands in it twice;
    - a frame that comes late, or after a gap, is one slot after the frame before it;
    - after a forgotten `reset()` the old episode's frames stay for T-1 more calls, and then have
      no influence left;
    - a new sentence counts from its own frame on; earlier frames keep theirs.
    A refused observation fills no slot.
    """

    def __init__(self, engine: Engine, processor: Processor) -> None:
        """Raises CheckpointError where network and processor do not fit each other."""
        self.engine = engine
        self.processor = processor
        config = engine.config
        _require_fit(config, processor)
        self._tokens: deque[Float32[np.ndarray, "K D"]] = deque(maxlen=config.frames)
        # Ids that a discrete dimension does not have are never chosen.
        self._illegal = np.ones((config.action_dims, config.bins), bool)
        for dimension, size in enumerate(processor.actions.sizes):
            self._illegal[dimension, :size] = False

    @property
    def action_space(self) -> ActionSpace:
        return self.processor.action_space

    def reset(self) -> None:
        """Forget the episode."""
        self._tokens.clear()

    def act(self, observation: Observation) -> Action:
        """The action for this moment; call once a control step, `reset()` before an episode.

        Raises ShapeError for a picture of another size or dtype, or a sentence vector of another
        width, and BadObservationError for one with NaN or infinity; the network sees none of them.
        """
        self._tokens.append(self.engine.tokenize(*self.look(observation)))
        return self.choose(self.engine.decode(self.window(self._tokens)))

    def look(
        self, observation: Observation
    ) -> tuple[UInt8[np.ndarray, "3 H W"], Float32[np.ndarray, "E"]]:
        """The picture and the sentence vector as the network takes them. Raises as `act` does."""
        pixels, sentence = self.processor.observe(observation)
        _require_sentence(sentence, self.engine.config.sentence)
        return pixels, sentence

    def window(self, frames: Sequence[Float32[np.ndarray, "K D"]]) -> Float32[np.ndarray, "T K D"]:
        """What the network decodes after an episode's newest frames, with empty ones before them
        where it learned with those."""
        config = self.engine.config
        empty = config.frames - len(frames) if config.empty_start else 0
        before = [self._empty_frame] * empty if empty else []
        return np.stack([*before, *frames])

    @cached_property
    def _empty_frame(self) -> Float32[np.ndarray, "K D"]:
        """Image tokens of a black picture and a sentence of zeros."""
        pixels = np.zeros((3, *self.processor.images.crop), np.uint8)
        return self.engine.tokenize(pixels, np.zeros(self.engine.config.sentence, np.float32))

    def choose(self, logits: Float32[np.ndarray, "A V"]) -> Action:
        """Logits of one frame → the likeliest action, with the probability of each token.

        Raises BadActionError when the network answers NaN or infinity.
        """
        require_sound(bool(np.isfinite(logits).all()))
        legal = np.where(self._illegal, -np.inf, logits)
        chances = np.exp(legal - legal.max(-1, keepdims=True))
        chances /= chances.sum(-1, keepdims=True)
        ids = chances.argmax(-1)
        return self.processor.action(ids, chances.max(-1).astype(np.float32))


def _require_fit(config: RT1Config, processor: Processor) -> None:
    numbers, ids = len(processor.action_space), max(processor.actions.sizes)
    if numbers != config.action_dims or ids > config.bins:
        raise CheckpointError(
            f"the network answers {config.action_dims} numbers of {config.bins} bins each; the "
            f"action space {processor.action_space.name!r} has {numbers} and its codec uses {ids} "
            "ids. config.json, action_space.json and processor.json must be of one checkpoint."
        )


def _require_sentence(sentence: np.ndarray, width: int) -> None:
    if sentence.dtype != np.float32 or sentence.shape != (width,):
        raise ShapeError(
            f"the sentence encoder must give float32 of shape ({width},), which this network was "
            f"trained with; got {sentence.dtype} of shape {sentence.shape}. Give the policy's "
            "processor the encoder of its training."
        )
    if not np.isfinite(sentence).all():
        raise BadObservationError(
            f"the sentence vector holds NaN or infinity at {np.flatnonzero(~np.isfinite(sentence))}"
            "; an encoder must give finite numbers for every sentence."
        )
