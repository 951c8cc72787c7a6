"""A robot of your own: an arm that pushes things about on a table. Fill in camera and motors.

    sayact run examples/my_robot.py:MyArm --policy rt1-nano --dry-run \
        --instruction "push the red moon to the blue cube"
"""

import numpy as np

from sayact.robots.limits import Limits, Workspace
from sayact.schema import LANGUAGE_TABLE, Observation

HEIGHT, WIDTH = 180, 320  # of the pictures that rt1-nano and rt2-nano know


class MyArm:
    """Its action space is Language-Table's: a displacement of the tip (x, y), metres, at 10 Hz."""

    action_space = LANGUAGE_TABLE
    state_names = ("x", "y")  # names of `Observation.state`, for the columns of a recording

    def __init__(self) -> None:
        # Here: open the camera and the motors.
        self._set_point = np.array([0.35, 0.0], np.float32)  # metres, where the tip shall be

    def observe(self) -> Observation:
        # Here: read the camera. RGB, uint8, the newest frame and none from a buffer.
        picture = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
        # The sentence is filled in by the loop.
        return Observation(image=picture, instruction="", state=self._set_point.copy())

    def apply(self, values: np.ndarray) -> None:
        # Here: send the new set-point, and return without waiting until the arm is there.
        self._set_point = self._set_point + values

    def stop(self) -> None:
        # Here: stand still, now. Called at the end of every run, from any thread in an emergency.
        pass

    def limits(self, hz: float) -> Limits:
        """Slower than the action space would allow, and never off the table."""
        return Limits(
            self.action_space,
            hz,
            speed={"delta_x": 0.3, "delta_y": 0.3},  # metres a second
            workspace=Workspace(
                low={"delta_x": 0.2, "delta_y": -0.25},
                high={"delta_x": 0.5, "delta_y": 0.25},
                state={"delta_x": 0, "delta_y": 1},  # which number of `state` each one moves
            ),
        )
