"""What the episodes of a control loop share, and what they keep between one tick and the next."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sayact.robots.desk import Desk
from sayact.robots.limits import Limits
from sayact.robots.report import Outcome, Status
from sayact.robots.robot import Robot
from sayact.robots.thinking import Acting
from sayact.schema import Action, Observation


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What all episodes of a loop share; see `ControlLoop`."""

    robot: Robot
    policy: Acting
    hz: float
    limits: Limits
    hold_seconds: float
    stale_seconds: float
    start_seconds: float
    dry_run: bool
    desk: Desk
    watch: Callable[[Status], None]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question to the policy, and when its picture was taken; None: the start of the episode."""

    number: int
    observation: Observation | None
    at: float


@dataclass(frozen=True, kw_only=True)
class Answered:
    """An action that waits for its tick. latency: from the picture to here, seconds."""

    observation: Observation
    at: float
    action: Action
    latency: float


def kept(seen: Observation, sentence: str) -> Observation:
    """With its own numbers: many cameras fill the same buffer with every picture."""
    state = None if seen.state is None else seen.state.copy()
    return replace(seen, image=seen.image.copy(), state=state, instruction=sentence)


class End(Exception):
    """The episode is over; raised inside the loop and caught at its border."""

    def __init__(self, outcome: Outcome, reason: str, success: bool | None = None) -> None:
        super().__init__(reason)
        self.outcome: Outcome = outcome
        self.reason, self.success = reason, success
