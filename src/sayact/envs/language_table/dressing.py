# pyright: reportAttributeAccessIssue=false
# (mujoco is a compiled module without type stubs)
"""Brings a compiled model into a `Setting`: colours, textures, tiles, light and camera.

Whatever a setting may ask for is in every model from the start, hidden; so another setting costs
no compilation, and physics never notices.
"""

from collections.abc import Iterable, Iterator

import mujoco
import numpy as np
from jaxtyping import Float64, UInt8

from sayact.envs.language_table.arm import ARM_BODIES, ARM_SHADES, BASE_PLATE, EFFECTOR_PARTS
from sayact.envs.language_table.blocks import RGB, color_of
from sayact.envs.language_table.camera import View
from sayact.envs.language_table.meshes import SEEN, UNSEEN, UNTOUCHABLE
from sayact.envs.language_table.setting import (
    BOARD_CENTRE,
    MOST_TILES,
    TILE_PIXELS,
    TILE_SIDE,
    Look,
    RGBColor,
    Setting,
    Table,
    Tile,
)
from sayact.envs.language_table.textures import TEXTURE_PIXELS, TEXTURE_SIDE, paint_texture

SHEET = 0.0005  # metres, half the thickness of board and floor
# Tiles are this thick, and each lies this much above the one before: enough for the depth buffer,
# a tenth of a pixel in the picture.
TILE_Z, TILE_RISE = 0.0003, 0.00005
# Textures repeat; less this share of a picture, its edge would mix with the opposite one.
TILE_EDGE = 1 / TILE_PIXELS
SHADOW_PIXELS = 1024  # width of the shadow map
SHADOW_REACH = 0.9  # metres around the board's centre that have shadows
LIGHT_DISTANCE = 1.5  # metres; only the direction matters, but for shadows

# What was compiled in the frame of its body stays there, unless MuJoCo is told to look.
MOVABLE = mujoco.mjtSameFrame.mjSAMEFRAME_NONE

TEXTURED = ("board", "floor_left", "floor_right")


def add_dressing(spec: mujoco.MjSpec) -> None:
    """Adds what settings need to a model that is not compiled yet; nothing of it shows."""
    for name in TEXTURED:
        _add_material(spec, name, TEXTURE_PIXELS, repeat=1 / TEXTURE_SIDE, uniform=True)
    for slot in range(MOST_TILES):
        name = f"tile_{slot}"
        _add_material(spec, name, TILE_PIXELS, repeat=1 - 2 * TILE_EDGE, uniform=False)
        spec.worldbody.add_geom(
            name=name,
            type=mujoco.mjtGeom.mjGEOM_BOX,  # a plane would keep its first size in the picture
            size=(TILE_SIDE / 2, TILE_SIDE / 2, TILE_Z / 2),
            material=name,
            group=UNSEEN,
            **UNTOUCHABLE,
        )


def _add_material(
    spec: mujoco.MjSpec, name: str, pixels: int, *, repeat: float, uniform: bool
) -> None:
    """A material with a square texture of the same name, white for now."""
    spec.add_texture(
        name=name,
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        width=pixels,
        height=pixels,
        nchannel=3,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_FLAT,
        rgb1=(1, 1, 1),
        rgb2=(1, 1, 1),
    )
    material = spec.add_material(
        name=name, texrepeat=(repeat, repeat), texuniform=uniform, specular=0, shininess=0
    )
    textures = material.textures
    textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name
    material.textures = textures


def dress(model: mujoco.MjModel, setting: Setting, blocks: Iterable[str] = ()) -> tuple[int, ...]:
    """Brings the model into the setting; returns the textures that a camera must load anew.

    `blocks` are those whose colours the look may shift.
    """
    look = setting.look
    _set_light(model, look)
    _set_view(model, setting.view)
    _set_table(model, setting.table)
    _set_arm(model, look, setting.effector)
    _set_blocks(model, look, blocks)
    return (*_set_sheets(model, look), *_set_tiles(model, setting.tiles))


def _set_light(model: mujoco.MjModel, look: Look) -> None:
    towards = np.array(look.light_from) / np.linalg.norm(look.light_from)
    model.vis.headlight.ambient = (look.ambient,) * 3
    model.light_diffuse[:] = look.diffuse
    model.light_dir[0] = -towards
    model.light_pos[0] = (*BOARD_CENTRE, 0.0) + LIGHT_DISTANCE * towards
    model.light_castshadow[0] = look.shadows
    model.vis.quality.shadowsize = SHADOW_PIXELS if look.shadows else 0


