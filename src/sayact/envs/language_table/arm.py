# pyright: reportAttributeAccessIssue=false
# (mujoco is a compiled module without type stubs)
"""The light arm above the effector: only looked at, never touched.

The original is a UFACTORY xArm6 whose last link points straight down. What the camera sees of it is
the vertical column over the effector, the wrist behind that, the end of the forearm, and the base
plate at the picture's upper edge. Lengths are the xArm6's (public URDF); thicknesses were read off
reference pictures. All positions below are (forward, right, up) in the vertical plane through the
robot's base and the effector, metres.
"""

import mujoco
import numpy as np
from jaxtyping import Float64

from sayact.envs.language_table.meshes import UNSEEN, UNTOUCHABLE, add_lathe
from sayact.envs.language_table.setting import ARM_RGB, EFFECTOR_RGB

SHOULDER_Z = 0.267
UPPER_ARM, FOREARM = 0.2894, 0.3512
WRIST_BEHIND = 0.076  # the wrist's pitch axis lies this far behind the effector
WRIST_Z = 0.145 + 0.097

# Thicknesses and places below were fitted to reference pictures, 1 mm being half a pixel.
COLUMN_BOTTOM = 0.1728
# Rings of the column over the effector: radius, height, upward part of the normal.
COLUMN = (
    (0.0382, COLUMN_BOTTOM, 0.0),
    (0.0382, 0.255, 0.0),
    (0.0367, 0.267, 0.3),
    (0.0322, 0.276, 0.7),
    (0.0241, 0.281, 0.95),
    (0.0, 0.283, 1.0),
)
FLANGE_BOTTOM, FLANGE_RADIUS = 0.1443, 0.0372
BUTTON_RADIUS, BUTTON_LENGTH, BUTTON_Z = 0.0079, 0.013, 0.1572  # sticks out on the flange's left
PITCH_JOINT_Z = 0.2574
PITCH_JOINT_LEFT, PITCH_JOINT_LEFT_RADIUS = -0.063, 0.0405  # the forearm's end
PITCH_JOINT_RIGHT, PITCH_JOINT_RIGHT_RADIUS = 0.0549, 0.032  # the cap that faces right
KNEE = ((-0.02, 0.0049, 0.231), (-WRIST_BEHIND, 0.0315, 0.262), 0.0326)  # joint to column
FOREARM_SIDE, FOREARM_RADIUS = -0.045, 0.043
BASE_PLATE_RADIUS, BASE_PLATE_HEIGHT = 0.0631, 0.0098

# The effector's cylinder, (radius, height, upward part of the normal): half a pixel thicker than
# nominal; the original smooths its normals from the flat top down, which lightens the upper half.
EFFECTOR_TOP = 0.143
EFFECTOR_RINGS = (
    (0.0135, 0.0124, 0.27),
    (0.0135, 0.045, 0.27),
    (0.0135, 0.061, 0.0),
    (0.0135, 0.066, 0.0),
    (0.0135, 0.07, 0.5),
    (0.0135, 0.09, 0.59),
    (0.0135, EFFECTOR_TOP, 0.59),
)
EFFECTOR_OFFSET = (0.0031, 0.0006)  # where it is seen, against the measured position
EFFECTOR_GREY = (*EFFECTOR_RGB, 1.0)
# Other effectors to look at, as tall: half width of the square rod, and radii.
SQUARE_HALF, STICK_RADIUS, BALL_RADIUS, FOOT_RADIUS, FOOT_HEIGHT = 0.0115, 0.006, 0.016, 0.017, 0.01
# What is seen of each of `setting.EFFECTORS`, by names of geoms.
EFFECTOR_PARTS = {
    "cylinder": ("effector",),
    "square": ("effector_square",),
    "ball": ("effector_stick", "effector_ball"),
    "plunger": ("effector_stick", "effector_foot"),
}

WHITE = (*ARM_RGB, 1.0)
FLANGE_SHADE = 0.75
ARM_SHADES = {"flange": FLANGE_SHADE, "button": FLANGE_SHADE}  # of the arm's colour, by geom
BASE_PLATE = "base_plate"
ARM_BODIES = ("wrist", "forearm")  # in the order of `arm_poses`


def add_arm(spec: mujoco.MjSpec) -> None:
    """Adds two mocap bodies, `wrist` and `forearm`, and the base plate."""
    add_lathe(spec, "column", COLUMN)
    _add_wrist(spec.worldbody.add_body(name=ARM_BODIES[0], mocap=True))
    forearm = spec.worldbody.add_body(name=ARM_BODIES[1], mocap=True)
    _tube(forearm, (-FOREARM, FOREARM_SIDE, 0.0), (0.0, FOREARM_SIDE, 0.0), FOREARM_RADIUS)
    top = (0.0, 0.0, BASE_PLATE_HEIGHT)
    _cylinder(spec.worldbody, (0.0, 0.0, 0.0), top, BASE_PLATE_RADIUS, name=BASE_PLATE)


