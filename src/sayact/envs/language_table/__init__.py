"""Language-Table re-created on MuJoCo: a board, blocks, an effector and seven task families."""

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
