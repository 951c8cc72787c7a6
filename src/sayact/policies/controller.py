"""What a policy answered → what the robot is told now.

    RT-1       mode      delta_x … gripper     base_yaw base_x base_y
    arm        arm       passed on             0, holds still
    base       base      0, holds still        passed on
    terminate  the episode ends; 0 everywhere

A network always answers every dimension, and is trained on every dimension, whatever the mode
(RT-1 section 4 and the released code). Which of them count is decided here, and only here.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from sayact.schema import Action, ActionSpace
from sayact.schema.actions import TERMINATE
from sayact.schema.errors import BadActionError, SayactError


@dataclass(frozen=True, kw_only=True)
class Command:
    """What the robot does in this control step, in the order and units of its action space.

    modes: what the action chose, one name for every dimension that has choices; () without any.
    ended: the policy says that its episode is over. Whether it was a success, the world judges.
    """

    values: Float32[np.ndarray, "A"]
    modes: tuple[str, ...]
    ended: bool


class Controller:
    """Lets through the dimensions of the chosen mode; without modes in the space, all of them."""

    def __init__(self, space: ActionSpace) -> None:
        self.space = space
        self._choosing = [i for i, d in enumerate(space.dimensions) if d.choices is not None]
        if self._choosing and not space.delta:
            # Zero is "stay" for a displacement only; a set-point of zero is a place to go to.
            raise SayactError(
                f"the action space {space.name!r} has modes and set-points; holding still is "
                "known for displacements only. Give it displacements (delta=True)."
            )

    def __call__(self, action: Action) -> Command:
        """Raises BadActionError for a value that its dimension has no choice for."""
        if not self._choosing:
            return Command(values=action.values, modes=(), ended=False)
        modes = tuple(self._choice(index, action) for index in self._choosing)
        ended = TERMINATE in modes
        held = [
            d.kind == "continuous" and (ended or d.mode not in (None, *modes))
            for d in self.space.dimensions
        ]
        values = np.where(held, np.float32(0), action.values)
        return Command(values=values, modes=modes, ended=ended)

    def _choice(self, index: int, action: Action) -> str:
        dimension = self.space.dimensions[index]
        value, choices = float(action.values[index]), dimension.choices or ()
        if value not in range(len(choices)):
            raise BadActionError(
                f"{dimension.name} is {value:g}; it must be a whole number from 0 to "
                f"{len(choices) - 1}, for {', '.join(choices)}"
            )
        return choices[int(value)]
