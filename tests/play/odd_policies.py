"""Policies that misbehave, and tables for them."""

import time
from collections.abc import Callable

import numpy as np

from sayact.play.table import PlayTable
from sayact.policies.baselines import ZeroPolicy
from sayact.policies.policy import Policy
from sayact.schema import Action, Observation


class Breaking(ZeroPolicy):
    """Raises at its third step, in a way that no library foresees, and again at every later one."""

    def __init__(self) -> None:
        self.calls = 0

    def act(self, observation: Observation) -> Action:
        self.calls += 1
        if self.calls >= 3:
            raise ZeroDivisionError("<b>no more</b>")
        return super().act(observation)


class Endless(ZeroPolicy):
    """Answers too late for any control rate."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def act(self, observation: Observation) -> Action:
        time.sleep(self.seconds)
        return super().act(observation)


class Sure(ZeroPolicy):
    """A language model's answer: tokens, probabilities, what was illegal, and a plan."""

    def act(self, observation: Observation) -> Action:
        return Action(
            values=np.array([0.01, -0.02], np.float32),
            tokens=np.array([140, 102], np.int64),
            probabilities=np.array([0.25, 0.5], np.float32),
            illegal=np.array([0.125, 0.125], np.float32),
            plan="push <i>it</i>",
        )


def table_of(policy: Policy, name: str = "tested") -> Callable[[], PlayTable]:
    """What a player makes its table with."""
    return lambda: PlayTable(name, policy, block_mode="BLOCK_4")