def _set_view(model: mujoco.MjModel, view: View) -> None:
    model.cam_pos[0], model.cam_quat[0] = view.position, camera_quaternion(view)


def camera_quaternion(view: View) -> Float64[np.ndarray, "4"]:
    """MuJoCo's camera looks along its own -z, with y up."""
    quaternion = np.empty(4)
    right, up, forward = view.axes
    mujoco.mju_mat2Quat(quaternion, np.stack([right, up, -forward], axis=1).ravel())
    return quaternion


def _set_table(model: mujoco.MjModel, table: Table) -> None:
    board = model.geom("board")
    board.size = (table.size[0] / 2, table.size[1] / 2, SHEET)
    board.pos[:2] = table.centre
    board.quat = _about_vertical(table.yaw)
    model.geom_sameframe[board.id] = MOVABLE


def _set_arm(model: mujoco.MjModel, look: Look, effector: str) -> None:
    for name in (name for parts in EFFECTOR_PARTS.values() for name in parts):
        part = model.geom(name)
        part.group = SEEN if name in EFFECTOR_PARTS[effector] else UNSEEN
        part.rgba[:3] = look.effector
    for geom in _arm_geoms(model):
        shade = ARM_SHADES.get(model.geom(geom).name, 1.0)
        model.geom_rgba[geom, :3] = shade * np.array(look.arm)


def _arm_geoms(model: mujoco.MjModel) -> Iterator[int]:
    for name in ARM_BODIES:
        body = model.body(name)
        yield from range(body.geomadr[0], body.geomadr[0] + body.geomnum[0])
    yield model.geom(BASE_PLATE).id


def _set_blocks(model: mujoco.MjModel, look: Look, blocks: Iterable[str]) -> None:
    rng = np.random.default_rng(look.seed)
    for block in blocks:
        model.geom(block).rgba[:3] = jittered(RGB[color_of(block)], look.color_jitter, rng)


def jittered(rgb: RGBColor, jitter: float, rng: np.random.Generator) -> RGBColor:
    """Red, green and blue each shifted by up to `jitter`."""
    red, green, blue = np.clip(np.array(rgb) + rng.uniform(-jitter, jitter, size=3), 0.0, 1.0)
    return float(red), float(green), float(blue)


def _set_sheets(model: mujoco.MjModel, look: Look) -> Iterator[int]:
    """Board and floor: plain, or textured."""
    floor = (look.floor_texture, look.floor_ink)
    colors = (look.board, look.floor_left, look.floor_right)
    textures = ((look.board_texture, look.board_ink), floor, floor)
    for name, color, (texture, ink) in zip(TEXTURED, colors, textures, strict=True):
        sheet = model.geom(name)
        if texture is None:
            sheet.matid, sheet.rgba = -1, (*color, 1.0)
            continue
        sheet.matid, sheet.rgba = model.mat(name).id, (1.0, 1.0, 1.0, 1.0)
        # Both halves of the floor from one seed: they differ in colour alone.
        yield _load(
            model, name, paint_texture(texture, color, ink, np.random.default_rng(look.seed))
        )


def _set_tiles(model: mujoco.MjModel, tiles: tuple[Tile, ...]) -> Iterator[int]:
    for slot in range(MOST_TILES):
        geom = model.geom(f"tile_{slot}")
        geom.group = SEEN if slot < len(tiles) else UNSEEN
        if slot >= len(tiles):
            continue
        tile = tiles[slot]
        geom.size = (tile.side / 2, tile.side / 2, TILE_Z / 2)
        geom.pos = (*tile.xy, TILE_Z / 2 + slot * TILE_RISE)
        # A quarter turn on: the picture's right is the board's y.
        geom.quat = _about_vertical(tile.yaw + np.pi / 2)
        model.geom_sameframe[geom.id] = MOVABLE
        yield _load(model, geom.name, tile.picture)


def _about_vertical(angle: float) -> tuple[float, float, float, float]:
    """The quaternion of a turn, radians, counterclockwise from above."""
    return float(np.cos(angle / 2)), 0.0, 0.0, float(np.sin(angle / 2))


def _load(model: mujoco.MjModel, name: str, picture: UInt8[np.ndarray, "N N 3"]) -> int:
    """Writes a texture; the first row is at the top. Returns its number."""
    texture = model.tex(name).id
    first = model.tex_adr[texture]
    model.tex_data[first : first + picture.size] = picture.ravel()
    return texture
