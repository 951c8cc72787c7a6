"""The recipes: each file with a `RECIPE` is one runnable, reproducible experiment."""

from importlib import import_module
from pathlib import Path
from typing import TypeVar, overload

from sayact.experiments.recipe import Experiment, Recipe
from sayact.schema.errors import SayactError, UnknownNameError

Kind = TypeVar("Kind", bound=Experiment)


def names() -> tuple[str, ...]:
    """Recipes are the files here that begin with the name of a model, and hold a `RECIPE`."""
    files = sorted(Path(__file__).parent.glob("rt*_*.py"))
    return tuple(file.stem for file in files if "\nRECIPE = " in file.read_text(encoding="utf-8"))


@overload
def find(name: str) -> Recipe: ...
@overload
def find(name: str, kind: type[Kind]) -> Kind: ...
def find(name: str, kind: type[Experiment] = Recipe) -> Experiment:
    """The recipe of that name, which must be of this kind: RT-1's unless told.

    UnknownNameError lists all names.
    """
    if name not in names():
        raise UnknownNameError("recipe", name, names())
    recipe = import_module(f"sayact.experiments.{name}").RECIPE
    if not isinstance(recipe, kind):
        raise SayactError(f"{name} is a {type(recipe).__name__}; a {kind.__name__} is needed here")
    return recipe
