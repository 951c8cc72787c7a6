# pyright: reportAttributeAccessIssue=false
# (mujoco is a compiled module without type stubs)
"""Headless pictures: one GL context, one camera, no multisampling; shadows if the model has them.

EGL is tried first, then OSMesa; the environment variable MUJOCO_GL (egl, osmesa or glfw) decides
alone when the user has set it.
"""

import importlib
import logging
import os
import sys
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import mujoco
import numpy as np
from jaxtyping import UInt8

from sayact.schema.errors import RenderingError, UnknownNameError

logger = logging.getLogger(__name__)

BACKENDS = ("egl", "osmesa")  # in the order tried
DEBIAN_PACKAGES = {"egl": "libegl1", "osmesa": "libosmesa6", "glfw": "libglfw3"}
MAX_GEOMS = 200


@runtime_checkable
class GLContext(Protocol):
    """What MuJoCo's egl, osmesa and glfw modules offer under this name."""

    def make_current(self) -> None: ...
    def free(self) -> None: ...


def backends_to_try() -> tuple[str, ...]:
    """The backends in order, or the user's own choice alone."""
    chosen = os.environ.get("MUJOCO_GL", "").strip().lower()
    if not chosen:
        return BACKENDS
    if chosen not in DEBIAN_PACKAGES:
        raise UnknownNameError("MUJOCO_GL backend", chosen, DEBIAN_PACKAGES)
    return (chosen,)


def open_context(height: int, width: int) -> GLContext:
    """A GL context without a window, made current."""
    failures: list[str] = []
    platform = os.environ.get("PYOPENGL_PLATFORM")
    for backend in backends_to_try():
        try:
            context = importlib.import_module(f"mujoco.{backend}").GLContext(width, height)
            context.make_current()
        except Exception as error:  # drivers and loaders fail in every way there is
            failures.append(f"{backend} ({type(error).__name__}: {error})")
            _forget(backend, platform)
        else:
            logger.debug("drawing with %s", backend)
            return context
    packages = " or ".join(DEBIAN_PACKAGES[backend] for backend in backends_to_try())
    raise RenderingError(
        f"cannot draw pictures without a screen: tried {'; '.join(failures)}. "
        f"Install the Debian package {packages} (apt-get install libegl1 libosmesa6)."
    )


def _forget(backend: str, platform: str | None) -> None:
    """Unloads PyOpenGL, which keeps the platform it was first loaded for, and MuJoCo's variable.

    Otherwise the next backend would find the failed one's library in its place.
    """
    if platform is None:
        os.environ.pop("PYOPENGL_PLATFORM", None)
    for module in list(sys.modules):
        if module.split(".")[0] == "OpenGL" or module.startswith(f"mujoco.{backend}"):
            del sys.modules[module]


class Camera:
    """Draws a model from its first camera into uint8 pictures."""

    def __init__(self, model: mujoco.MjModel, *, picture: tuple[int, int]) -> None:
        """`picture` is (height, width) in pixels."""
        self._height, self._width = picture
        self._gl = open_context(self._height, self._width)
        self._model = model
        self._mjr = self._load()
        self._scene = _empty_scene(model)
        self._options = mujoco.MjvOption()
        self._perturbation = mujoco.MjvPerturb()
        self._view = mujoco.MjvCamera()
        self._view.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._view.fixedcamid = 0
        self._viewport = mujoco.MjrRect(0, 0, self._width, self._height)

    def show(self, model: mujoco.MjModel) -> None:
        """Draws this model from here on; far quicker than opening another camera."""
        self._model = model
        self._reload()
        self._scene = _empty_scene(model)

    def refresh(self, textures: Sequence[int]) -> None:
        """Takes note that these textures of the model have changed, or whether it has shadows."""
        if self._mjr.shadowSize != self._model.vis.quality.shadowsize:
            self._reload()
            return
        self._gl.make_current()
        for texture in textures:
            mujoco.mjr_uploadTexture(self._model, self._mjr, texture)

    def _reload(self) -> None:
        self._gl.make_current()
        self._mjr.free()
        self._mjr = self._load()

    def _load(self) -> mujoco.MjrContext:
        """Brings meshes and textures, and room for the shadows the model asks for, into OpenGL."""
        try:
            loaded = mujoco.MjrContext(self._model, mujoco.mjtFontScale.mjFONTSCALE_50)
        except mujoco.FatalError as error:  # glfw opens a context without a screen, an empty one
            raise RenderingError(
                f"cannot draw pictures: {error}. Unset MUJOCO_GL, so that egl and osmesa are tried "
                "in turn (Debian packages libegl1 and libosmesa6)."
            ) from error
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, loaded)
        return loaded

    def picture(self, data: mujoco.MjData) -> UInt8[np.ndarray, "H W 3"]:
        """The scene in RGB."""
        self._draw(data)
        return self._read()

    def geom_ids(self, data: mujoco.MjData) -> np.ndarray:
        """Which geom each pixel shows: int32 [H, W], -1 where there is none."""
        flags = self._scene.flags
        flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = 1
        self._draw(data)
        flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = 0
        code = self._read().astype(np.int32) @ np.array([1, 1 << 8, 1 << 16], dtype=np.int32)
        geom_of = np.full(self._scene.ngeom + 1, -1, dtype=np.int32)
        for geom in self._scene.geoms[: self._scene.ngeom]:
            if geom.segid >= 0 and geom.objtype == mujoco.mjtObj.mjOBJ_GEOM:
                geom_of[geom.segid + 1] = geom.objid
        return geom_of[np.minimum(code, self._scene.ngeom)]

    def close(self) -> None:
        """Frees the GL context."""
        self._gl.make_current()
        self._mjr.free()
        self._gl.free()

    def _draw(self, data: mujoco.MjData) -> None:
        self._gl.make_current()
        mujoco.mjv_updateScene(
            self._model,
            data,
            self._options,
            self._perturbation,
            self._view,
            mujoco.mjtCatBit.mjCAT_ALL.value,
            self._scene,
        )
        flags = self._scene.flags
        shadows = self._model.vis.quality.shadowsize > 0
        flags[mujoco.mjtRndFlag.mjRND_SHADOW] = (
            shadows and not flags[mujoco.mjtRndFlag.mjRND_SEGMENT]
        )
        mujoco.mjr_render(self._viewport, self._scene, self._mjr)

    def _read(self) -> UInt8[np.ndarray, "H W 3"]:
        upside_down = np.empty((self._height, self._width, 3), dtype=np.uint8)
        mujoco.mjr_readPixels(upside_down, None, self._viewport, self._mjr)
        return np.ascontiguousarray(upside_down[::-1])


def _empty_scene(model: mujoco.MjModel) -> mujoco.MjvScene:
    scene = mujoco.MjvScene(model, MAX_GEOMS)
    for flag in (
        mujoco.mjtRndFlag.mjRND_REFLECTION,
        mujoco.mjtRndFlag.mjRND_SKYBOX,
        mujoco.mjtRndFlag.mjRND_FOG,
        mujoco.mjtRndFlag.mjRND_HAZE,
    ):
        scene.flags[flag] = 0
    return scene
