"""What a robot can be told to do: the named, ordered, bounded dimensions of an action.

An `ActionSpace` travels inside every checkpoint and every dataset. Codec, head size, prompt, limits
and environment checks are all derived from it, so there is nothing to look up by dataset name.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float32

from sayact.schema.errors import BadActionError

TERMINATE = "terminate"  # the choice by which a policy ends its episode


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """One number of an action. A discrete one takes the values 0 … n-1.

    `choices` names the values of a discrete one; such a name can be a mode, or `TERMINATE`.
    `mode` is the choice in which this number moves something; None: in all of them.
    """

    name: str
    low: float
    high: float
    unit: str
    kind: Literal["continuous", "discrete"] = "continuous"
    n: int | None = None
    choices: tuple[str, ...] | None = None
    mode: str | None = None

    def __str__(self) -> str:
        values = f"one of {self.n}" if self.kind == "discrete" else f"{self.low:g}..{self.high:g}"
        names = "" if self.choices is None else f" ({'|'.join(self.choices)})"
        mode = "" if self.mode is None else f" in mode {self.mode}"
        return f"{self.name} {values} {self.unit}{names}{mode}"

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"dimension {self.name!r}: low {self.low} must be under {self.high}")
        if (self.kind == "discrete") != (self.n is not None):
            raise ValueError(f"dimension {self.name!r}: give n for a discrete kind, and only then")
        if self.choices is not None and len(self.choices) != self.n:
            raise ValueError(
                f"dimension {self.name!r}: {len(self.choices)} choices for {self.n} values; name "
                "each value, in order"
            )


@dataclass(frozen=True, kw_only=True)
class ActionSpace:
    """Ordered dimensions with the conventions that make their numbers mean something.

    `rate_hz` is the control rate the numbers were recorded at; `frame` the frame of displacements;
    `rotation` the representation of the rotation dimensions, if there are any; `delta` tells
    displacements from absolute set-points; `gripper` names what the high value of a gripper means.
    """

    name: str
    dimensions: tuple[Dimension, ...]
    rate_hz: float
    frame: str
    delta: bool
    rotation: Literal["roll-pitch-yaw"] | None = None
    gripper: Literal["high closes", "high opens"] | None = None

    def __post_init__(self) -> None:
        known = [choice for d in self.dimensions for choice in d.choices or ()]
        for dimension in self.dimensions:
            if dimension.mode is not None and dimension.mode not in known:
                raise ValueError(
                    f"dimension {dimension.name!r} moves in mode {dimension.mode!r}, which no "
                    f"dimension can choose; there are: {', '.join(known) or 'none'}"
                )

    def __len__(self) -> int:
        return len(self.dimensions)

    def __str__(self) -> str:
        kind = "displacements" if self.delta else "set-points"
        parts = ", ".join(map(str, self.dimensions))
        return f"{self.name!r} ({parts}; {kind} in the {self.frame} frame at {self.rate_hz:g} Hz)"

    @property
    def low(self) -> Float32[np.ndarray, "A"]:
        """Lower bounds in physical units."""
        return np.array([d.low for d in self.dimensions], np.float32)

    @property
    def high(self) -> Float32[np.ndarray, "A"]:
        """Upper bounds in physical units."""
        return np.array([d.high for d in self.dimensions], np.float32)

    @property
    def discrete(self) -> Bool[np.ndarray, "A"]:
        """True where a dimension takes whole numbers only."""
        return np.array([d.kind == "discrete" for d in self.dimensions])

    def require_numbers(self, values: np.ndarray) -> None:
        """Raises BadActionError for NaN, infinities and a wrong number of dimensions."""
        if values.shape != (len(self),):
            raise BadActionError(
                f"an action of {self.name} has {len(self)} numbers; got shape {values.shape}"
            )
        for value, dimension in zip(values.tolist(), self.dimensions, strict=True):
            if not np.isfinite(value):
                raise BadActionError(
                    f"{dimension.name} is {value}; it must be a number from {dimension.low:g} to "
                    f"{dimension.high:g} {dimension.unit}"
                )

    def differences(self, other: "ActionSpace") -> list[str]:
        """Every way in which `other` means something else, one line each; empty when equal."""
        lines = [
            f"{field}: {mine!r} here, {theirs!r} there"
            for field in ("rate_hz", "frame", "delta", "rotation", "gripper")
            if (mine := getattr(self, field)) != (theirs := getattr(other, field))
        ]
        if len(self) != len(other):
            return [*lines, f"{len(self)} dimensions here, {len(other)} there"]
        pairs = zip(self.dimensions, other.dimensions, strict=True)
        return lines + [f"dimension {a} here, {b} there" for a, b in pairs if a != b]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "ActionSpace":
        fields = dict(data)
        fields["dimensions"] = tuple(_dimension(d) for d in fields["dimensions"])
        return cls(**fields)


def _dimension(data: dict[str, Any]) -> Dimension:
    """Files of before there were choices and modes lack both fields."""
    fields = dict(data)
    if fields.get("choices") is not None:
        fields["choices"] = tuple(fields["choices"])
    return Dimension(**fields)


def _continuous(
    names: str, limit: float, unit: str, mode: str | None = None
) -> tuple[Dimension, ...]:
    return tuple(
        Dimension(name=n, low=-limit, high=limit, unit=unit, mode=mode) for n in names.split()
    )


# Language-Table moves the set-point of the effector in the plane of the board; x points away from
# the robot, y to the right of the picture. The box is the official environment's.
LANGUAGE_TABLE = ActionSpace(
    name="language_table",
    dimensions=_continuous("delta_x delta_y", 0.1, "m"),
    rate_hz=10.0,
    frame="board",
    delta=True,
)

# RT-1 section 4: terminate / arm / base mode, seven arm and three base numbers, in the token order
# of the released code.
RT1 = ActionSpace(
    name="rt1",
    dimensions=(
        Dimension(
            name="mode",
            low=0.0,
            high=2.0,
            unit="mode",
            kind="discrete",
            n=3,
            choices=(TERMINATE, "arm", "base"),
        ),
        *_continuous("delta_x delta_y delta_z", 1.0, "normalised", "arm"),
        *_continuous("delta_roll delta_pitch delta_yaw", np.pi / 2, "rad", "arm"),
        *_continuous("gripper", 1.0, "normalised", "arm"),
        *_continuous("base_yaw", np.pi, "rad", "base"),
        *_continuous("base_x base_y", 1.0, "normalised", "base"),
    ),
    rate_hz=3.0,
    frame="robot base",
    delta=True,
    rotation="roll-pitch-yaw",
    gripper="high closes",
)

# RT-1-X (arXiv 2310.08864): the same numbers, displacements of the arm up to 2, as the flax example
# decodes them.
RT1_X = replace(
    RT1,
    name="rt1_x",
    dimensions=(
        RT1.dimensions[0],
        *_continuous("delta_x delta_y delta_z", 2.0, "normalised", "arm"),
        *RT1.dimensions[4:],
    ),
)

# RT-2 section 3.2: terminate, three displacements, three rotations, gripper.
RT2 = ActionSpace(
    name="rt2",
    dimensions=(
        Dimension(
            name="terminate",
            low=0.0,
            high=1.0,
            unit="flag",
            kind="discrete",
            n=2,
            choices=("go on", TERMINATE),
        ),
        *_continuous("delta_x delta_y delta_z", 1.0, "normalised"),
        *_continuous("delta_roll delta_pitch delta_yaw", np.pi / 2, "rad"),
        *_continuous("gripper", 1.0, "normalised"),
    ),
    rate_hz=3.0,
    frame="robot base",
    delta=True,
    rotation="roll-pitch-yaw",
    gripper="high closes",
)
