# pyright: reportAttributeAccessIssue=false
# (mujoco is a compiled module without type stubs)
"""Draws scenes of the table: one MuJoCo model, compiled once, whose ten bodies take any shape.

Only looked at: nothing here can be touched. A body's mesh is exchanged by its index, so that a
new scene costs no compilation.
"""

from dataclasses import replace

import mujoco
import numpy as np
from jaxtyping import Float64, Int, UInt8

from sayact.envs.language_table.arm import ARM_BODIES, arm_poses
from sayact.envs.language_table.blocks import BLOCK_HEIGHT, outline, shape_of
from sayact.envs.language_table.camera import OFFICIAL, PICTURE, project
from sayact.envs.language_table.dressing import dress
from sayact.envs.language_table.meshes import UNTOUCHABLE
from sayact.envs.language_table.rendering import Camera
from sayact.envs.language_table.scene import add_look, build_spec
from sayact.envs.language_table.setting import MOST_TILES, PLAIN, Setting, Tile
from sayact.web.scenes import ALL_SHAPES, MOST_THINGS, Scene, draw_effector

AWAY = (0.0, 0.0, -50.0)  # metres: where bodies wait that a scene does not need
# A thing of which the arm leaves less to be seen could not be told from another.
LEAST_SEEN = 90  # pixels; a whole one far back has about 200
LEAST_TILE_SEEN = 0.4  # share of a tile
ARM_DRAWS = 20


class Painter:
    """Draws scenes into pictures of 320 × 180 pixels with the official camera."""

    def __init__(self) -> None:
        spec = build_spec(picture=PICTURE)
        for shape in ALL_SHAPES:
            add_look(spec, shape, outline(shape), BLOCK_HEIGHT)
        for slot in range(MOST_THINGS):
            body = spec.worldbody.add_body(name=f"thing_{slot}", mocap=True)
            body.add_geom(
                name=f"thing_{slot}",
                type=mujoco.mjtGeom.mjGEOM_MESH,
                meshname=f"{ALL_SHAPES[0]}_look",
                **UNTOUCHABLE,
            )
        self._model = spec.compile()
        self._data = mujoco.MjData(self._model)
        self._camera = Camera(self._model, picture=PICTURE)
        self._setting = PLAIN
        self._things = [self._model.geom(f"thing_{slot}").id for slot in range(MOST_THINGS)]
        # Compiled with a mesh centred in its body; others are not, and MuJoCo shall look.
        self._model.geom_sameframe[self._things] = mujoco.mjtSameFrame.mjSAMEFRAME_NONE
        self._mocaps = [
            int(self._model.body(f"thing_{slot}").mocapid[0]) for slot in range(MOST_THINGS)
        ]
        self._tiles = [self._model.geom(f"tile_{slot}").id for slot in range(MOST_TILES)]
        self._arm = [int(self._model.body(name).mocapid[0]) for name in ARM_BODIES]

    def close(self) -> None:
        """Frees the GL context."""
        self._camera.close()

    def paint(self, scene: Scene) -> UInt8[np.ndarray, "180 320 3"]:
        """What the camera sees."""
        self._set(scene)
        return self._camera.picture(self._data)

    def seen(self, scene: Scene) -> Int[np.ndarray, "N"]:
        """How many pixels each thing shows, in the scene's order."""
        return self._counts(scene)[self._things[: len(scene.things)]]

    def seen_tiles(self, scene: Scene) -> Float64[np.ndarray, "N"]:
        """Which share of each tile is to be seen, in the scene's order."""
        tiles = scene.setting.tiles
        whole = np.array([area(scene, tile) for tile in tiles])
        return self._counts(scene)[self._tiles[: len(tiles)]] / whole

    def with_all_seen(self, scene: Scene, rng: np.random.Generator) -> Scene:
        """The same things with an arm that hides none of them, where one is found; else fewer.

        A camera that was moved away from all of them is moved back.
        """
        for _ in range(ARM_DRAWS):
            shown = self._shown(scene)
            if len(shown.placed) == len(scene.placed):
                return scene
            scene = replace(scene, effector_xy=draw_effector(scene.things, rng))
        shown = self._shown(scene)
        if shown.things or scene.setting.view == OFFICIAL:
            return shown
        official = replace(scene.setting, view=OFFICIAL)
        return self.with_all_seen(replace(scene, setting=official), rng)

    def _shown(self, scene: Scene) -> Scene:
        """Without the things and the tiles of which too little is to be seen."""
        counts = self._counts(scene)
        things = {
            name: pose
            for (name, pose), geom in zip(scene.things.items(), self._things, strict=False)
            if counts[geom] >= LEAST_SEEN
        }
        tiles = tuple(
            tile
            for tile, geom in zip(scene.setting.tiles, self._tiles, strict=False)
            if counts[geom] >= LEAST_TILE_SEEN * area(scene, tile)
        )
        return replace(scene, things=things, setting=replace(scene.setting, tiles=tiles))

    def _counts(self, scene: Scene) -> Int[np.ndarray, "G"]:
        """How many pixels each geom of the model shows."""
        self._set(scene)
        ids = self._camera.geom_ids(self._data).ravel()
        return np.bincount(ids + 1, minlength=self._model.ngeom + 1)[1:]

    def _set(self, scene: Scene) -> None:
        """Brings the model into the state of the scene."""
        model, data = self._model, self._data
        self._dress(scene.setting)
        data.qpos[:2] = scene.effector_xy
        positions, quaternions = arm_poses(scene.effector_xy)
        data.mocap_pos[self._arm], data.mocap_quat[self._arm] = positions, quaternions
        data.mocap_pos[self._mocaps] = AWAY
        for geom, mocap, (name, (x, y, yaw)) in zip(
            self._things, self._mocaps, scene.things.items(), strict=False
        ):
            mesh = model.mesh(f"{shape_of(name)}_look").id
            model.geom_dataid[geom] = mesh
            # MuJoCo keeps a mesh in its own inertial frame.
            model.geom_pos[geom], model.geom_quat[geom] = (
                model.mesh_pos[mesh],
                model.mesh_quat[mesh],
            )
            model.geom_rgba[geom] = (*scene.colors[name], 1.0)
            data.mocap_pos[mocap] = (x, y, 0.0)
            data.mocap_quat[mocap] = (np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2))
        mujoco.mj_kinematics(model, data)
        mujoco.mj_camlight(model, data)

    def _dress(self, setting: Setting) -> None:
        if setting == self._setting:
            return
        self._setting = setting
        self._camera.refresh(dress(self._model, setting))
        mujoco.mj_resetData(self._model, self._data)  # what never moves is only looked up then


def area(scene: Scene, tile: Tile) -> float:
    """Pixels of a whole tile in the picture."""
    half = tile.side / 2
    turn = np.array([(np.cos(tile.yaw), -np.sin(tile.yaw)), (np.sin(tile.yaw), np.cos(tile.yaw))])
    corners = np.array([(-half, -half), (-half, half), (half, half), (half, -half)]) @ turn
    x, y = project(tile.xy + corners, z=0.0, view=scene.setting.view).T
    return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)
