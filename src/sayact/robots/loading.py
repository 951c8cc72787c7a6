"""From a name to a robot: a world, or a class of one's own.

language_table                  a simulated world
my_robot:MyArm                  a class or function in a module, called without arguments
examples/my_robot.py:MyArm      the same by the file's path
"""

import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from sayact.envs import WORLDS, make_env
from sayact.robots.gym_robot import GymRobot
from sayact.robots.robot import Robot
from sayact.schema import ActionSpace
from sayact.schema.errors import SayactError, UnknownNameError


def make_robot(name: str, hz: float | None = None, **options: Any) -> Robot:
    """The robot of that name; `options` are a world's, which lets its time pass at `hz`.

    Raises UnknownNameError for no world's name, and SayactError for a class that is no robot.
    """
    if name in WORLDS:
        return GymRobot(make_env(name, **{"max_steps": None, **options}), hz)
    if ":" not in name:
        raise UnknownNameError("world (or module:class of a robot)", name, WORLDS)
    if options:
        raise SayactError(
            f"{', '.join(options)} set up a simulated world; {name} sets itself up. Leave it out"
        )
    robot = _factory(name)()
    missing = [part for part in ("observe", "apply", "stop") if not callable_in(robot, part)]
    space = getattr(robot, "action_space", None)
    if missing or not isinstance(space, ActionSpace):
        wants = [*missing, *([] if isinstance(space, ActionSpace) else ["action_space"])]
        raise SayactError(
            f"{name} made a {type(robot).__name__}, which is no robot: {', '.join(wants)} missing; "
            "docs/serve.md shows what one is"
        )
    return robot


def callable_in(thing: object, name: str) -> bool:
    return callable(getattr(thing, name, None))


def _factory(name: str) -> Callable[[], Any]:
    module_name, _, attribute = name.rpartition(":")
    module = _from_file(Path(module_name)) if module_name.endswith(".py") else _named(module_name)
    found = getattr(module, attribute, None)
    if not callable(found):
        there = [n for n, thing in vars(module).items() if callable(thing) and n[:1] != "_"]
        raise UnknownNameError(f"class in {module_name}", attribute, there)
    return found


def _from_file(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise SayactError(f"there is no {file}; give the path of a Python file, then :CLASS")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickle look their module up by its name.
    sys.modules.setdefault(file.stem, module)
    with _found_from(file.parent):
        spec.loader.exec_module(module)
    return module


def _named(module: str) -> ModuleType:
    with _found_from(Path.cwd()):
        try:
            return importlib.import_module(module)
        except ModuleNotFoundError as missing:
            if missing.name is None or not f"{module}.".startswith(f"{missing.name}."):
                raise  # the module is there, and what it needs is not
            raise SayactError(
                f"there is no module {module!r} here; give MODULE:CLASS or path/to/file.py:CLASS"
            ) from None


@contextmanager
def _found_from(folder: Path) -> Iterator[None]:
    """Modules in `folder` can be imported meanwhile; an installed command does not look here."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
