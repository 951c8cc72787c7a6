"""The contract between `RT1Policy` and whatever computes for it."""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8

from sayact.models.rt1 import RT1Config


@runtime_checkable
class Engine(Protocol):
    """Computes the two networks of one RT-1.

    Whatever it remembers changes no answer: policies and threads may share one. A policy is one
    episode at a time.
    """

    @property
    def config(self) -> RT1Config:
        """The network it computes."""
        ...

    def tokenize(
        self, pixels: UInt8[np.ndarray, "3 H W"], sentence: Float32[np.ndarray, "E"]
    ) -> Float32[np.ndarray, "K D"]:
        """Image tokens of one frame, seen with one sentence. The caller may keep them."""
        ...

    def decode(self, tokens: Float32[np.ndarray, "T K D"]) -> Float32[np.ndarray, "A V"]:
        """Logits of the newest frame; `tokens` are the window's frames so far, oldest first."""
        ...


@runtime_checkable
class BatchEngine(Engine, Protocol):
    """An engine that computes the frames and windows of many robots in one call."""

    def tokenize_many(
        self, pixels: UInt8[np.ndarray, "N 3 H W"], sentences: Float32[np.ndarray, "N E"]
    ) -> Float32[np.ndarray, "N K D"]:
        """Image tokens of each frame, seen with the sentence beside it."""
        ...

    def decode_many(self, tokens: Float32[np.ndarray, "N T K D"]) -> Float32[np.ndarray, "N A V"]:
        """Logits of the newest frame of each window; all windows hold as many frames."""
        ...
