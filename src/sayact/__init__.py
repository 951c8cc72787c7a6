"""Sayact: say it, and the robot acts. RT-1 and RT-2 as software people use.

    policy = sayact.load_policy("rt1-nano")
    env = sayact.make_env("language_table", family="block2block", seed=0)

Importing the package also tells Gymnasium the ids of the worlds. Policies bring torch, so they are
imported when first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sayact.envs import make_env

if TYPE_CHECKING:
    from sayact.policies import load_policy

__all__ = ["load_policy", "make_env"]


def __getattr__(name: str) -> Any:
    if name == "load_policy":
        return import_module("sayact.policies").load_policy
    raise AttributeError(f"module 'sayact' has no attribute {name!r}")
