"""A player without a world, importable by the worker processes of the collection tests."""

import time
from dataclasses import dataclass

import numpy as np

from sayact.data import DatasetSpec
from sayact.schema import LANGUAGE_TABLE, Episode
from sayact.schema.errors import SayactError

TOY_SPEC = DatasetSpec(
    action_space=LANGUAGE_TABLE,
    fps=10,
    image_shape=(36, 64),
    robot_type="toy",
    state_names=("x", "y"),
)


@dataclass(frozen=True, kw_only=True)
class ToyPlayer:
    """Plays four grey steps; takes `seconds` for it and fails at `broken_at`."""

    seconds: float = 0.0
    broken_at: int | None = None
    mistake: bool = True

    def play(self, index: int) -> tuple[Episode, int]:
        if index == self.broken_at:
            raise SayactError("no such block") if self.mistake else ZeroDivisionError("oh")
        time.sleep(self.seconds)
        rng = np.random.default_rng(index)
        episode = Episode(
            images=np.full((4, 36, 64, 3), 10 * (index % 20), np.uint8),
            states=rng.normal(size=(4, 2)).astype(np.float32),
            actions=rng.normal(size=(4, 2)).astype(np.float32),
            instruction=f"number {index}",
            success=True,
            info={"seed": index},
        )
        return episode, 1 + index % 2


@dataclass(frozen=True, kw_only=True)
class MakeToyPlayer:
    """What `collect_with` sends to its workers."""

    seconds: float = 0.0
    broken_at: int | None = None
    mistake: bool = True

    def __call__(self) -> ToyPlayer:
        return ToyPlayer(seconds=self.seconds, broken_at=self.broken_at, mistake=self.mistake)
