"""How drawn tables look: half of them exactly as the robot's, the others as they could be anywhere.

Suites of `evals` change colours, textures, light, camera and effector as well; here each of them
changes now and then, and none as far.
"""

import numpy as np
from jaxtyping import Float64

from sayact.envs.language_table.camera import View
from sayact.envs.language_table.setting import (
    ARM_RGB,
    EFFECTOR_RGB,
    EFFECTORS,
    LIGHT_FROM,
    PLAIN,
    TEXTURES,
    Look,
    RGBColor,
    Setting,
)
from sayact.envs.language_table.task import pick

ROBOT_LOOK = 0.5  # share of scenes that look exactly as the robot's
# Of the others, the shares that have each of these; a texture takes some milliseconds to paint.
BOARD_TEXTURE, FLOOR_TEXTURE = 0.12, 0.06
OTHER_LIGHT, OTHER_VIEW, OTHER_ARM, OTHER_EFFECTOR = 0.5, 0.35, 0.3, 0.3
CONTRAST = 0.25  # widest difference between the two colours of a texture
SLANT = 0.3  # standard deviation of the light's direction
SHIFT, TURN = 0.02, 0.03  # standard deviations of the camera's, metres and radians


def draw_setting(rng: np.random.Generator) -> Setting:
    """A look and a view, no tiles."""
    if rng.random() < ROBOT_LOOK:
        return PLAIN
    effector = pick(EFFECTORS, rng) if rng.random() < OTHER_EFFECTOR else EFFECTORS[0]
    return Setting(look=_look(rng), view=_view(rng), effector=effector)


def _look(rng: np.random.Generator) -> Look:
    grey = rng.uniform(0.1, 0.34)
    board = grey + rng.uniform(-0.06, 0.06, size=3)
    left, right = rng.uniform(0.35, 1.0, size=(2, 3))
    light = rng.uniform(0.85, 1.08)
    ambient = rng.uniform(0.45, 0.75)
    slant = rng.normal(0, SLANT, size=2) if rng.random() < OTHER_LIGHT else (0.0, 0.0)
    other_arm = rng.random() < OTHER_ARM
    return Look(
        board=_rgb(board),
        floor_left=_rgb(left),
        floor_right=_rgb(right),
        ambient=float(light * ambient),
        diffuse=float(light * (0.95 - ambient)),
        color_jitter=0.05,
        board_texture=pick(TEXTURES, rng) if rng.random() < BOARD_TEXTURE else None,
        board_ink=_rgb(board + rng.uniform(-CONTRAST, CONTRAST)),
        floor_texture=pick(TEXTURES, rng) if rng.random() < FLOOR_TEXTURE else None,
        floor_ink=_rgb(left + rng.uniform(-CONTRAST, CONTRAST)),
        seed=int(rng.integers(1 << 31)),
        light_from=(LIGHT_FROM[0] + slant[0], LIGHT_FROM[1] + slant[1], LIGHT_FROM[2]),
        effector=_rgb(rng.uniform(0.2, 0.9, size=3)) if other_arm else EFFECTOR_RGB,
        arm=_rgb(rng.uniform(0.4, 1.0, size=3)) if other_arm else ARM_RGB,
    )


def _view(rng: np.random.Generator) -> View:
    """The camera, moved a little."""
    if rng.random() >= OTHER_VIEW:
        return View()
    x, y, z = rng.normal(0, SHIFT, size=3)
    right, up, forward = rng.normal(0, TURN, size=3)
    return View(
        shift=(float(x), float(y), float(z)), turn=(float(right), float(up), float(forward))
    )


def _rgb(values: Float64[np.ndarray, "3"]) -> RGBColor:
    red, green, blue = np.clip(values, 0.0, 1.0)
    return float(red), float(green), float(blue)
