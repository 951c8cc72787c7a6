# pyright: reportAttributeAccessIssue=false
# (mujoco is a compiled module without type stubs)
"""Builds the MuJoCo model of the table: board, blocks, effector, arm, camera and light.

Sizes, masses and colours were measured in the original (Language-Table, commit 5b7bf0e, PyBullet
3.2.7); what was fitted instead stands in `Contact`. docs/world.md tells how near this comes.
"""

from dataclasses import dataclass

import mujoco
import numpy as np
from jaxtyping import Float64

from sayact.envs.language_table import camera
from sayact.envs.language_table.arm import EFFECTOR_TOP, add_arm, add_effector_look
from sayact.envs.language_table.blocks import (
    BLOCK_BEVEL,
    BLOCK_HEIGHT,
    RGB,
    color_of,
    convex_hull,
    outline,
    shape_of,
)
from sayact.envs.language_table.meshes import add_bevelled_prism
from sayact.envs.language_table.web_blocks import WEB_SHAPES, radius_of_gyration_squared


@dataclass(frozen=True, kw_only=True)
class Contact:
    """What the fit to 36 reference pushes chose (docs/world.md); the nominal values in brackets.

    A block pushed in Bullet rocks on its bottom face and touches with one corner at a time; ours
    stands on fixed feet. So these are the values that make ours *move* alike.
    """

    timestep: float = 1 / 240  # seconds, the original's
    ground_friction: float = 0.3418  # [0.5]
    effector_friction: float = 0.5007  # [0.5]
    block_friction: float = 0.25  # [0.25], between blocks
    # Where the effector touches blocks, against its measured position, metres. [The original's
    # hangs tilted: its tip was measured at (-0.6, 2.1) mm in these pushes, (-1.0, 0.8) on average.]
    effector_offset: tuple[float, float] = (0.00054, 0.00432)
    effector_margin: float = 0.0007  # metres beyond the radius; [Bullet's margins, ~0.002]
    # How far out the feet of a cube, moon, star and pentagon stand: share of the way from its
    # origin to its corners [1].
    feet: tuple[float, float, float, float] = (0.9543, 1.0036, 0.6375, 0.5568)
    recovery: float = 0.0288  # share of a penetration undone in one timestep [0.2]
    stopping: float = 0.4603  # share of the approach speed taken in one timestep [1]
    impedance: float = 0.7035  # MuJoCo's solimp: 1 is rigid
    friction_ratio: float = 1.3884  # MuJoCo's impratio: stiffness of friction against normal
    inertia_scale: float = 1.3021  # about the vertical [1]
    drag: float = 0.2539  # 1/s, of sliding [0.04]
    spin_drag: float = 2.0129  # 1/s, of turning [0.04]


CONTACT = Contact()

# What may touch what: feet stand on the ground, hulls meet hulls and the effector.
GROUND, HULL, EFFECTOR = 1, 2, 4
UNSEEN = 4  # geom group; MuJoCo draws groups 0 to 2
UNTOUCHABLE = {"contype": 0, "conaffinity": 0}

GRAVITY = 9.8  # m/s2
SLEEP_SPEED = 1e-3  # m/s: resting blocks fall asleep and cost nothing; it changes no push by 1 mm

BLOCK_MASS = 0.010  # kg
# kg m2 about the vertical, as Bullet computes them from the collision shapes.
BLOCK_INERTIA = {"cube": 3.47e-6, "moon": 3.69e-6, "star": 3.94e-6, "pentagon": 3.98e-6}
POLE_MASS, POLE_INERTIA, POLE_HEIGHT = 0.1, 1e-5, 0.159  # kg, kg m2, metres
# The moon's hull has many corners along its back; four feet are enough.
MOON_FEET = np.array([[-24.0, 12.8], [24.0, 12.8], [14.1, -9.2], [-14.1, -9.2]]) / 1000
MOST_FEET = 6  # of a web shape
FOOT_SIZE = 0.001  # metres, radius of the little spheres that slide on the ground

