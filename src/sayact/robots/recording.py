"""Each episode on the robot into a LeRobot dataset, to look at and to train on again.

    picture ─┐
    action ──┼─ add ─▶ steps of one sentence ─ end ─▶ data.DatasetWriter ─▶ folder
    executed ┘

A row is a step at which an action was applied: the picture that the policy saw, what it answered
(`action`), what was left of it after the limits (`action.executed`). A moment at which the robot
was held has no row; how many there were stands in `privileged.held_ticks` of the next one. Another
sentence begins another episode. A killed run loses the episode at hand, and goes on in the folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from sayact.data.layout import DatasetSpec
from sayact.data.writer import DatasetWriter
from sayact.schema import Action, ActionSpace, Episode, Observation
from sayact.schema.errors import SayactError, ShapeError

# A column of width 0 is none that parquet can hold: a robot without a state has one that is 0.
NO_STATE = np.zeros(1, np.float32)
NO_TOKEN = -1.0  # in the column of tokens, where no model chose the number


@dataclass(frozen=True, kw_only=True)
class Step:
    """One applied action. held_ticks: how often the robot was held since the one before."""

    observation: Observation
    action: Action
    executed: Float32[np.ndarray, "A"]
    latency_ms: float
    held_ticks: int


@dataclass(kw_only=True)
class Recording:
    """A folder that episodes are added to; it is opened when the first one ends.

    state_names: of the robot's state; "state_0", … where there are none.
    about: how this came to be: the policy, the robot; goes into `info.json`, and must be the same
        for all episodes of a folder.
    """

    directory: Path
    action_space: ActionSpace
    hz: float
    robot_type: str
    state_names: Sequence[str] = ()
    about: dict[str, Any] = field(default_factory=dict[str, Any])
    _steps: list[Step] = field(default_factory=list[Step])
    _writer: DatasetWriter | None = None

    def __post_init__(self) -> None:
        if self.hz < 1 or self.hz != round(self.hz):
            raise SayactError(
                f"a dataset has a whole number of frames a second; got {self.hz:g}. Record at 1, "
                "3, 5, 10 … Hz"
            )

    def add(self, step: Step) -> None:
        self._steps.append(step)

    def end(self, *, success: bool | None, info: dict[str, Any]) -> tuple[int, ...]:
        """Write what was added since the last end: an episode for each sentence; their indices.

        success: of the last sentence; None where nobody could tell. Such an episode counts as not
            successful, and "judged" in its info is false; so does one that another sentence ended.
        """
        steps, self._steps = self._steps, []
        parts = [list(part) for _, part in groupby(steps, lambda s: s.observation.instruction)]
        indices: list[int] = []
        for part in parts:
            judged = success if part is parts[-1] else None
            facts = {"judged": judged is not None, **info}
            writer = self._opened(part[0].observation)
            index = max(writer.done, default=-1) + 1
            writer.add(index, _episode(part, bool(judged), facts))
            indices.append(index)
        return tuple(indices)

    def drop(self) -> None:
        """Forget what was added since the last end."""
        self._steps = []

    def close(self) -> None:
        """Join the episodes into the large files and write the statistics."""
        if self._writer is not None:
            self._writer.finalize()

    def _opened(self, first: Observation) -> DatasetWriter:
        if self._writer is None:
            self._writer = DatasetWriter(self.directory, self._spec(first))
        return self._writer

    def _spec(self, first: Observation) -> DatasetSpec:
        width = len(_state(first))
        names = tuple(self.state_names) or tuple(f"state_{i}" for i in range(width))
        if len(names) != width:
            raise ShapeError(
                f"the robot names {len(names)} numbers of its state ({', '.join(names)}), and its "
                f"observations have {width}"
            )
        height, length = first.image.shape[:2]
        return DatasetSpec(
            # Displacements of another rate are other actions.
            action_space=replace(self.action_space, rate_hz=float(self.hz)),
            fps=round(self.hz),
            image_shape=(height, length),
            robot_type=self.robot_type,
            state_names=names,
            privileged={"latency_ms": 1, "tokens": len(self.action_space), "held_ticks": 1},
            provenance=self.about,
        )


def _episode(steps: Sequence[Step], success: bool, info: dict[str, Any]) -> Episode:
    first = steps[0].observation
    for step in steps:
        if step.observation.image.shape != first.image.shape:
            raise ShapeError(
                f"the robot's pictures changed size from {first.image.shape} to "
                f"{step.observation.image.shape} within an episode"
            )
    return Episode(
        images=np.stack([s.observation.image for s in steps]),
        states=np.stack([_state(s.observation) for s in steps]),
        actions=np.stack([s.action.values for s in steps]),
        executed=np.stack([s.executed for s in steps]),
        instruction=first.instruction,
        success=success,
        privileged={
            "latency_ms": np.array([[s.latency_ms] for s in steps], np.float32),
            "tokens": np.stack([_tokens(s.action) for s in steps]),
            "held_ticks": np.array([[s.held_ticks] for s in steps], np.float32),
        },
        info=info,
    )


def _state(observation: Observation) -> Float32[np.ndarray, "S"]:
    return (
        NO_STATE if observation.state is None or not len(observation.state) else observation.state
    )


def _tokens(action: Action) -> Float32[np.ndarray, "A"]:
    if action.tokens is None:
        return np.full(len(action.values), NO_TOKEN, np.float32)
    return action.tokens.astype(np.float32)
