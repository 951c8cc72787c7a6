"""A toy mobile manipulator: drive near the named object, grasp it, say that you are done.

The camera rides on the robot and looks down, so the picture is the robot's map:

     1.6 m ahead ┌───────────────────┐
                 │     ●             │   ● the two objects, red and blue
                 │            ●      │
                 │         o         │   o hand: yellow open, green closed
                 │         ■         │   ■ base, always here; a bar is the arm
                 │                   │
    1.6 m behind └───────────────────┘   x ahead (up), y to the left

An object further away shows at the edge.

It listens to RT-1's action space: base and arm obey every number they are given, so what must hold
still in a mode has to be held still by a `Controller`. The wrist turns and nothing depends on it.
"""

from typing import Any

import gymnasium
import numpy as np
from jaxtyping import Float32, Float64, UInt8

from sayact.envs.encoding import encode_instruction
from sayact.schema import RT1, Action, ActionSpace

COLOURS = {"red": (205, 40, 45), "blue": (45, 75, 215)}
FLOOR, BASE, ARM, OPEN, CLOSED = (
    (226, 222, 212),
    (110, 110, 116),
    (60, 60, 66),
    (240, 190, 30),
    (20, 130, 70),
)
PICTURE = (32, 32)  # pixels, height and width
METRES_A_PIXEL = 0.1
EDGE = 1.6  # metres from the base, in the middle, to each edge of the picture
BASE_RADIUS, OBJECT_RADIUS, HAND_RADIUS, ARM_RADIUS = 0.22, 0.17, 0.07, 0.04

BASE_STEP, ARM_STEP = 0.3, 0.1  # metres that a normalised 1 moves base and hand
REACH = 0.7  # metres from the middle of the base
GRASP = 0.18  # metres between hand and object at which closing holds it
HOME = (0.3, 0.0)  # the hand at the start, metres in the frame of the base
STAND_OFF = 0.4  # metres from an object at which the oracle stops driving

# Slices of RT-1's eleven numbers; 0 is the mode.
HAND, WRIST, GRIPPER, BASE_YAW, BASE_XY = slice(1, 3), slice(3, 7), 7, 8, slice(9, 11)
MODE = {name: index for index, name in enumerate(RT1.dimensions[0].choices or ())}


class MobileToyWorld(gymnasium.Env[dict[str, Any], Float32[np.ndarray, "11"]]):
    """Two objects on a floor; an episode is a success when the robot ends it with the named one.

    It ends when the robot says so or after `max_steps`, which is never a success: the robot has to
    know that it is done.
    """

    action_space_spec: ActionSpace = RT1

    def __init__(self, max_steps: int = 30) -> None:
        self.max_steps = max_steps
        self.base, self.yaw = np.zeros(2), 0.0  # metres, radians, in the world
        self.hand, self.wrist = np.array(HOME), np.zeros(4)  # in the frame of the base
        self.objects = {name: np.zeros(2) for name in COLOURS}  # in the world
        self.closed, self.held, self.named = False, "", ""
        self.steps, self.ended = 0, False

    @property
    def instruction(self) -> str:
        return f"bring the {self.named} disc"

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Objects lie 0.8 to 1.2 m ahead, one on each side."""
        super().reset(seed=seed)
        rng = self.np_random
        self.base, self.yaw = rng.uniform(-1, 1, 2), rng.uniform(-np.pi, np.pi)
        self.hand, self.wrist = np.array(HOME), np.zeros(4)
        self.closed, self.held, self.steps, self.ended = False, "", 0, False
        side = rng.choice([-1, 1])
        for name, sign in zip(COLOURS, (side, -side), strict=True):
            bearing, distance = sign * rng.uniform(0.3, 0.8), rng.uniform(0.8, 1.2)
            place = distance * np.array([np.cos(bearing), np.sin(bearing)])
            self.objects[name] = self.base + rotation(self.yaw) @ place
        self.named = str(rng.choice(list(COLOURS)))
        return self._raw(), self._info()

    def step(
        self, action: Float32[np.ndarray, "11"]
    ) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Base first, in the frame it had before; then the arm; then the gripper."""
        values = action.astype(np.float64)
        self.base = self.base + rotation(self.yaw) @ values[BASE_XY] * BASE_STEP
        self.yaw += values[BASE_YAW]
        self.hand = self.hand + values[HAND] * ARM_STEP
        self.hand *= min(1.0, REACH / max(float(np.linalg.norm(self.hand)), 1e-9))
        self.wrist = self.wrist + values[WRIST]
        self._grip(values[GRIPPER])
        self.steps += 1
        self.ended = bool(values[0] == MODE["terminate"])
        info = self._info()
        truncated = not self.ended and self.steps >= self.max_steps
        return self._raw(), float(info["success"]), self.ended, truncated, info

    def seen(self, name: str) -> Float64[np.ndarray, "2"]:
        """Where an object is, metres in the frame of the base."""
        if name == self.held:
            return self.hand
        return rotation(-self.yaw) @ (self.objects[name] - self.base)

    def oracle(self) -> "MobileToyOracle":
        return MobileToyOracle(self)

    def _grip(self, closing: float) -> None:
        """1 closes, -1 opens, about zero leaves the fingers as they are."""
        if closing > 0.5:
            self.closed = True
            near = min(COLOURS, key=lambda name: self._distance(name))
            if not self.held and self._distance(near) <= GRASP:
                self.held = near
        elif closing < -0.5:
            if self.held:
                self.objects[self.held] = self.base + rotation(self.yaw) @ self.hand
            self.closed, self.held = False, ""

    def _distance(self, name: str) -> float:
        return float(np.linalg.norm(self.seen(name) - self.hand))

    def _raw(self) -> dict[str, Any]:
        return {
            "rgb": self._picture(),
            "effector_translation": self.hand.astype(np.float32),
            "effector_target_translation": self.hand.astype(np.float32),
            "instruction": encode_instruction(self.instruction),
        }

    def _info(self) -> dict[str, Any]:
        success = self.ended and self.held == self.named
        return {"success": success, "family": "bring", "instruction": self.instruction}

    def _picture(self) -> UInt8[np.ndarray, "32 32 3"]:
        canvas = np.empty((*PICTURE, 3))
        canvas[:] = FLOOR
        centre = np.zeros(2)
        _draw(canvas, centre, centre, BASE_RADIUS, BASE)
        for name, colour in COLOURS.items():
            place = np.clip(self.seen(name), -EDGE, EDGE)
            _draw(canvas, place, place, OBJECT_RADIUS, colour)
        _draw(canvas, centre, self.hand, ARM_RADIUS, ARM)
        _draw(canvas, self.hand, self.hand, HAND_RADIUS, CLOSED if self.closed else OPEN)
        return canvas.round().astype(np.uint8)


