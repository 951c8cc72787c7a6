"""The nouns of acting: what a policy sees, what it answers, and how a run of both is kept."""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from sayact.schema.errors import ShapeError


@dataclass(frozen=True, kw_only=True)
class Observation:
    """One moment as the policy sees it: RGB picture, sentence, and the robot's own state if any."""

    image: UInt8[np.ndarray, "H W 3"]
    instruction: str
    state: Float32[np.ndarray, "S"] | None = None

    def __post_init__(self) -> None:
        kind, shape = getattr(self.image, "dtype", type(self.image).__name__), np.shape(self.image)
        if kind != np.uint8 or len(shape) != 3 or shape[2] != 3:
            raise ShapeError(
                f"an image must be uint8 of shape (height, width, 3); got {kind} of shape "
                f"{shape}. {_advice(kind, shape)}"
            )


def _advice(kind: object, shape: tuple[int, ...]) -> str:
    """How what was given becomes a picture."""
    if not isinstance(kind, np.dtype):
        return "Make it an array: np.asarray(image, np.uint8)."
    parts: list[str] = []
    if kind.kind == "f":
        parts.append("Scale floats by 255 and make them bytes.")
    elif kind.name != "uint8":
        parts.append("Make its numbers bytes, 0 to 255.")
    if len(shape) == 2 or shape[2:] == (1,):
        parts.append("Repeat a grey picture for red, green and blue.")
    elif len(shape) != 3:
        parts.append("Give one picture at a time.")
    elif shape[2] != 3:
        parts.append("Move channels last." if shape[0] == 3 else "Keep red, green and blue alone.")
    return " ".join(parts)


@dataclass(frozen=True, kw_only=True)
class Action:
    """One action in physical units, with the tokens it was decoded from when a model chose it.

    tokens: the id of every dimension: its bin, whatever word a language model has for it.
    probabilities: of these among those that could have been chosen.
    illegal: the part of the probability that fell on tokens which are no action, in 0…1; such are
        never chosen, and a model that gives them much has not learned to act. Language models only.
    plan: what the model said it would do, where it was asked for one.
    """

    values: Float32[np.ndarray, "A"]
    tokens: Int64[np.ndarray, "A"] | None = None
    probabilities: Float32[np.ndarray, "A"] | None = None
    illegal: Float32[np.ndarray, "A"] | None = None
    plan: str | None = None


@dataclass(frozen=True, kw_only=True)
class Episode:
    """A run from reset to end: `L` steps, each an observation and the action that answers it.

    `actions` are the labels to learn; where the demonstrator was disturbed on purpose, what was
    really done stands in `executed`. `privileged` holds simulator truth, (L, n) each, for auxiliary
    losses and analysis; no policy sees it when acting.
    """

    images: UInt8[np.ndarray, "L H W 3"]
    states: Float32[np.ndarray, "L S"]
    actions: Float32[np.ndarray, "L A"]
    instruction: str
    success: bool
    executed: Float32[np.ndarray, "L A"] | None = None
    privileged: dict[str, Float32[np.ndarray, "L N"]] = field(
        default_factory=dict[str, Float32[np.ndarray, "L N"]]
    )
    info: dict[str, str | int | float | bool] = field(
        default_factory=dict[str, str | int | float | bool]
    )

    def __len__(self) -> int:
        return len(self.actions)
