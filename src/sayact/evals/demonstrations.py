"""Play one demonstration: the oracle says what to do, and what is done may differ from it.

    world ──state──▶ oracle ──▶ label ──┬─ (+ disturbance) ──▶ executed ──▶ world
                                        └─ or the action of a policy (DAgger, arXiv:1011.0686)

Labels are always the oracle's answer to the state at hand. A disturbed or wrong execution brings
the world into states that a perfect demonstrator never visits, with the label that leads back.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32

from sayact.data.layout import DatasetSpec
from sayact.envs import make_env, to_observation
from sayact.envs.language_table.camera import PICTURE
from sayact.envs.language_table.disturbance import Disturbance
from sayact.envs.language_table.env import checked_families
from sayact.envs.language_table.tasks import FAMILIES
from sayact.schema import LANGUAGE_TABLE, Episode
from sayact.schema.errors import SayactError, UnknownNameError

WORLDS_WITH_ORACLE = ("language_table",)
STATE_NAMES = ("effector_x", "effector_y", "target_x", "target_y")

MOST_ATTEMPTS = 50  # in a row at one episode, before something must be wrong


@dataclass(frozen=True, kw_only=True)
class DemonstrationSettings:
    """How to play; with an episode's index it settles every step. See `collect`."""

    world: str = "language_table"
    families: tuple[str, ...] = ()
    block_mode: str = "BLOCK_8"
    seed: int = 0
    noise: float = 0.0
    policy: str | None = None
    keep_failures: bool = False
    max_steps: int = 200

    def checked(self) -> "DemonstrationSettings":
        """These settings with the families filled in; a wrong one raises and lists the right."""
        if self.world not in WORLDS_WITH_ORACLE:
            raise UnknownNameError("world with an oracle", self.world, WORLDS_WITH_ORACLE)
        families = self.families or tuple(FAMILIES)
        checked_families(families, self.block_mode)
        if not 0 <= self.noise <= 1:
            raise SayactError(f"noise is a share of steps, 0 to 1; got {self.noise}")
        if self.max_steps < 1 or self.seed < 0:
            raise SayactError(
                f"max_steps is at least 1 and seed at least 0; got {self.max_steps} and {self.seed}"
            )
        return DemonstrationSettings(**{**asdict(self), "families": families})

    def spec(self) -> DatasetSpec:
        """What the dataset of these demonstrations holds."""
        provenance = asdict(self)
        provenance["families"] = list(self.families)
        return DatasetSpec(
            action_space=LANGUAGE_TABLE,
            fps=round(LANGUAGE_TABLE.rate_hz),
            image_shape=PICTURE,
            robot_type="language_table",
            state_names=STATE_NAMES,
            privileged={"pushed_xy": 2, "goal_xy": 2},
            provenance=provenance,
        )


class DemonstrationPlayer:
    """Plays episodes by index; keeps one world per family, since opening one takes a while."""

    def __init__(self, settings: DemonstrationSettings) -> None:
        self.settings = settings
        self._worlds: dict[str, tuple[Any, Any]] = {}
        self._behaviour = _Behaviour(settings.policy) if settings.policy else None

    def play(self, index: int) -> tuple[Episode, int]:
        """The episode, and how many attempts it took: failures are drawn anew, unless kept."""
        family = self.settings.families[index % len(self.settings.families)]
        for attempt in range(MOST_ATTEMPTS):
            episode = self._attempt(family, index, attempt)
            if episode.success or self.settings.keep_failures:
                return episode, attempt + 1
        raise SayactError(
            f"the oracle failed {MOST_ATTEMPTS} times in a row at {family}; lower the noise of "
            f"{self.settings.noise}, raise max_steps over {self.settings.max_steps}, or keep "
            "failures"
        )

    def _attempt(self, family: str, index: int, attempt: int) -> Episode:
        rng = np.random.default_rng([self.settings.seed, index, attempt])
        env, oracle = self._world(family)
        episode_seed = int(rng.integers(2**31))
        raw, info = env.reset(seed=episode_seed)
        oracle.reset()
        if self._behaviour is not None:
            self._behaviour.start(env, episode_seed)
        disturbance = Disturbance(self.settings.noise, rng)
        record = _Record()
        ended = False
        while not ended:
            label = np.clip(oracle.act().values, LANGUAGE_TABLE.low, LANGUAGE_TABLE.high)
            chosen = label if self._behaviour is None else self._behaviour.act(raw)
            executed = np.clip(chosen + disturbance(), LANGUAGE_TABLE.low, LANGUAGE_TABLE.high)
            record.add(raw, label, executed, env)
            raw, _, terminated, truncated, info = env.step(executed)
            ended = terminated or truncated
        return record.episode(
            instruction=env.instruction,
            success=bool(info["success"]),
            info={
                "family": family,
                "block_mode": self.settings.block_mode,
                "seed": episode_seed,
                "attempt": attempt,
            },
        )

    def _world(self, family: str) -> tuple[Any, Any]:
        if family not in self._worlds:
            env: Any = make_env(
                self.settings.world,
                family=family,
                block_mode=self.settings.block_mode,
                max_steps=self.settings.max_steps,
            )
            self._worlds[family] = env, env.oracle()
        return self._worlds[family]


class _Record:
    """Collects the steps of an episode: each picture before its action."""

    def __init__(self) -> None:
        self._images: list[np.ndarray] = []
        self._columns: dict[str, list[np.ndarray]] = {}

    def add(self, raw: Any, label: np.ndarray, executed: np.ndarray, env: Any) -> None:
        task, state = env.task, env.state
        effector = np.concatenate([raw["effector_translation"], raw["effector_target_translation"]])
        step = {
            "state": effector,
            "action": label,
            "executed": executed,
            "pushed_xy": task.mover(state),
            "goal_xy": task.goal(state),
        }
        self._images.append(raw["rgb"])
        for name, values in step.items():
            self._columns.setdefault(name, []).append(values)

    def episode(self, *, instruction: str, success: bool, info: dict[str, Any]) -> Episode:
        columns = {k: np.array(v, np.float32) for k, v in self._columns.items()}
        return Episode(
            images=np.stack(self._images),
            states=columns["state"],
            actions=columns["action"],
            executed=columns["executed"],
            instruction=instruction,
            success=success,
            privileged={name: columns[name] for name in ("pushed_xy", "goal_xy")},
            info=info,
        )


class _Behaviour:
    """A policy at the wheel while the oracle says what it should have done."""

    def __init__(self, path: str) -> None:
        # Here and not above: policies bring torch, which the oracle alone does not need.
        from sayact.evals.rollouts import begin, check_action
        from sayact.policies.loading import load_policy

        self._policy = load_policy(path)
        self._begin, self._check = begin, check_action

    def start(self, env: Any, seed: int) -> None:
        """Before the first step of an episode."""
        self._begin(self._policy, env, seed=seed)

    def act(self, raw: Any) -> Float32[np.ndarray, "2"]:
        action = self._policy.act(to_observation(raw))
        self._check(action, LANGUAGE_TABLE)
        return action.values
