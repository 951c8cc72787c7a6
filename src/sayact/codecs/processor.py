"""The one piece that knows both sides: words, pixels and actions ⇄ what the model computes with.

Training and acting call the same `Processor`, and it is saved inside the checkpoint. Whatever is
done to a picture or a number before the network, is done here and nowhere else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from sayact.codecs.bins import ActionCodec, UniformBins
from sayact.codecs.edges import EdgeBins
from sayact.codecs.images import ImageCodec
from sayact.codecs.instructions import (
    CUSTOM,
    LARGE,
    MULTILINGUAL,
    GivenSentences,
    SentenceEncoder,
    UniversalSentenceEncoder,
)
from sayact.schema import Action, ActionSpace, Observation
from sayact.schema.errors import CheckpointError

# How processor.json names the codecs that made a checkpoint.
ACTION_CODECS = {"uniform_bins": UniformBins, "edge_bins": EdgeBins}
SENTENCE_ENCODERS = (MULTILINGUAL, LARGE, CUSTOM)


@dataclass(frozen=True, kw_only=True)
class Processor:
    """`images` and `actions` are pure; `sentences` remembers what it has embedded."""

    images: ImageCodec
    actions: ActionCodec
    sentences: SentenceEncoder = field(default_factory=UniversalSentenceEncoder, compare=False)

    @property
    def action_space(self) -> ActionSpace:
        return self.actions.action_space

    def shrink(self, images: np.ndarray) -> UInt8[np.ndarray, "L h w 3"]:
        """Step one of the picture path; the training cache holds its result.

        Raises ShapeError for anything but (L, H, W, 3) bytes of the camera's size.
        """
        return self.images.shrink(images)

    def pixels(
        self,
        shrunk: UInt8[np.ndarray, "N h w 3"],
        offsets: Int64[np.ndarray, "N 2"] | None = None,
    ) -> UInt8[np.ndarray, "N 3 c d"]:
        """Step two: crop (centred unless told otherwise), channels first."""
        return self.images.model_pixels(shrunk, offsets)

    def observe(self, observation: Observation) -> tuple[UInt8[np.ndarray, "3 c d"], np.ndarray]:
        """An observation as the model takes it: one picture, one sentence vector.

        The vector is what `sentences` gave, unchecked: how long it must be, the model knows.
        """
        pixels = self.images.look(observation.image)
        return pixels, np.asarray(self.sentences(observation.instruction))

    def action(
        self, ids: Int64[np.ndarray, "A"], probabilities: Float32[np.ndarray, "A"] | None = None
    ) -> Action:
        """Token ids back to an action in physical units."""
        return Action(values=self.actions.decode(ids), tokens=ids, probabilities=probabilities)

    def to_json(self) -> dict[str, Any]:
        """Everything but the action space, which has a file of its own in a checkpoint."""
        return {
            "images": asdict(self.images),
            "actions": _action_codec_json(self.actions),
            "sentences": _encoder_name(self.sentences),
        }

    @classmethod
    def from_json(
        cls,
        data: dict[str, Any],
        action_space: ActionSpace,
        vectors: Mapping[str, Float32[np.ndarray, "E"]] | None = None,
    ) -> "Processor":
        """`vectors` are those of sentences whose encoder Sayact does not have.

        Raises CheckpointError where `data` names a codec that this version does not have.
        """
        actions = dict(data.get("actions", {}))
        codec, encoder = actions.pop("codec", None), data.get("sentences")
        if codec not in ACTION_CODECS:
            raise _unknown("action codec", codec, ACTION_CODECS)
        if encoder not in SENTENCE_ENCODERS:
            raise _unknown("sentence encoder", encoder, SENTENCE_ENCODERS)
        return cls(
            images=ImageCodec.from_json(data["images"]),
            actions=ACTION_CODECS[codec](action_space=action_space, **actions),
            sentences=UniversalSentenceEncoder()
            if encoder == MULTILINGUAL
            else GivenSentences(vectors or {}, encoder),
        )


def _unknown(kind: str, given: object, known: Iterable[str]) -> CheckpointError:
    return CheckpointError(
        f"processor.json names the {kind} {given!r}; this version of Sayact knows "
        f"{', '.join(known)}. Use the version that wrote the checkpoint; its config.json names it."
    )


def _encoder_name(encoder: SentenceEncoder) -> str:
    if isinstance(encoder, GivenSentences):
        return encoder.encoder
    return MULTILINGUAL if isinstance(encoder, UniversalSentenceEncoder) else CUSTOM


def _action_codec_json(codec: ActionCodec) -> dict[str, Any]:
    """The codec's name and its fields; the action space stands in a file of its own."""
    name = next(n for n, c in ACTION_CODECS.items() if type(codec) is c)
    fields = {k: v for k, v in vars(codec).items() if k != "action_space"}
    return {"codec": name, **fields}
