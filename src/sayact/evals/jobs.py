"""What a process of an evaluation does: plays episodes in worlds that it keeps open."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium

from sayact.envs import make_env
from sayact.evals.evaluation import FAMILY_STEPS, Protocol
from sayact.evals.rollouts import EpisodeResult, run_episode
from sayact.evals.suites.catalogue import SUITES
from sayact.evals.videos import Recorder
from sayact.policies.loading import load_policy
from sayact.policies.policy import Attached, Policy


@dataclass(frozen=True, kw_only=True)
class Job:
    """One episode to play: `policy` by name or path, the `index`-th start of a part.

    family: the part, a family of tasks or a suite.
    """

    policy: str
    family: str
    index: int
    video: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What all episodes of an evaluation share.

    `device` and `engine` are how policies are loaded: where, and by what, they are computed.
    `plans` says after how many steps a policy plans anew, where it is not as its checkpoint says.
    """

    protocol: Protocol
    device: str = "cpu"
    engine: str | None = None
    plans: dict[str, int | None] = field(default_factory=dict[str, int | None])

    def load(self, policy: str) -> Policy:
        return load_policy(policy, self.device, self.engine, plan_every=self.plans.get(policy))

    def world(self, *parts: str) -> dict[str, Any]:
        """What `make_env` takes to open a world in which these parts can be played."""
        asked = self.protocol
        if asked.suites:  # starts are given; which family the world would draw does not matter
            return {"max_steps": asked.max_steps or max(SUITES[p].max_steps for p in parts)}
        steps = asked.max_steps or FAMILY_STEPS
        return {"family": parts, "block_mode": asked.block_mode, "max_steps": steps}

    def options(self, part: str, index: int) -> dict[str, Any] | None:
        """What the world's reset takes: the start, where a suite gives it."""
        if not self.protocol.suites:
            return None
        return {"start": SUITES[part].start(index, self.protocol.seed)}


@contextmanager
def open_stage(
    conditions: Conditions, policies: dict[str, Policy] | None = None
) -> Iterator[Callable[[Job], EpisodeResult]]:
    """The function that plays one job. `policies` are those that are loaded already."""
    stage = _Stage(conditions, policies or {})
    try:
        yield stage.play
    finally:
        stage.close()


class _Stage:
    """Worlds and policies of one process, each made once, when first asked for."""

    def __init__(self, conditions: Conditions, policies: dict[str, Policy]) -> None:
        self._conditions = conditions
        self._policies = dict(policies)
        self._envs: dict[tuple[tuple[str, Any], ...], gymnasium.Env] = {}

    def play(self, job: Job) -> EpisodeResult:
        policy = self._policy(job.policy)
        # Baselines read the state, if anything: the picture is for those who look, and for films.
        env = self._env(job.family, seen=job.video is not None or not isinstance(policy, Attached))
        asked = {
            "family": job.family,
            "index": job.index,
            "seed": self._conditions.protocol.seed,
            "options": self._conditions.options(job.family, job.index),
        }
        if job.video is None:
            return run_episode(env, policy, **asked)
        with Recorder(job.video, env.unwrapped.action_space_spec) as recorder:  # type: ignore[attr-defined]
            return run_episode(env, policy, **asked, watch=recorder.add)

    def close(self) -> None:
        for env in self._envs.values():
            env.close()

    def _env(self, part: str, *, seen: bool) -> gymnasium.Env:
        """Worlds that are opened alike are one: suites share theirs."""
        options = self._conditions.world(part) | {"render_observations": seen}
        key = tuple(options.items())
        if key not in self._envs:
            self._envs[key] = make_env(self._conditions.protocol.world, **options)
        return self._envs[key]

    def _policy(self, name: str) -> Policy:
        if name not in self._policies:
            self._policies[name] = self._conditions.load(name)
        return self._policies[name]
