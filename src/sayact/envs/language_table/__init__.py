"""Language-Table re-created on MuJoCo: a board, blocks, an effector and seven task families."""

import os

from sayact.schema.errors import RenderingError

try:
    import mujoco  # noqa: F401
except Exception as error:  # the libraries of OpenGL fail to load in every way there is
    # MuJoCo loads the one that MUJOCO_GL names while it is imported; without it, when it draws.
    if "MUJOCO_GL" not in os.environ:
        raise
    raise RenderingError(
        f"MuJoCo does not load with MUJOCO_GL={os.environ['MUJOCO_GL']} ({type(error).__name__}: "
        f"{error}). Unset it, so that egl and osmesa are tried in turn, or install what it needs: "
        "the Debian package libegl1 for egl, libosmesa6 for osmesa."
    ) from error

from sayact.envs.language_table.blocks import BLOCK_MODES, BLOCKS
from sayact.envs.language_table.env import LanguageTableEnv
from sayact.envs.language_table.state import TableState
from sayact.envs.language_table.task import StartRejected, Task
from sayact.envs.language_table.tasks import EVAL_FAMILIES, FAMILIES
from sayact.envs.language_table.words import instructions

__all__ = [
    "BLOCKS",
    "BLOCK_MODES",
    "EVAL_FAMILIES",
    "FAMILIES",
    "LanguageTableEnv",
    "StartRejected",
    "TableState",
    "Task",
    "instructions",
]