class MobileToyOracle:
    """Drives to the named object, reaches for it, closes the hand on it, and terminates."""

    def __init__(self, world: MobileToyWorld) -> None:
        self.world = world

    def reset(self) -> None:
        """It looks at the world anew in every step."""

    def act(self) -> Action:
        world = self.world
        values = np.zeros(len(RT1), np.float32)
        target = world.seen(world.named)
        distance = float(np.linalg.norm(target))
        if world.held == world.named:
            values[0] = MODE["terminate"]
        elif distance > REACH - GRASP:
            values[0] = MODE["base"]
            values[BASE_YAW] = np.arctan2(target[1], target[0])
            values[BASE_XY] = _limited(target * (1 - STAND_OFF / distance) / BASE_STEP)
        else:
            values[0] = MODE["arm"]
            gap = target - world.hand
            near = float(np.linalg.norm(gap)) <= GRASP / 2
            values[HAND] = _limited(gap / ARM_STEP)
            values[GRIPPER] = 1 if near and not world.held else -1
        return Action(values=values)


def rotation(angle: float) -> Float64[np.ndarray, "2 2"]:
    """Turns a vector of the plane to the left."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, -sine], [sine, cosine]])


def to_pixels(places: Float64[np.ndarray, "*n 2"]) -> Float64[np.ndarray, "*n 2"]:
    """Metres in the frame of the base → (x, y) in the picture, 0 at its left and upper edge."""
    return (EDGE - places[..., ::-1]) / METRES_A_PIXEL


def _limited(step: Float64[np.ndarray, "2"]) -> Float64[np.ndarray, "2"]:
    """No longer than 1."""
    return step / max(1.0, float(np.linalg.norm(step)))


def _draw(
    canvas: Float64[np.ndarray, "H W 3"],
    start: Float64[np.ndarray, "2"],
    end: Float64[np.ndarray, "2"],
    radius: float,
    colour: tuple[int, int, int],
) -> None:
    """A bar with round ends, a disc if they are one; soft, so that a tenth of a pixel shows."""
    first, last = to_pixels(start), to_pixels(end)
    along = last - first
    pixels = np.indices(canvas.shape[:2])[::-1].transpose(1, 2, 0) + 0.5 - first
    share = np.clip(pixels @ along / max(float(along @ along), 1e-9), 0, 1)
    distance = np.linalg.norm(pixels - share[..., None] * along, axis=-1)
    covered = np.clip(radius / METRES_A_PIXEL - distance + 0.5, 0, 1)
    canvas += covered[..., None] * (np.array(colour) - canvas)
