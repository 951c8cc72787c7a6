"""Policies that learned nothing: the floor (`zero`, `random`) and the ceiling (`oracle`).

They fit any world, so they are told which one they are in: `attach(env.unwrapped)`.
"""

import numpy as np

from sayact.policies.policy import Oracle, Policy, World
from sayact.schema import Action, ActionSpace, Dimension, Observation
from sayact.schema.errors import SayactError

# Random play with steps of up to 30 mm per axis is the floor published for Language-Table here;
# its box reaches 100 mm, which would throw the effector from edge to edge.
RANDOM_SCALE = 0.3


class Baseline(Policy):
    """Takes over the action space of the world it is attached to."""

    _world: World | None = None

    def attach(self, world: World) -> None:
        self._world = world

    @property
    def world(self) -> World:
        if self._world is None:
            raise SayactError(
                f"{type(self).__name__} does not know its world yet: call "
                "policy.attach(env.unwrapped) before acting."
            )
        return self._world

    @property
    def action_space(self) -> ActionSpace:
        return self.world.action_space_spec

    def reset(self) -> None:
        """Nothing is remembered from step to step."""


class ZeroPolicy(Baseline):
    """Answers the number nearest to zero in every dimension: stays where it is."""

    def act(self, observation: Observation) -> Action:
        space = self.action_space
        return Action(values=np.clip(np.zeros(len(space), np.float32), space.low, space.high))


class RandomPolicy(Baseline):
    """Uniform over the middle part of the action box; `scale` 1 is the whole box."""

    def __init__(self, *, scale: float = RANDOM_SCALE, seed: int = 0) -> None:
        self.scale = scale
        self.seed(seed)

    def seed(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)

    def act(self, observation: Observation) -> Action:
        values = [self._draw(dimension) for dimension in self.action_space.dimensions]
        return Action(values=np.array(values, np.float32))

    def _draw(self, dimension: Dimension) -> float:
        if dimension.n is not None:
            return float(self._generator.integers(dimension.n))
        middle = (dimension.low + dimension.high) / 2
        reach = self.scale * (dimension.high - dimension.low) / 2
        return middle + self._generator.uniform(-reach, reach)


class OraclePolicy(Baseline):
    """Acts with the world's own privileged oracle; the observation is not looked at."""

    _oracle: Oracle | None = None

    def attach(self, world: World) -> None:
        super().attach(world)
        self._oracle = world.oracle()

    def reset(self) -> None:
        if self._oracle is not None:
            self._oracle.reset()

    def act(self, observation: Observation) -> Action:
        if self._oracle is None:
            self._oracle = self.world.oracle()
        return self._oracle.act()
