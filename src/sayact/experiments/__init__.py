"""The recipes: each file with a `RECIPE` is one runnable, reproducible experiment."""

from importlib import import_module
from pathlib import Path

from sayact.experiments.recipe import Recipe
from sayact.schema.errors import UnknownNameError


def names() -> tuple[str, ...]:
    """Recipes are the files here that begin with the name of a model."""
    return tuple(sorted(p.stem for p in Path(__file__).parent.glob("rt*_*.py")))


def find(name: str) -> Recipe:
    """The recipe of that name; UnknownNameError lists them all."""
    if name not in names():
        raise UnknownNameError("recipe", name, names())
    return import_module(f"sayact.experiments.{name}").RECIPE
