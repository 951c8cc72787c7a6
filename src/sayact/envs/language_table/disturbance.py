"""Disturbs a demonstrator on purpose, so that its data teaches how to recover.

disturbance = Disturbance(0.1, rng)
label = oracle.act()                       # what to learn: clean
env.step(label.values + disturbance())     # what is done: now and then wrong
"""

import numpy as np
from jaxtyping import Float32

# A disturbance pushes the executed action in one direction for a while: far enough to slide off a
# block, and soon enough over to leave time for coming back.
KICK_STEPS = (2, 6)  # fewest, most
KICK_METRES = (0.005, 0.025)  # a step, weakest and strongest; the oracle's own median is 0.009
JITTER_METRES = 0.003  # standard deviation of what is added at every step of a noisy run


class Disturbance:
    """What is added to the executed action: now and then a kick for some steps, jitter always."""

    def __init__(self, share: float, rng: np.random.Generator) -> None:
        self._share = share
        self._rng = rng
        self._kick = np.zeros(2)
        self._left = 0

    def __call__(self) -> Float32[np.ndarray, "2"]:
        """The next step's displacement, metres."""
        if self._share == 0:
            return np.zeros(2, np.float32)
        if self._left == 0 and self._rng.random() < self._share:
            self._left = int(self._rng.integers(KICK_STEPS[0], KICK_STEPS[1] + 1))
            angle = self._rng.uniform(0, 2 * np.pi)
            length = self._rng.uniform(*KICK_METRES)
            self._kick = length * np.array([np.cos(angle), np.sin(angle)])
        kick = self._kick if self._left else 0
        self._left = max(self._left - 1, 0)
        return (kick + self._rng.normal(0, JITTER_METRES, 2)).astype(np.float32)
