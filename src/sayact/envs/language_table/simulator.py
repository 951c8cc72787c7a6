# pyright: reportAttributeAccessIssue=false
# (mujoco is a compiled module without type stubs)
"""The table's physics and picture behind a few methods; nothing here knows of tasks or words."""

from collections.abc import Mapping

import mujoco
import numpy as np
from jaxtyping import Bool, Float64, UInt8

from sayact.envs.language_table.arm import ARM_BODIES, arm_poses
from sayact.envs.language_table.blocks import check_blocks
from sayact.envs.language_table.camera import PICTURE
from sayact.envs.language_table.contact import CONTACT, Contact
from sayact.envs.language_table.dressing import dress
from sayact.envs.language_table.rendering import Camera
from sayact.envs.language_table.scene import HULL, build_model
from sayact.envs.language_table.setting import PLAIN, Setting
from sayact.envs.language_table.state import Pose2D, TableState

CONTROL_PERIOD = 0.1  # seconds between actions: 10 Hz
OVERLAP = 0.001  # metres into each other, from where on blocks overlap
LAG_PER_240TH = 0.9  # share of the effector's error that is left after 1/240 s: a 40 ms lag


class Simulator:
    """Blocks on a board, pushed by a cylinder that follows its set-point with a lag of 40 ms.

    Deterministic: the same placement and the same set-points give the same bits.
    """

    def __init__(self, *, picture: tuple[int, int] = PICTURE, contact: Contact = CONTACT) -> None:
        """`picture` is (height, width) in pixels."""
        self._picture = picture
        self._contact = contact
        self._substeps = round(CONTROL_PERIOD / contact.timestep)
        substep = np.arange(self._substeps + 1)
        self._lag = (LAG_PER_240TH ** (240 * contact.timestep * substep))[:, None]
        self._blocks: tuple[str, ...] = ()
        self._setting = PLAIN
        self._camera: Camera | None = None
        self._target = np.zeros(2)
        self._effector = np.zeros(2)
        self._build(())

    def place(
        self,
        blocks: Mapping[str, Pose2D],
        effector_xy: Float64[np.ndarray, "2"] | tuple,
        setting: Setting = PLAIN,
    ) -> None:
        """Puts the named blocks (x, y in metres, yaw in radians) on the board, all at rest.

        Blocks not named are not there. The set-point is where the effector is. A setting changes
        the picture alone; another one needs no new model.
        """
        check_blocks(blocks)
        if tuple(blocks) != self._blocks:
            self._build(tuple(blocks))
        self._dress(setting)
        mujoco.mj_resetData(self._model, self._data)
        self._effector = np.array(effector_xy, dtype=np.float64)
        self._target = self._effector.copy()
        self._data.qpos[:2] = self._effector
        for index, (x, y, yaw) in enumerate(blocks.values()):
            self._data.qpos[2 + 4 * index : 6 + 4 * index] = (x, y, 0.0, _wrap(yaw))
        mujoco.mj_forward(self._model, self._data)

    def overlapping(self) -> bool:
        """Whether two blocks stand in each other, as placed."""
        contacts = self._data.contact
        hulls = (self._model.geom_contype[contacts.geom] == HULL).all(axis=1)
        return bool((contacts.dist[hulls] < -OVERLAP).any())

    def settle(self, seconds: float) -> None:
        """Lets the blocks come to rest while the effector stands still."""
        self._data.qvel[:2] = 0.0
        mujoco.mj_step(self._model, self._data, nstep=round(seconds / self._contact.timestep))

    def step(self, target_xy: Float64[np.ndarray, "2"] | tuple) -> None:
        """One control step of 0.1 s towards a set-point in metres."""
        self._target = np.array(target_xy, dtype=np.float64)
        path = self._target + self._lag * (self._effector - self._target)
        speed = np.diff(path, axis=0) / self._contact.timestep
        position, velocity = self._data.qpos[:2], self._data.qvel[:2]
        for here, pace in zip(path, speed, strict=False):
            position[:] = here
            velocity[:] = pace
            mujoco.mj_step(self._model, self._data)
        self._effector = path[-1]

    def state(self) -> TableState:
        """Where everything is; blocks in the order they were placed in."""
        poses = self._data.qpos[2:].reshape(-1, 4)
        return TableState(
            blocks={
                name: (float(x), float(y), _wrap(float(yaw)))
                for name, (x, y, _, yaw) in zip(self._blocks, poses, strict=True)
            },
            effector_xy=self._effector.copy(),
            effector_target_xy=self._target.copy(),
        )

    def render(self) -> UInt8[np.ndarray, "H W 3"]:
        """What the camera sees."""
        return self._drawn_by().picture(self._data)

    def arm_mask(self) -> Bool[np.ndarray, "H W"]:
        """Which pixels of the picture show the arm or the effector."""
        geoms = self._drawn_by().geom_ids(self._data)
        body_of_geom = np.append(self._model.geom_bodyid, -1)  # -1 picks the last: no geom
        arm = [self._model.body(name).id for name in ("effector", *ARM_BODIES)]
        return np.isin(body_of_geom[geoms], arm)

    def close(self) -> None:
        """Frees the GL context; the simulator can be used again afterwards."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None

    def _drawn_by(self) -> Camera:
        """The camera, opened at the first picture, with bodies brought to where the joints are."""
        if self._camera is None:
            self._camera = Camera(self._model, picture=self._picture)
        self._data.qpos[:2] = self._effector
        self._data.mocap_pos[:], self._data.mocap_quat[:] = arm_poses(self._effector)
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)
        return self._camera

    def _dress(self, setting: Setting) -> None:
        if setting == self._setting:
            return
        self._setting = setting
        textures = dress(self._model, setting, self._blocks)
        if self._camera is not None:
            self._camera.refresh(textures)

    def _build(self, blocks: tuple[str, ...]) -> None:
        self._blocks, self._setting = blocks, PLAIN
        self._model = build_model(blocks, picture=self._picture, contact=self._contact)
        self._data = mujoco.MjData(self._model)
        if self._camera is not None:
            self._camera.show(self._model)


def _wrap(angle: float) -> float:
    """The same direction within -pi..pi; what is within already keeps its last bit."""
    if -np.pi <= angle < np.pi:
        return angle
    return (angle + np.pi) % (2 * np.pi) - np.pi