EFFECTOR_RADIUS = 0.0127  # metres, 1 inch across
EFFECTOR_BOTTOM = 0.0083  # metres above the board
# Of the radius, this much is contact margin around a thinner core: at 0.8 m/s the effector moves
# 3 mm in a timestep, and only while the core itself stays outside is the contact normal right.
SKIN = 0.008
EFFECTOR_MASS = 100.0  # kg: moved by its set-point alone, whatever it pushes

BOARD_CENTRE, BOARD_SIZE = (0.35, 0.0), (0.4572, 0.6096)  # metres, 18 x 24 inches
BOARD_RGB = (0.199, 0.199, 0.199)
FLOOR_Z = -0.001  # metres
FLOOR_LEFT_RGB, FLOOR_RIGHT_RGB = (0.68, 0.7805, 0.94), (1.0, 1.0, 1.0)
SHEET = 0.0005  # metres, half the thickness of board and floor

PIXEL_SHIFT = (-0.5, 0.75)  # right, up: the original's rasteriser rounds differently from OpenGL
PIXEL = 1e-5  # metres, size of a pixel on the sensor; only ratios matter

# A face shows its colour x (AMBIENT + DIFFUSE x cosine to the light); tops come out at 0.937.
AMBIENT, DIFFUSE = 0.6, 0.3484
LIGHT_FROM = (-0.22, 0.15, 0.963)


def build_model(
    blocks: tuple[str, ...], *, picture: tuple[int, int], contact: Contact = CONTACT
) -> mujoco.MjModel:
    """The table with these blocks. Joint order: effector x, y; then x, y, z, yaw of each block.

    `picture` is (height, width) in pixels.
    """
    spec = build_spec(picture=picture, contact=contact)
    for shape in sorted({shape_of(block) for block in blocks}):
        _add_meshes(spec, shape)
    for block in blocks:
        _add_block(spec, block, contact)
    model = spec.compile()
    for index, block in enumerate(blocks):
        mass, inertia = _mass_and_inertia(shape_of(block), contact)
        first = 2 + 4 * index
        model.dof_damping[first : first + 2] = contact.drag * mass
        model.dof_damping[first + 3] = contact.spin_drag * inertia
    return model


def build_spec(*, picture: tuple[int, int], contact: Contact = CONTACT) -> mujoco.MjSpec:
    """All but the blocks, not compiled yet."""
    spec = mujoco.MjSpec()
    _set_options(spec, picture, contact)
    _add_surroundings(spec, contact)
    _add_camera_and_light(spec, picture)
    _add_effector(spec, contact)
    add_arm(spec)
    return spec


def _set_options(spec: mujoco.MjSpec, picture: tuple[int, int], contact: Contact) -> None:
    spec.option.timestep = contact.timestep
    spec.option.gravity = (0.0, 0.0, -GRAVITY)
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = contact.friction_ratio
    spec.option.enableflags |= mujoco.mjtEnableBit.mjENBL_SLEEP
    spec.option.sleep_tolerance = SLEEP_SPEED
    spec.stat.extent = 1.0
    visual = spec.visual
    visual.global_.offheight, visual.global_.offwidth = picture
    visual.map.znear, visual.map.zfar = 0.01, 10.0
    visual.quality.offsamples = 0
    visual.quality.shadowsize = 0
    # Coarse cylinders: at this picture size they look the same and draw twice as fast.
    visual.quality.numslices, visual.quality.numstacks, visual.quality.numquads = 20, 6, 1
    visual.headlight.ambient = (AMBIENT,) * 3
    visual.headlight.diffuse = visual.headlight.specular = (0.0,) * 3