def add_effector_look(spec: mujoco.MjSpec, effector: mujoco.MjsBody) -> None:
    """Adds what is seen of the effector to its body."""
    add_lathe(spec, "effector_look", EFFECTOR_RINGS)
    effector.add_geom(
        name="effector",
        type=mujoco.mjtGeom.mjGEOM_MESH,
        meshname="effector_look",
        pos=(*EFFECTOR_OFFSET, 0),
        rgba=EFFECTOR_GREY,
        **UNTOUCHABLE,
    )
    _add_other_effectors(effector)


def _add_other_effectors(body: mujoco.MjsBody) -> None:
    """What else may be seen in its place, hidden for now."""
    bottom, middle = EFFECTOR_RINGS[0][1], (EFFECTOR_RINGS[0][1] + EFFECTOR_TOP) / 2
    half = EFFECTOR_TOP - middle
    box, ball = mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_SPHERE
    cylinder = mujoco.mjtGeom.mjGEOM_CYLINDER
    for name, kind, z, size in (
        ("square", box, middle, (SQUARE_HALF, SQUARE_HALF, half)),
        ("stick", cylinder, middle, (STICK_RADIUS, half, 0)),
        ("ball", ball, bottom + BALL_RADIUS, (BALL_RADIUS, 0, 0)),
        ("foot", cylinder, bottom + FOOT_HEIGHT / 2, (FOOT_RADIUS, FOOT_HEIGHT / 2, 0)),
    ):
        body.add_geom(
            name=f"effector_{name}",
            type=kind,
            size=size,
            pos=(*EFFECTOR_OFFSET, z),
            rgba=EFFECTOR_GREY,
            group=UNSEEN,
            **UNTOUCHABLE,
        )


def _add_wrist(wrist: mujoco.MjsBody) -> None:
    """Column, flange with its button, and the pitch joint behind them."""
    wrist.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname="column", rgba=WHITE, **UNTOUCHABLE)
    _cylinder(wrist, (0, 0, FLANGE_BOTTOM), (0, 0, COLUMN_BOTTOM), FLANGE_RADIUS, name="flange")
    tip = -FLANGE_RADIUS - BUTTON_LENGTH
    start, end = (0, tip, BUTTON_Z), (0, -FLANGE_RADIUS, BUTTON_Z)
    _cylinder(wrist, start, end, BUTTON_RADIUS, name="button")
    middle = (-WRIST_BEHIND, 0, PITCH_JOINT_Z)
    left = (-WRIST_BEHIND, PITCH_JOINT_LEFT, PITCH_JOINT_Z)
    right = (-WRIST_BEHIND, PITCH_JOINT_RIGHT, PITCH_JOINT_Z)
    _cylinder(wrist, left, middle, PITCH_JOINT_LEFT_RADIUS)
    _cylinder(wrist, middle, right, PITCH_JOINT_RIGHT_RADIUS)
    _tube(wrist, *KNEE)


def _cylinder(
    body: mujoco.MjsBody,
    start: tuple[float, float, float],
    end: tuple[float, float, float],
    radius: float,
    *,
    name: str = "",
) -> None:
    shade = ARM_SHADES.get(name, 1.0)
    body.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        fromto=(*start, *end),
        size=(radius, 0, 0),
        rgba=(*(shade * channel for channel in ARM_RGB), 1.0),
        **UNTOUCHABLE,
    )


def _tube(
    body: mujoco.MjsBody,
    start: tuple[float, float, float],
    end: tuple[float, float, float],
    radius: float,
) -> None:
    """A cylinder with round ends."""
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_CAPSULE,
        fromto=(*start, *end),
        size=(radius, 0, 0),
        rgba=WHITE,
        **UNTOUCHABLE,
    )


def arm_poses(
    effector_xy: Float64[np.ndarray, "2"],
) -> tuple[Float64[np.ndarray, "2 3"], Float64[np.ndarray, "2 4"]]:
    """Where wrist and forearm stand for an effector at `effector_xy`: positions, quaternions.

    Two-link inverse kinematics with the elbow up; beyond reach the forearm is stretched straight.
    """
    distance = float(np.hypot(*effector_xy))
    azimuth = float(np.arctan2(effector_xy[1], effector_xy[0]))
    forward = distance - WRIST_BEHIND
    down = WRIST_Z - SHOULDER_Z
    span = max(float(np.hypot(forward, down)), 1e-6)
    opening = (span**2 + FOREARM**2 - UPPER_ARM**2) / (2 * span * FOREARM)
    # Pitch of the line elbow -> wrist below the horizontal.
    pitch = np.arccos(np.clip(opening, -1.0, 1.0)) - np.arctan2(down, forward)
    along = np.array([np.cos(azimuth), np.sin(azimuth)])
    positions = np.array([[*effector_xy, 0.0], [*(forward * along), WRIST_Z]])
    yaw = np.array([np.cos(azimuth / 2), 0.0, 0.0, np.sin(azimuth / 2)])
    tilt = np.array([np.cos(pitch / 2), 0.0, np.sin(pitch / 2), 0.0])
    turned = np.empty(4)
    mujoco.mju_mulQuat(turned, yaw, tilt)
    return positions, np.array([yaw, turned])
