"""What a table shows of itself: one frozen moment, made in its thread and drawn in the page's."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64, UInt8

from sayact.envs.language_table.state import TableState
from sayact.schema import Action, ActionSpace

# playing: acts at every step. done: the world says so, and the robot rests until it is told
# something else or its work is undone. resting: time is up, or it has no task. failed: its policy
# raised.
Status = Literal["playing", "done", "resting", "failed"]


LEAST_TIMINGS = 5  # steps over which a rate is told


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Sentences that the world judges: how many were tried to their end, and how many were done."""

    done: int = 0
    tried: int = 0


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One step, as a clock saw it.

    at: seconds of a monotonic clock at its beginning.
    acting_ms: inside `policy.act`; over a network if the policy is a server.
    """

    at: float
    acting_ms: float


@dataclass(frozen=True, kw_only=True)
class View:
    """One table at one moment.

    seed: of the start that lies there.
    seen: the picture that the network really gets, as near as can be told; None where the policy
        looks at none, or only its server knows.
    judged: whether the world knows a task by this sentence, so that it can tell success.
    note: what a person should know about why it does what it does; "" for nothing.
    trace: where the effector was, metres, oldest first.
    goal: where the task wants its block, or the effector, metres; None where nothing is judged.
    version: grows with every change, so that a page draws nothing twice.
    """

    seed: int
    state: TableState
    space: ActionSpace
    picture: UInt8[np.ndarray, "H W 3"]
    seen: UInt8[np.ndarray, "h w 3"] | None
    instruction: str
    judged: bool
    status: Status
    note: str
    action: Action | None
    steps: int
    tally: Tally
    trace: Float64[np.ndarray, "N 2"]
    goal: Float64[np.ndarray, "2"] | None
    timings: tuple[Timing, ...]
    version: int

    @property
    def hz(self) -> float:
        """Steps a second over the timings kept; 0 before there are enough to tell."""
        if len(self.timings) < LEAST_TIMINGS:
            return 0.0
        return (len(self.timings) - 1) / max(self.timings[-1].at - self.timings[0].at, 1e-9)

    @property
    def acting_ms(self) -> float:
        """Median time inside `policy.act` over the timings kept; 0 before the first."""
        if not self.timings:
            return 0.0
        return float(np.median([timing.acting_ms for timing in self.timings]))