def _add_surroundings(spec: mujoco.MjSpec, contact: Contact) -> None:
    """Ground to slide on (not seen); board and the two-coloured floor (not touched)."""
    spec.worldbody.add_geom(
        name="ground",
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=(0, 0, 1),
        group=UNSEEN,
        contype=0,
        conaffinity=GROUND,
        friction=(contact.ground_friction, 0, 0),
        solref=_solref(contact),
    )
    _add_sheet(spec, "floor_left", (0.0, -1.0, FLOOR_Z), (2.0, 1.0), FLOOR_LEFT_RGB)
    _add_sheet(spec, "floor_right", (0.0, 1.0, FLOOR_Z), (2.0, 1.0), FLOOR_RIGHT_RGB)
    half = (BOARD_SIZE[0] / 2, BOARD_SIZE[1] / 2)
    _add_sheet(spec, "board", (*BOARD_CENTRE, 0.0), half, BOARD_RGB)


def _add_sheet(
    spec: mujoco.MjSpec,
    name: str,
    top: tuple[float, float, float],
    half: tuple[float, float],
    rgb: tuple[float, float, float],
) -> None:
    spec.worldbody.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=(*half, SHEET),
        pos=(top[0], top[1], top[2] - SHEET),
        rgba=(*rgb, 1),
        **UNTOUCHABLE,
    )


def _add_camera_and_light(spec: mujoco.MjSpec, picture: tuple[int, int]) -> None:
    quaternion = np.empty(4)
    axes = np.stack([camera.RIGHT, camera.UP, -camera.FORWARD], axis=1)
    mujoco.mju_mat2Quat(quaternion, axes.ravel())
    spec.worldbody.add_camera(
        name="front",
        pos=camera.POSITION,
        quat=quaternion,
        resolution=picture[::-1],
        sensor_size=tuple(2 * PIXEL * camera.CENTRE),
        focal_length=(camera.FOCAL_LENGTH * PIXEL, camera.FOCAL_LENGTH * PIXEL),
        principal_length=(PIXEL_SHIFT[0] * PIXEL, PIXEL_SHIFT[1] * PIXEL),
    )
    spec.worldbody.add_light(
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        pos=(0, 0, 2),
        dir=tuple(-component for component in LIGHT_FROM),
        castshadow=False,
        ambient=(0, 0, 0),
        diffuse=(DIFFUSE,) * 3,
        specular=(0, 0, 0),
    )


def _add_effector(spec: mujoco.MjSpec, contact: Contact) -> None:
    """The cylinder that pushes, on two slides whose positions and speeds the simulator sets."""
    body = spec.worldbody.add_body(name="effector", sleep=mujoco.mjtSleepPolicy.mjSLEEP_NEVER)
    for name, axis in (("x", (1, 0, 0)), ("y", (0, 1, 0))):
        body.add_joint(name=f"effector_{name}", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=axis)
    body.explicitinertial = True
    body.mass = EFFECTOR_MASS
    body.inertia = (1.0, 1.0, 1.0)
    half = (EFFECTOR_TOP - EFFECTOR_BOTTOM) / 2
    body.add_geom(
        name="effector_touch",
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        size=(EFFECTOR_RADIUS + contact.effector_margin - SKIN, half, 0),
        margin=SKIN,
        pos=(*contact.effector_offset, EFFECTOR_BOTTOM + half),
        group=UNSEEN,
        contype=EFFECTOR,
        conaffinity=HULL,
        friction=(contact.effector_friction, 0, 0),
        priority=1,  # its friction counts, not the block's
        solref=_solref(contact),
        solimp=_solimp(contact),
    )
    add_effector_look(spec, body)


def _add_meshes(spec: mujoco.MjSpec, shape: str) -> None:
    """Two meshes a shape: the bevelled one that is seen and the plain hull that is touched."""
    height = POLE_HEIGHT if shape == "pole" else BLOCK_HEIGHT
    plan = outline(shape)
    add_look(spec, shape, plan, height)
    hull = convex_hull(plan)
    floors = [np.column_stack([hull, np.full(len(hull), z)]) for z in (0.0, height)]
    spec.add_mesh(
        name=f"{shape}_hull",
        uservert=np.concatenate(floors).ravel(),
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_CONVEX,
    )


