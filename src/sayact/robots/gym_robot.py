"""A simulated world as a robot: what moves here is tried out first.

loop at 10 Hz   apply   apply   apply        the world's own rate: one step each
loop at  5 Hz   apply . apply . apply        the time between is filled with steps of zero
loop at 50 Hz   apply apply apply            faster than life: one step each all the same
"""

from typing import Any, Protocol, runtime_checkable

import gymnasium
import numpy as np
from jaxtyping import Float32

from sayact.envs import to_observation
from sayact.policies.policy import World
from sayact.robots.limits import Limits
from sayact.schema import ActionSpace, Observation
from sayact.schema.errors import SayactError

# Of what `envs.to_observation` puts together.
STATE_NAMES = ("effector_x", "effector_y", "target_x", "target_y")


@runtime_checkable
class Retold(Protocol):
    """A world whose task can be set in words, such as `LanguageTableEnv`."""

    task: Any  # None where the words are no task that it can judge

    def get_state(self) -> dict[str, Any]: ...

    def set_state(self, **state: Any) -> Any: ...


class GymRobot:
    """A world of `sayact.envs` (or one that looks like it) behind the methods of a `Robot`.

    The world's time is counted in steps, not in seconds: it passes in `apply` alone, so a loop that
    is late sees no world that went on without it.
    """

    state_names = STATE_NAMES

    def __init__(self, env: gymnasium.Env[Any, Any], hz: float | None = None) -> None:
        """hz: of the loop that will drive it; None: the world's own rate."""
        self.env = env
        rate = self.action_space.rate_hz
        self.steps_per_action = max(1, round(rate / (hz or rate)))
        self._raw: Any = None
        self._sentence = ""
        self._success = self._over = False
        self._judged = True

    @property
    def action_space(self) -> ActionSpace:
        return self.world.action_space_spec

    @property
    def world(self) -> World:
        """For baselines that look inside."""
        return self.env.unwrapped  # type: ignore[return-value]

    @property
    def success(self) -> bool | None:
        """None: it was asked for what is no task of this world."""
        return self._success if self._judged else None

    @property
    def over(self) -> bool:
        return self._over

    def limits(self, hz: float) -> Limits:
        """A loop faster than the world is no faster robot: a step is a step."""
        return Limits(self.action_space, min(hz, self.action_space.rate_hz))

    def begin(self, seed: int) -> str:
        """Lay the table anew; the sentence of its task."""
        self._raw, info = self.env.reset(seed=seed)
        self._success = self._over = False
        self._sentence, self._judged = info["instruction"], True
        return self._sentence

    def tell(self, sentence: str) -> None:
        """Where the sentence is one of its tasks, that is what it judges from now on."""
        if sentence == self._sentence:
            return
        world, known = self.env.unwrapped, False
        if isinstance(world, Retold):
            asked = {"instruction": sentence, "family": None, "memory": None}
            self._raw = world.set_state(**(world.get_state() | asked))
            self._success = self._over = False
            known = world.task is not None
        self._sentence, self._judged = sentence, known

    def observe(self) -> Observation:
        if self._raw is None:
            raise SayactError("the table is empty: call begin(seed) first")
        return to_observation(self._raw)

    def apply(self, values: Float32[np.ndarray, "A"]) -> None:
        """The action, then nothing until the loop comes again."""
        self._step(values)
        still = np.where(self.action_space.discrete, values, np.float32(0))
        for _ in range(self.steps_per_action - 1):
            self._step(still)

    def stop(self) -> None:
        """A world that is not stepped stands still."""

    def close(self) -> None:
        self.env.close()

    def _step(self, values: Float32[np.ndarray, "A"]) -> None:
        if self._over:
            return
        self._raw, _, terminated, truncated, info = self.env.step(values)
        self._success = bool(info["success"])
        self._over = bool(terminated or truncated)
