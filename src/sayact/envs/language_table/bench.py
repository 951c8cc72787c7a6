"""How fast the world is, and how near to the original: what `sayact bench world` prints.

Reference files come from the original simulator (Language-Table, commit 5b7bf0e, PyBullet 3.2.7):
pushes, a JSON list with one trace each, and frames, a folder of pictures with a `states.json`.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, UInt8
from PIL import Image

from sayact.envs.language_table.blocks import BLOCK_MODES, SHAPES
from sayact.envs.language_table.simulator import Simulator
from sayact.envs.language_table.workspace import INNER_HIGH, INNER_LOW, clip_to_bounds
from sayact.schema.errors import SayactError, UnknownNameError

PUSH_START = np.array([0.3, -0.1])  # metres: where the effector stands before every push
PUSHED_COLOR = "green"  # the colour of the pushed block does not matter
STEP_METRES = 0.015  # length of the timed steps: a brisk demonstration's
STEPS_AN_EPISODE = 100  # timed steps between two placements

# Pixels of the original's arm: greys between the board's (47) and the floor's (239), whose three
# channels are equal. Blocks and the left floor are coloured.
ARM_GREY_LOW, ARM_GREY_HIGH = 60, 237


class BadReferenceError(SayactError):
    """A reference file that is missing or is not of the form described in docs/world.md."""


@dataclass(frozen=True, kw_only=True)
class PushFigures:
    """Distance of the pushed block's final position from the original's."""

    median_mm: float
    p90_mm: float


@dataclass(frozen=True, kw_only=True)
class FrameFigures:
    """Mean absolute difference per channel, 0..255, outside the arm and with it."""

    mean_abs_diff: float
    mean_abs_diff_with_arm: float


@dataclass(frozen=True, kw_only=True)
class WorldFigures:
    """What `sayact bench world` measures; None where no reference was given."""

    steps_per_second: float
    physics_ms: float
    picture_ms: float
    pushes: PushFigures | None = None
    frames: FrameFigures | None = None


def bench(
    *, pushes: Path | None = None, frames: Path | None = None, steps: int = 1000
) -> dict[str, Any]:
    """The figures as plain JSON, without the parts that were not asked for."""
    found = asdict(measure(pushes=pushes, frames=frames, steps=steps))
    return {name: value for name, value in found.items() if value is not None}


def measure(
    *, pushes: Path | None = None, frames: Path | None = None, steps: int = 1000
) -> WorldFigures:
    """Times `steps` control steps and compares with the references given."""
    if steps < 1:
        raise SayactError(f"at least 1 step must be timed; got {steps}")
    physics, picture = time_steps(steps)
    return WorldFigures(
        steps_per_second=1.0 / (physics + picture),
        physics_ms=1e3 * physics,
        picture_ms=1e3 * picture,
        pushes=None if pushes is None else compare_pushes(pushes),
        frames=None if frames is None else compare_frames(frames),
    )


def time_steps(steps: int, *, seed: int = 0) -> tuple[float, float]:
    """Seconds per control step for physics and for the picture: eight blocks, effector among them.

    The effector heads for one block after the other, so that there is contact most of the time.
    """
    rng = np.random.default_rng(seed)
    simulator = Simulator()
    blocks = BLOCK_MODES["BLOCK_8"]
    seconds = np.zeros(2)
    aim = blocks[0]
    for step in range(-10, steps):  # the first ten only warm up
        if step % STEPS_AN_EPISODE == 0 or step == -10:
            spots = rng.uniform(INNER_LOW, INNER_HIGH, size=(len(blocks), 2))
            poses = {name: (*spot, 0.0) for name, spot in zip(blocks, spots, strict=True)}
            simulator.place(poses, rng.uniform(INNER_LOW, INNER_HIGH))
            simulator.settle(0.5)
        if step % 10 == 0:
            aim = blocks[rng.integers(len(blocks))]
        state = simulator.state()
        way = state.xy(aim) - state.effector_target_xy
        stride = way * min(1.0, STEP_METRES / max(float(np.hypot(*way)), 1e-9))
        target = clip_to_bounds(state.effector_target_xy + stride)
        began = time.perf_counter()
        simulator.step(target)
        stepped = time.perf_counter()
        simulator.render()
        if step >= 0:
            seconds += (stepped - began, time.perf_counter() - stepped)
    simulator.close()
    physics, picture = seconds / steps
    return float(physics), float(picture)


def compare_pushes(file: Path) -> PushFigures:
    """Replays every push of a reference file."""
    with _named(file):
        errors = 1e3 * push_errors(json.loads(file.read_text()))
    return PushFigures(median_mm=float(np.median(errors)), p90_mm=float(np.percentile(errors, 90)))


def push_errors(pushes: list[dict[str, Any]]) -> Float64[np.ndarray, "P"]:
    """Distance of the block's last position from the original's for each push, metres."""
    simulator = Simulator()
    errors = []
    for push in pushes:
        if push["shape"] not in SHAPES:
            raise UnknownNameError("block shape", push["shape"], SHAPES)
        rows = np.array(push["rows"])
        column = {name: rows[:, i] for i, name in enumerate(push["cols"])}
        block = f"{PUSHED_COLOR}_{push['shape']}"
        simulator.place({block: (*push["start"], push["yaw"])}, PUSH_START)
        for target_x in column["target_x"]:
            simulator.step(np.array([target_x, PUSH_START[1]]))
        theirs = np.array([column["block_x"][-1], column["block_y"][-1]])
        errors.append(np.hypot(*(simulator.state().xy(block) - theirs)))
    return np.array(errors)


def compare_frames(folder: Path) -> FrameFigures:
    """Draws the states of a folder's `states.json` and compares with its pictures."""
    outside, whole = [], []
    with _named(folder / "states.json"):
        for state in json.loads((folder / "states.json").read_text()):
            theirs = np.array(Image.open(folder / state["file"]).convert("RGB"))
            ours, our_arm = draw(state, picture=theirs.shape[:2])
            difference = np.abs(ours.astype(np.int16) - theirs).mean(axis=2)
            outside.append(difference[~(our_arm | arm_by_color(theirs))].mean())
            whole.append(difference.mean())
    return FrameFigures(
        mean_abs_diff=float(np.mean(outside)), mean_abs_diff_with_arm=float(np.mean(whole))
    )


def draw(
    state: dict[str, Any], *, picture: tuple[int, int]
) -> tuple[UInt8[np.ndarray, "H W 3"], Bool[np.ndarray, "H W"]]:
    """Our picture of a reference state, and where our arm or effector is in it."""
    simulator = Simulator(picture=picture)
    poses = {name: (*block["xy"], block["yaw"]) for name, block in state["blocks"].items()}
    simulator.place(poses, np.array(state["effector_xy"]))
    drawn = simulator.render(), simulator.arm_mask()
    simulator.close()
    return drawn


def arm_by_color(picture: UInt8[np.ndarray, "H W 3"]) -> Bool[np.ndarray, "H W"]:
    """Where the original's arm is in its own picture: neither board nor floor, and grey."""
    grey = np.ptp(picture, axis=2) == 0
    level = picture[..., 0]
    return grey & (level > ARM_GREY_LOW) & (level < ARM_GREY_HIGH)


@contextmanager
def _named(file: Path) -> Iterator[None]:
    """A file that is missing, or not of the form that is read, is named."""
    try:
        yield
    except UnknownNameError:
        raise  # says enough, and is a ValueError too
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise BadReferenceError(
            f"cannot use the reference file {file} ({type(error).__name__}: {error}). "
            "docs/world.md describes the files; tests/golden/language_table/ holds some."
        ) from error
