"""What a process of an evaluation does: plays episodes in worlds that it keeps open."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium

from sayact.envs import make_env
from sayact.evals.rollouts import EpisodeResult, run_episode
from sayact.evals.videos import Recorder
from sayact.policies.loading import load_policy
from sayact.policies.policy import Policy


@dataclass(frozen=True, kw_only=True)
class Job:
    """One episode to play: `policy` by name or path, the `index`-th start of `family`."""

    policy: str
    family: str
    index: int
    video: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What all episodes of an evaluation share. `options` go to `make_env`.

    `device` and `engine` are how policies are loaded: where, and by what, they are computed.
    `plans` says after how many steps a policy plans anew, where it is not as its checkpoint says.
    """

    world: str
    seed: int
    options: dict[str, Any]
    device: str = "cpu"
    engine: str | None = None
    plans: dict[str, int | None] = field(default_factory=dict[str, int | None])

    def load(self, policy: str) -> Policy:
        return load_policy(policy, self.device, self.engine, plan_every=self.plans.get(policy))


@contextmanager
def open_stage(
    setting: Setting, policies: dict[str, Policy] | None = None
) -> Iterator[Callable[[Job], EpisodeResult]]:
    """The function that plays one job. `policies` are those that are loaded already."""
    stage = _Stage(setting, policies or {})
    try:
        yield stage.play
    finally:
        stage.close()


class _Stage:
    """Worlds and policies of one process, each made once, when first asked for."""

    def __init__(self, setting: Setting, policies: dict[str, Policy]) -> None:
        self._setting = setting
        self._policies = dict(policies)
        self._envs: dict[str, gymnasium.Env] = {}

    def play(self, job: Job) -> EpisodeResult:
        env, policy = self._env(job.family), self._policy(job.policy)
        settings = {"family": job.family, "index": job.index, "seed": self._setting.seed}
        if job.video is None:
            return run_episode(env, policy, **settings)
        with Recorder(job.video, env.unwrapped.action_space_spec) as recorder:  # type: ignore[attr-defined]
            return run_episode(env, policy, **settings, watch=recorder.add)

    def close(self) -> None:
        for env in self._envs.values():
            env.close()

    def _env(self, family: str) -> gymnasium.Env:
        if family not in self._envs:
            options = self._setting.options
            self._envs[family] = make_env(self._setting.world, family=family, **options)
        return self._envs[family]

    def _policy(self, name: str) -> Policy:
        if name not in self._policies:
            self._policies[name] = self._setting.load(name)
        return self._policies[name]
