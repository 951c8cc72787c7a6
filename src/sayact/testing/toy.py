"""A world of one dimension, and a policy that always answers the same."""

from typing import Any

import gymnasium
import numpy as np
from jaxtyping import Float32

from sayact.policies.policy import Policy
from sayact.schema import LANGUAGE_TABLE, Action, ActionSpace, Observation

GOAL = 0.3  # metres; three full steps of 0.1


class ToyWorld(gymnasium.Env[dict[str, Any], Float32[np.ndarray, "2"]]):
    """Walk from x = 0 to the goal. To its caller it looks like Language-Table, without physics.

    The picture grows lighter by 10 with every step, so that frames can be told apart.
    """

    action_space_spec: ActionSpace = LANGUAGE_TABLE

    def __init__(self, max_steps: int = 10) -> None:
        self.max_steps = max_steps
        self.x, self.steps, self.instruction = 0.0, 0, ""

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        super().reset(seed=seed)
        self.x, self.steps = 0.0, 0
        self.instruction = f"go to {self.np_random.integers(1000)}"
        return self._raw(), self._info()

    def step(
        self, action: Float32[np.ndarray, "2"]
    ) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        self.x += float(action[0])
        self.steps += 1
        info = self._info()
        done = info["success"]
        return self._raw(), float(done), done, not done and self.steps >= self.max_steps, info

    def oracle(self) -> "ToyOracle":
        return ToyOracle()

    def _raw(self) -> dict[str, Any]:
        encoded = np.zeros(512, np.int32)
        encoded[: len(self.instruction)] = list(self.instruction.encode())
        place = np.array([self.x, 0], np.float32)
        return {
            "rgb": np.full((18, 32, 3), 40 + 10 * self.steps, np.uint8),
            "effector_translation": place,
            "effector_target_translation": place,
            "instruction": encoded,
        }

    def _info(self) -> dict[str, Any]:
        # A thousandth of a millimetre for the rounding of float32 steps.
        success = self.x >= GOAL - 1e-6
        return {"success": success, "family": "walk", "instruction": self.instruction}


class ToyOracle:
    """Walks straight on."""

    def reset(self) -> None:
        """Nothing to forget."""

    def act(self) -> Action:
        return Action(values=np.array([0.1, 0.0], np.float32))


class FixedPolicy(Policy):
    """Always answers the same, whatever the observation; counts its resets."""

    def __init__(self, *values: float, space: ActionSpace = LANGUAGE_TABLE) -> None:
        self._values = np.array(values, np.float32)
        self._space = space
        self.resets = 0

    @property
    def action_space(self) -> ActionSpace:
        return self._space

    def reset(self) -> None:
        self.resets += 1

    def act(self, observation: Observation) -> Action:
        return Action(values=self._values.copy())
