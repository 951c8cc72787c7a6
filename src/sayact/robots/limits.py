"""Between policy and robot: what is too far, too fast or outside is clamped, and counted.

    values ─ finite? in number? ─▶ bounds ─▶ speed ─▶ workspace ─▶ values, and what was clamped

Bounds and speed follow from the ActionSpace, so there is nothing to set up: a dimension of ±0.1 m
at 10 Hz may move 1 m a second, at whatever rate the loop runs. A workspace is the robot owner's to
give.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from sayact.schema import ActionSpace
from sayact.schema.errors import BadActionError, SayactError

# A set-point may cross its whole range in one second unless told otherwise.
RANGES_A_SECOND = 1.0
# A part of the range under which a clamp is rounding (float32 of a bound such as 0.1), not news.
ROUNDING = 1e-5


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """Where the robot may be: a box over some dimensions, by their names.

    low, high: by dimension, in its unit. Of set-points themselves; of displacements, the place that
    they lead to, which is told by `state`: the place of each dimension in `Observation.state`.
    """

    low: Mapping[str, float]
    high: Mapping[str, float]
    state: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, kw_only=True)
class Limited:
    """What may be applied, and what was clamped to get there: "delta_x: speed", …"""

    values: Float32[np.ndarray, "A"]
    clamped: tuple[str, ...]


class Limits:
    """Of one action space at one rate; `counts` says what was clamped how often."""

    def __init__(
        self,
        space: ActionSpace,
        hz: float,
        *,
        speed: Mapping[str, float] | None = None,
        workspace: Workspace | None = None,
    ) -> None:
        """`speed`: the most of a dimension in its unit per second, where the space's own is too
        much. Raises SayactError for a dimension that the space does not have."""
        _require_known(space, [*(speed or {}), *_named(workspace)])
        self.space = space
        self.counts: Counter[str] = Counter()
        self._step = _most_per_step(space, hz, speed or {})
        self._workspace = workspace
        self._last: np.ndarray | None = None  # (A,)
        if workspace is not None and space.delta:
            _require_places(workspace)

    def reset(self) -> None:
        """A new episode: counts begin at 0, and the last set-point is not known any more."""
        self.counts.clear()
        self._last = None

    def __call__(
        self, values: np.ndarray, state: Float32[np.ndarray, "S"] | None = None
    ) -> Limited:
        """`state` is of the observation that was answered.

        Raises BadActionError for what no clamp can mend: NaN, a wrong number of dimensions, a
        choice that there is not.
        """
        given = _checked(values, self.space)
        allowed = np.clip(given, self.space.low, self.space.high)
        clamped = _changed("bounds", self.space, given, allowed)
        slow = self._slowed(allowed)
        clamped += _changed("speed", self.space, allowed, slow)
        inside = self._inside(slow, state)
        clamped += _changed("workspace", self.space, slow, inside)
        self.counts.update(clamped)
        self._last = inside
        return Limited(values=inside, clamped=clamped)

    def _slowed(self, values: Float32[np.ndarray, "A"]) -> Float32[np.ndarray, "A"]:
        """No dimension moves more in a step than its speed allows; choices are not speeds."""
        if self.space.delta:
            slow = np.clip(values, -self._step, self._step)
        elif self._last is None:
            return values
        else:
            slow = np.clip(values, self._last - self._step, self._last + self._step)
        return np.where(self.space.discrete, values, slow).astype(np.float32)

    def _inside(
        self, values: Float32[np.ndarray, "A"], state: Float32[np.ndarray, "S"] | None
    ) -> Float32[np.ndarray, "A"]:
        box = self._workspace
        if box is None:
            return values
        inside = values.copy()
        for index, dimension in enumerate(self.space.dimensions):
            if dimension.name not in _named(box):
                continue
            here = _place(box, dimension.name, state) if self.space.delta else 0.0
            low = box.low.get(dimension.name, -np.inf)
            high = box.high.get(dimension.name, np.inf)
            # Who is outside already may come back, and need not in one step.
            reach = np.clip(here + values[index], min(low, here), max(high, here)) - here
            inside[index] = reach if self.space.delta else np.clip(values[index], low, high)
        return inside


@runtime_checkable
class Limiting(Protocol):
    """A robot that has limits of its own."""

    def limits(self, hz: float) -> Limits: ...


def standing_still(
    space: ActionSpace, last: Float32[np.ndarray, "A"] | None
) -> Float32[np.ndarray, "A"] | None:
    """What to apply to hold position after `last`; None: nothing, the robot stands anyway.

    A displacement of zero; a set-point is given again. Choices stay as they were.
    """
    if last is None:
        return None
    still = space.delta & ~space.discrete
    return np.where(still, np.clip(np.float32(0), space.low, space.high), last).astype(np.float32)


def _checked(values: np.ndarray, space: ActionSpace) -> Float32[np.ndarray, "A"]:
    numbers = np.asarray(values)
    space.require_numbers(numbers)
    for value, dimension in zip(numbers.tolist(), space.dimensions, strict=True):
        if dimension.n is not None and value not in range(dimension.n):
            raise BadActionError(
                f"{dimension.name} is {value:g}; it must be a whole number from 0 to "
                f"{dimension.n - 1}"
            )
    return numbers.astype(np.float32)


def _most_per_step(
    space: ActionSpace, hz: float, speed: Mapping[str, float]
) -> Float32[np.ndarray, "A"]:
    """How far each dimension may move in one step of the loop."""
    if space.delta:  # what a step at the space's own rate may be
        usual = np.maximum(np.abs(space.low), np.abs(space.high)) * space.rate_hz
    else:
        usual = (space.high - space.low) * RANGES_A_SECOND
    told = [min(speed.get(d.name, np.inf), u) for d, u in zip(space.dimensions, usual, strict=True)]
    return np.array(told, np.float32) / np.float32(hz)


def _changed(
    why: str, space: ActionSpace, before: np.ndarray, after: np.ndarray
) -> tuple[str, ...]:
    moved = np.abs(before - after) > ROUNDING * (space.high - space.low)
    return tuple(
        f"{d.name}: {why}" for d, by in zip(space.dimensions, moved.tolist(), strict=True) if by
    )


def _named(workspace: Workspace | None) -> set[str]:
    return set() if workspace is None else {*workspace.low, *workspace.high}


def _require_known(space: ActionSpace, names: Sequence[str]) -> None:
    known = [d.name for d in space.dimensions]
    for name in names:
        if name not in known:
            raise SayactError(
                f"a limit for {name!r}, which the action space {space.name!r} does not have; its "
                f"dimensions are {', '.join(known)}"
            )


def _require_places(workspace: Workspace) -> None:
    missing = sorted(_named(workspace) - set(workspace.state))
    if missing:
        raise SayactError(
            f"a workspace for displacements must know where the robot is: give `state` the place "
            f"in Observation.state of {', '.join(missing)}"
        )


def _place(workspace: Workspace, name: str, state: Float32[np.ndarray, "S"] | None) -> float:
    index = workspace.state[name]
    if state is None or index >= len(state) or not np.isfinite(state[index]):
        raise BadActionError(
            f"the workspace is about {name}, whose place is number {index} of Observation.state; "
            f"the robot's state is {None if state is None else state.tolist()}"
        )
    return float(state[index])
