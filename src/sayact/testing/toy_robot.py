"""A robot that writes down what it is told, and policies that are slow, wrong or stuck."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from sayact.policies.policy import Policy
from sayact.schema import LANGUAGE_TABLE, Action, ActionSpace, Observation


@dataclass(frozen=True)
class Call:
    """To a robot. at: by time.monotonic."""

    name: str
    at: float
    values: np.ndarray | None = None


class ToyRobot:
    """Stands at (x, y) of its own picture, which grows lighter by 10 with every look.

    before: is called at the beginning of each call, with its name: to hang, or to fail.
    """

    state_names = ("x", "y")

    def __init__(
        self,
        space: ActionSpace = LANGUAGE_TABLE,
        before: Callable[[str], None] = lambda name: None,
    ) -> None:
        self.action_space = space
        self.calls: list[Call] = []
        self.place = np.zeros(len(space), np.float32)
        self._before = before

    def observe(self) -> Observation:
        self._note("observe")
        image = np.full((18, 32, 3), 10 * self.count("observe") % 256, np.uint8)
        return Observation(image=image, instruction="", state=self.place.copy())

    def apply(self, values: Float32[np.ndarray, "A"]) -> None:
        self._note("apply", values.copy())
        self.place = self.place + values

    def stop(self) -> None:
        self._note("stop")

    def count(self, name: str) -> int:
        return sum(call.name == name for call in self.calls)

    def applied(self) -> np.ndarray:
        """All of it, (L, A)."""
        return np.array([call.values for call in self.calls if call.name == "apply"])

    def _note(self, name: str, values: np.ndarray | None = None) -> None:
        self.calls.append(Call(name, time.monotonic(), values))
        self._before(name)


class ScriptedPolicy(Policy):
    """Answers what `script` says to the number of the step in the episode, counted from 0.

    It notes the sentences that it was given.
    """

    def __init__(
        self, script: Callable[[int], np.ndarray | list[float]], space: ActionSpace = LANGUAGE_TABLE
    ) -> None:
        self._script, self._space = script, space
        self.step = 0
        self.resets = 0
        self.sentences: list[str] = []

    @property
    def action_space(self) -> ActionSpace:
        return self._space

    def reset(self) -> None:
        self.step, self.resets = 0, self.resets + 1

    def act(self, observation: Observation) -> Action:
        step, self.step = self.step, self.step + 1
        self.sentences.append(observation.instruction)
        return Action(values=np.asarray(self._script(step), np.float32))
