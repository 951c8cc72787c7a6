"""What it is to act: the contract between a policy and whoever steps the world."""

from abc import ABC, abstractmethod
from typing import Protocol, runtime_checkable

from sayact.schema import Action, ActionSpace, Observation
from sayact.schema.errors import ActionSpaceMismatchError, BadActionError


def require_sound(finite: bool) -> None:
    """Refuse to choose where a network answered NaN or infinity.

    The largest of those is some token too, and would be acted on in silence.
    """
    if not finite:
        raise BadActionError(
            "the network's logits hold NaN or infinity; its weights or its input are broken"
        )


def require_fit(speaks: ActionSpace, hears: ActionSpace, hearer: str = "world") -> None:
    """Refuse a policy whose numbers mean something else than the world's, or a robot's."""
    differences = speaks.differences(hears)
    if differences:
        raise ActionSpaceMismatchError(
            f"this policy speaks the action space {speaks}, the {hearer} "
            f"listens to {hears}. They differ in {'; '.join(differences)} (here: the "
            f"policy, there: the {hearer}). Use a policy trained for this {hearer}."
        )


class Policy(ABC):
    """Answers each observation of an episode with one action, in the units of its action space."""

    @property
    @abstractmethod
    def action_space(self) -> ActionSpace:
        """What the numbers of its actions mean; a world with another one is refused."""

    @abstractmethod
    def reset(self) -> None:
        """Forget the episode so far. Call it before the first `act` of every episode."""

    @abstractmethod
    def act(self, observation: Observation) -> Action:
        """The action for this moment. History is the policy's own affair."""


@runtime_checkable
class Drawing(Protocol):
    """A policy that draws at random: it takes a seed before an episode, and then repeats itself."""

    def seed(self, seed: int) -> None: ...


@runtime_checkable
class Oracle(Protocol):
    """Solves the task a world has set by reading the world's true state."""

    def reset(self) -> None: ...

    def act(self) -> Action: ...


@runtime_checkable
class World(Protocol):
    """The part of an unwrapped environment that baselines look at."""

    @property
    def action_space_spec(self) -> ActionSpace: ...

    def oracle(self) -> Oracle: ...


@runtime_checkable
class Attached(Protocol):
    """A policy that must be told which world it is in, because it adapts to it or looks inside."""

    def attach(self, world: World) -> None: ...
