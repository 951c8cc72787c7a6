"""What a robot is to Sayact: three methods and an action space. No base class, no torch.

    class MyArm:
        action_space = ActionSpace(...)

        def observe(self) -> Observation: ...     the picture of now
        def apply(self, values) -> None: ...      one action, in the space's units; returns at once
        def stop(self) -> None: ...               stand still, now

More that a robot may have, if it can: `Staged`, where it can begin an episode anew, `Told`, where
it wants to know the sentence, and `Judged`, where it knows how the episode goes. Worlds have all
three.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from sayact.policies.policy import World
from sayact.schema import ActionSpace, Observation


@runtime_checkable
class Robot(Protocol):
    """Anything that can be looked through and moved."""

    @property
    def action_space(self) -> ActionSpace:
        """What the numbers of `apply` mean; a policy with another one is refused."""
        ...

    def observe(self) -> Observation:
        """What the camera sees now. Its `instruction` is filled in by the loop."""
        ...

    def apply(self, values: Float32[np.ndarray, "A"]) -> None:
        """Begin to carry out one action, clamped to the limits already; do not wait for its end."""
        ...

    def stop(self) -> None:
        """Stand still.

        Called after every run and in an emergency: from any thread, more than once, and also while
        another call is at work. It must not fail and not wait for anything.
        """
        ...


@runtime_checkable
class Staged(Protocol):
    """A robot that can lay its table anew."""

    def begin(self, seed: int) -> str:
        """Begin an episode; the sentence of the task it sets, "" if it sets none."""
        ...


@runtime_checkable
class Judged(Protocol):
    """A robot that knows how its episode goes."""

    @property
    def success(self) -> bool | None:
        """Whether what was asked is done; None where it cannot tell."""
        ...

    @property
    def over(self) -> bool:
        """Whether the episode has ended, well or not."""
        ...


@runtime_checkable
class Told(Protocol):
    """A robot that wants to know what it is asked: a world judges by it."""

    def tell(self, sentence: str) -> None:
        """What it is asked from now on. Raises SayactError for what it cannot be asked."""
        ...


@runtime_checkable
class Named(Protocol):
    """A robot that has names for the numbers of its state, for the columns of a recording."""

    @property
    def state_names(self) -> Sequence[str]: ...


@runtime_checkable
class Simulated(Protocol):
    """A robot that is a world: baselines such as the oracle look inside."""

    @property
    def world(self) -> World: ...
