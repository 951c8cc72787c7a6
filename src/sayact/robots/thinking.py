"""The policy in a thread of its own, so that one that hangs cannot hang the robot's loop."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from sayact.policies.policy import Attached, Drawing, Policy, require_fit
from sayact.robots.desk import Answer, Desk
from sayact.robots.robot import Robot, Simulated
from sayact.schema import Action, ActionSpace, Observation
from sayact.schema.errors import SayactError
from sayact.serve.client import PolicyClient

# A policy here, or one behind a socket.
Acting = Policy | PolicyClient


class Thinker:
    """Does one thing after another for the loop; answers come to its desk.

    The thread is a daemon: a policy that never returns does not keep the process alive.
    """

    def __init__(self, policy: Acting, desk: Desk) -> None:
        self._policy = policy
        self._desk = desk
        self._todo: queue.SimpleQueue[tuple[int, Callable[[], Action | None]] | None]
        self._todo = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="policy", daemon=True)
        self._thread.start()

    def begin(self, number: int, robot: Robot, seed: int) -> None:
        """Make the policy ready for an episode of the robot."""
        self._todo.put((number, lambda: begin(self._policy, robot, seed)))

    def ask(self, number: int, observation: Observation) -> None:
        """What to do about an observation?"""
        self._todo.put((number, lambda: self._policy.act(observation)))

    def close(self, patience: float) -> bool:
        """Let the thread end; one that has not after `patience` seconds is left alone: False."""
        self._todo.put(None)
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (work := self._todo.get()) is not None:
            number, do = work
            try:
                answer = Answer(number=number, action=do())
            except Exception as error:
                # Whatever it is: the loop holds the robot still, then decides.
                answer = Answer(number=number, action=None, error=error)
            self._desk.post(answer)


def begin(policy: Acting, robot: Robot, seed: int) -> None:
    """A policy that draws gets its seed, a baseline its world, and all forget the last episode.

    Raises ActionSpaceMismatchError where the robot listens to other numbers.
    """
    if isinstance(policy, Attached):
        world = robot.world if isinstance(robot, Simulated) else _NoWorld(robot.action_space)
        policy.attach(world)
    if isinstance(policy, Drawing):
        policy.seed(seed)
    require_fit(policy.action_space, robot.action_space, "robot")
    policy.reset()


@dataclass(frozen=True)
class _NoWorld:
    """What a baseline is told about a robot that is not simulated."""

    action_space_spec: ActionSpace

    def oracle(self) -> NoReturn:
        raise SayactError(
            "an oracle reads the true state of a simulated world, and this robot has none to read; "
            "give a policy that looks at pictures, or zero, or random"
        )
