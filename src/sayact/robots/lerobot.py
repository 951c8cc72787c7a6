"""A LeRobot robot as a robot of Sayact.

    from lerobot.robots.so101_follower import SO101Follower, SO101FollowerConfig

    arm = SO101Follower(SO101FollowerConfig(port="/dev/ttyACM0", cameras={"front": …}))
    robot = LeRobotRobot(arm, action_space, camera="front")

LeRobot names every number ("shoulder_pan.pos") and takes set-points; an action space has ordered
dimensions, and may hold displacements. A dimension is called as the feature it moves, unless
`features` says otherwise. LeRobot itself is not imported here: it is the owner's, with its own
Python (3.12 or later) and its own installation.
"""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from sayact.schema import ActionSpace, Observation
from sayact.schema.errors import SayactError, ShapeError


@runtime_checkable
class LeRobotLike(Protocol):
    """What is used of `lerobot.robots.Robot`."""

    @property
    def is_connected(self) -> bool: ...

    @property
    def observation_features(self) -> dict[str, Any]: ...

    @property
    def action_features(self) -> dict[str, Any]: ...

    def connect(self) -> None: ...

    def disconnect(self) -> None: ...

    def get_observation(self) -> dict[str, Any]: ...

    def send_action(self, action: dict[str, Any]) -> dict[str, Any]: ...


class LeRobotRobot:
    """Connects on the first use; `close` disconnects, which lets most arms go limp."""

    def __init__(
        self,
        arm: LeRobotLike,
        action_space: ActionSpace,
        *,
        camera: str,
        features: Mapping[str, str] | None = None,
    ) -> None:
        """features: of each dimension, where it is not its name. Raises SayactError for a feature
        or a camera that the arm does not have."""
        self.arm, self.action_space, self.camera = arm, action_space, camera
        called = features or {}
        self._features = [called.get(d.name, d.name) for d in action_space.dimensions]
        _require(self._features, arm.action_features, "can be told")
        _require([camera], arm.observation_features, "can see")
        if action_space.delta:
            _require(self._features, arm.observation_features, "can feel")
        if any(d.kind == "discrete" for d in action_space.dimensions):
            raise SayactError("a LeRobot robot takes set-points; it has no choices to make")
        self.state_names = tuple(
            name for name, kind in arm.observation_features.items() if kind is float
        )
        self._set_points: dict[str, float] = {}

    def observe(self) -> Observation:
        seen = self._seen()
        image = np.asarray(seen[self.camera])
        state = np.array([seen[name] for name in self.state_names], np.float32)
        return Observation(image=image, instruction="", state=state)

    def apply(self, values: Float32[np.ndarray, "A"]) -> None:
        """Displacements are counted from the last set-point, which does not sag under a load."""
        if values.shape != (len(self._features),):
            raise ShapeError(f"{len(self._features)} numbers are wanted; got shape {values.shape}")
        told = dict(zip(self._features, values.tolist(), strict=True))
        if self.action_space.delta:
            if not self._set_points:
                self._set_points = self._here()
            told = {name: self._set_points[name] + by for name, by in told.items()}
        self._connected().send_action(told)
        self._set_points = told

    def stop(self) -> None:
        """The places of now become set-points: motors stay on, for an arm that lets go falls."""
        if not self.arm.is_connected:
            return
        here = self._here()
        self.arm.send_action(here)
        self._set_points = here

    def close(self) -> None:
        if self.arm.is_connected:
            self.arm.disconnect()

    def _here(self) -> dict[str, float]:
        """Of what can be moved: where it is, or where it was sent, if it cannot be felt."""
        seen = self._seen()
        known = {name: float(seen[name]) for name in self._features if name in seen}
        return self._set_points | known

    def _seen(self) -> dict[str, Any]:
        return self._connected().get_observation()

    def _connected(self) -> LeRobotLike:
        if not self.arm.is_connected:
            self.arm.connect()
        return self.arm


def _require(names: list[str], features: dict[str, Any], what: str) -> None:
    missing = [name for name in names if name not in features]
    if missing:
        raise SayactError(
            f"this robot has no {', '.join(missing)}; it {what} {', '.join(features)}. Name the "
            "dimensions of the action space so, or give `features`"
        )
