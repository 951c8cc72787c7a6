"""One episode: a world, a policy, and what became of it."""

import logging
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gymnasium
import numpy as np
from jaxtyping import UInt8

from sayact.envs import to_observation
from sayact.policies.controller import Controller
from sayact.policies.policy import Attached, Drawing, Policy, require_fit
from sayact.schema import Action, ActionSpace
from sayact.schema.errors import BadActionError

logger = logging.getLogger(__name__)

# float32 rounding of a bound such as 0.1 must not count as leaving the box.
BOX_TOLERANCE = 1e-6


@dataclass(frozen=True, kw_only=True)
class EpisodeResult:
    """`acting_seconds` is the time spent inside `policy.act`; `error` names a refused action.

    `family`: what the episode counts for: a family of tasks, or a suite.
    `ended_by_policy`: the policy said that it was done. Whether it was, is the world's `success`.
    `illegal`: the mean probability that a language model gave to what is no action; None: it is no
    language model. `plans`: how many different plans it followed.
    """

    family: str
    index: int
    seed: int
    instruction: str
    success: bool
    steps: int
    acting_seconds: float
    error: str | None = None
    ended_by_policy: bool = False
    illegal: float | None = None
    plans: int = 0


@dataclass(kw_only=True)
class _Spoken:
    """What a language model's actions tell beside their values."""

    illegal: list[float] = field(default_factory=list[float])
    plans: set[str] = field(default_factory=set[str])

    def add(self, action: Action) -> None:
        if action.illegal is not None:
            self.illegal.append(float(action.illegal.mean()))
        if action.plan is not None:
            self.plans.add(action.plan)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What a camera beside the table records at each step, before the action is carried out.

    The last moment of an episode has no action, and tells whether it ended well.
    """

    picture: UInt8[np.ndarray, "H W 3"]
    instruction: str
    action: Action | None
    success: bool


def episode_seed(seed: int, family: str, index: int) -> int:
    """The world's seed for one episode: a hash of all three, so any worker can run any episode.

    (The official script seeds one environment and plays its episodes in a row, which would tie the
    starts to the order of work.) Every policy meets the same starts.
    """
    words = np.random.SeedSequence([seed, zlib.crc32(family.encode()), index])
    return int(words.generate_state(1)[0])


def run_episode(
    env: gymnasium.Env,
    policy: Policy,
    *,
    family: str,
    index: int,
    seed: int,
    options: dict[str, Any] | None = None,
    watch: Callable[[Moment], None] | None = None,
) -> EpisodeResult:
    """Play from reset to end. `env` knows its own step limit.

    It sets tasks of `family` only, or plays what `options` give to its reset: the start of a suite.
    The policy's own end is one more step that moves nothing, so that the world can judge it.
    """
    start = episode_seed(seed, family, index)
    raw, info = env.reset(seed=start, options=options)
    begin(policy, env, seed=start)
    space: ActionSpace = env.unwrapped.action_space_spec  # type: ignore[attr-defined]
    controller = Controller(space)
    instruction: str = info["instruction"]
    steps, seconds, success, error, ended = 0, 0.0, False, None, False
    spoken = _Spoken()

    while True:
        started = time.perf_counter()
        try:
            action = policy.act(to_observation(raw))
            seconds += time.perf_counter() - started
            spoken.add(action)
            if watch is not None:
                watch(
                    Moment(
                        picture=raw["rgb"], instruction=instruction, action=action, success=success
                    )
                )
            check_action(action, space)
            command = controller(action)
        except BadActionError as bad:
            error = f"{type(bad).__name__}: {bad}"
            logger.warning("%s episode %d ended after %d steps: %s", family, index, steps, bad)
            break
        raw, _, terminated, truncated, info = env.step(command.values)
        steps += 1
        success, ended = bool(info["success"]), command.ended
        if ended or terminated or truncated:
            break

    if watch is not None:
        watch(Moment(picture=raw["rgb"], instruction=instruction, action=None, success=success))
    return EpisodeResult(
        family=family,
        index=index,
        seed=start,
        instruction=instruction,
        success=success,
        steps=steps,
        acting_seconds=seconds,
        error=error,
        ended_by_policy=ended,
        illegal=float(np.mean(spoken.illegal)) if spoken.illegal else None,
        plans=len(spoken.plans),
    )


def begin(policy: Policy, env: gymnasium.Env, *, seed: int) -> None:
    """Make `policy` ready for an episode of a world that was just reset."""
    if isinstance(policy, Attached):
        policy.attach(env.unwrapped)  # type: ignore[arg-type]
    if isinstance(policy, Drawing):
        policy.seed(seed)
    check_fits(policy, env)
    policy.reset()


def check_fits(policy: Policy, env: gymnasium.Env) -> None:
    """Refuse a policy whose numbers mean something else than the world's."""
    ours: ActionSpace = env.unwrapped.action_space_spec  # type: ignore[attr-defined]
    require_fit(policy.action_space, ours)


def check_action(action: Action, space: ActionSpace) -> None:
    """Refuse NaN, infinities, a wrong number of dimensions and values outside the box."""
    values = np.asarray(action.values)
    space.require_numbers(values)
    for value, dimension in zip(values.tolist(), space.dimensions, strict=True):
        if not dimension.low - BOX_TOLERANCE <= value <= dimension.high + BOX_TOLERANCE:
            raise BadActionError(
                f"{dimension.name} is {value:g} {dimension.unit}, outside {dimension.low:g} to "
                f"{dimension.high:g}; a policy that regresses must clip its own answers"
            )
