# pyright: reportAttributeAccessIssue=false
# (mujoco is a compiled module without type stubs)
"""Builds the MuJoCo model of the table: board, blocks, effector, arm, camera and light.

Sizes, masses and colours were measured in the original (Language-Table, commit 5b7bf0e, PyBullet
3.2.7); what was fitted instead stands in `contact`. docs/world.md tells how near this comes.
"""

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
from sayact.envs.language_table.contact import CONTACT, Contact
from sayact.envs.language_table.dressing import (
    SHADOW_REACH,
    SHEET,
    add_dressing,
    camera_quaternion,
)
from sayact.envs.language_table.meshes import UNSEEN, UNTOUCHABLE, add_bevelled_prism
from sayact.envs.language_table.setting import (
    AMBIENT,
    BOARD_CENTRE,
    BOARD_RGB,
    BOARD_SIZE,
    DIFFUSE,
    FLOOR_LEFT_RGB,
    FLOOR_RIGHT_RGB,
    LIGHT_FROM,
)
from sayact.envs.language_table.web_blocks import WEB_SHAPES, radius_of_gyration_squared

# What may touch what: feet stand on the ground, hulls meet hulls and the effector.
GROUND, HULL, EFFECTOR = 1, 2, 4

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

FLOOR_Z = -0.001  # metres

PIXEL_SHIFT = (-0.5, 0.75)  # right, up: the original's rasteriser rounds differently from OpenGL
PIXEL = 1e-5  # metres, size of a pixel on the sensor; only ratios matter


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
    """All but the blocks, not compiled yet; `dressing.dress` brings it into any setting."""
    spec = mujoco.MjSpec()
    _set_options(spec, picture, contact)
    _add_surroundings(spec, contact)
    _add_camera_and_light(spec, picture)
    _add_effector(spec, contact)
    add_arm(spec)
    add_dressing(spec)
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
    visual.map.shadowclip = SHADOW_REACH
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
        solref=contact.solref,
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
    spec.worldbody.add_camera(
        name="front",
        pos=camera.OFFICIAL.position,
        quat=camera_quaternion(camera.OFFICIAL),
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
        solref=contact.solref,
        solimp=contact.solimp,
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
        solref=contact.solref,
        solimp=contact.solimp,
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
            solref=contact.solref,
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
