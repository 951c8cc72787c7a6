"""Acting: `reset()`, `act(Observation) -> Action`.

Networks bring torch, so they are loaded when first asked for: a robot whose policy is on a server
has none.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sayact.policies.policy import Policy

if TYPE_CHECKING:
    from sayact.policies.loading import BASELINES, load_policy

__all__ = ["BASELINES", "Policy", "load_policy"]


def __getattr__(name: str) -> Any:
    if name in ("BASELINES", "load_policy"):
        return getattr(import_module("sayact.policies.loading"), name)
    raise AttributeError(f"module 'sayact.policies' has no attribute {name!r}")
