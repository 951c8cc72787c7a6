"""Acting: `reset()`, `act(Observation) -> Action`."""

from sayact.policies.loading import BASELINES, load_policy
from sayact.policies.policy import Policy

__all__ = ["BASELINES", "Policy", "load_policy"]