def add_look(
    spec: mujoco.MjSpec, shape: str, plan: Float64[np.ndarray, "V 2"], height: float
) -> None:
    """The mesh that is seen, `SHAPE_look`."""
    add_bevelled_prism(
        spec,
        f"{shape}_look",
        plan,
        height=height,
        bevel=BLOCK_BEVEL,
        about_origin=shape in WEB_SHAPES,
    )


def _add_block(spec: mujoco.MjSpec, block: str, contact: Contact) -> None:
    """A block that slides, sinks and turns but cannot tip (nor does it in the original)."""
    shape = shape_of(block)
    body = spec.worldbody.add_body(name=block)
    for name, axis in (("x", (1, 0, 0)), ("y", (0, 1, 0)), ("z", (0, 0, 1))):
        body.add_joint(name=f"{block}_{name}", type=mujoco.mjtJoint.mjJNT_SLIDE, axis=axis)
    body.add_joint(name=f"{block}_yaw", type=mujoco.mjtJoint.mjJNT_HINGE, axis=(0, 0, 1))
    body.explicitinertial = True
    body.mass, inertia = _mass_and_inertia(shape, contact)
    body.inertia = (inertia,) * 3
    body.add_geom(
        name=block,
        type=mujoco.mjtGeom.mjGEOM_MESH,
        meshname=f"{shape}_look",
        rgba=(*RGB[color_of(block)], 1),
        **UNTOUCHABLE,
    )
    body.add_geom(
        name=f"{block}_hull",
        type=mujoco.mjtGeom.mjGEOM_MESH,
        meshname=f"{shape}_hull",
        group=UNSEEN,
        contype=HULL,
        conaffinity=HULL | EFFECTOR,
        friction=(contact.block_friction, 0, 0),
        solref=_solref(contact),
        solimp=_solimp(contact),
    )
    for x, y in _feet(shape, contact):
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_SPHERE,
            size=(FOOT_SIZE, 0, 0),
            pos=(x, y, FOOT_SIZE),
            group=UNSEEN,
            contype=GROUND,
            conaffinity=0,
            friction=(contact.ground_friction, 0, 0),
            solref=_solref(contact),
        )


def _mass_and_inertia(shape: str, contact: Contact) -> tuple[float, float]:
    """kg, and kg m2 about the vertical."""
    if shape == "pole":
        return POLE_MASS, POLE_INERTIA
    return BLOCK_MASS, _inertia(shape) * contact.inertia_scale


def _inertia(shape: str) -> float:
    """As Bullet has it; for shapes it never saw, from the outline, by the cube's measure."""
    if shape in BLOCK_INERTIA:
        return BLOCK_INERTIA[shape]
    share = radius_of_gyration_squared(outline(shape)) / radius_of_gyration_squared(outline("cube"))
    return BLOCK_INERTIA["cube"] * share


def _feet(shape: str, contact: Contact) -> Float64[np.ndarray, "F 2"]:
    """Where a block stands on the ground, in its own frame, metres."""
    corners = MOON_FEET if shape == "moon" else convex_hull(outline(shape))
    if shape == "pole":
        return corners
    if shape in WEB_SHAPES:  # round hulls have many corners; some of them are enough
        return corners[:: 1 + (len(corners) - 1) // MOST_FEET] * float(np.mean(contact.feet))
    return corners * contact.feet[("cube", "moon", "star", "pentagon").index(shape)]


def _solref(contact: Contact) -> tuple[float, float]:
    """MuJoCo's direct form: minus stiffness in 1/s2, minus damping in 1/s."""
    return -contact.recovery / contact.timestep**2, -contact.stopping / contact.timestep


def _solimp(contact: Contact) -> tuple[float, float, float, float, float]:
    """Constant impedance, whatever the depth."""
    return contact.impedance, contact.impedance, 0.001, 0.5, 2.0
