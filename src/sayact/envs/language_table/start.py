"""One start, given: where everything stands, how it looks, and what is to be done."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sayact.envs.language_table.setting import PLAIN, Setting
from sayact.envs.language_table.state import Pose2D
from sayact.envs.language_table.task import Task
from sayact.schema.errors import SayactError, UnknownNameError


@dataclass(frozen=True, kw_only=True)
class Start:
    """What `env.reset(options={"start": …})` plays; metres and radians, in the board's frame."""

    blocks: dict[str, Pose2D]
    effector_xy: tuple[float, float]
    task: Task
    setting: Setting = PLAIN

    def __post_init__(self) -> None:
        for block in self.task.blocks():
            if block not in self.blocks:
                raise UnknownNameError("block of the task", block, self.blocks)


def given_start(options: Mapping[str, Any] | None) -> Start | None:
    """The one option of `reset`."""
    for name in options or {}:
        if name != "start":
            raise UnknownNameError("option of reset", name, ["start"])
    start = (options or {}).get("start")
    if start is not None and not isinstance(start, Start):
        raise SayactError(f'options["start"] is a Start; got {type(start).__name__}')
    return start
