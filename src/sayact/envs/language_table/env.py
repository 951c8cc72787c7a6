"""Language-Table as a Gymnasium environment: sentences, blocks, and an effector to push them with.

    env = LanguageTableEnv(family=("block2block", "separate"), block_mode="BLOCK_8", seed=0)
    observation, info = env.reset()
    observation, reward, terminated, truncated, info = env.step([0.01, -0.02])

Spaces, clipping and reward are those of the original (Language-Table, commit 5b7bf0e). All
randomness is drawn from one generator: a seed fixes blocks, poses, task and wording.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium import spaces
from jaxtyping import Float32, Float64, UInt8

from sayact.envs.encoding import INSTRUCTION_BYTES, encode_instruction
from sayact.envs.language_table.blocks import BLOCK_MODES, N_CHOOSE_K, POLE, SUBSET_SIZES
from sayact.envs.language_table.camera import PICTURE
from sayact.envs.language_table.caption import captioned
from sayact.envs.language_table.simulator import Simulator
from sayact.envs.language_table.start import Start, given_start
from sayact.envs.language_table.starts import SETTLE_SECONDS, draw_block_set, draw_start
from sayact.envs.language_table.state import TableState
from sayact.envs.language_table.task import DrawnTask, Task
from sayact.envs.language_table.tasks import FAMILIES, parse
from sayact.envs.language_table.workspace import HIGH, LOW, clip_to_bounds, within_reach
from sayact.schema import LANGUAGE_TABLE, ActionSpace
from sayact.schema.errors import BadActionError, SayactError, ShapeError, UnknownNameError

if TYPE_CHECKING:
    from sayact.envs.language_table.oracle import PushOracle

GOAL_REWARD = 100.0  # once, with success
# The effector is measured, not commanded, and may overshoot: its space is this much wider.
EFFECTOR_SLACK = 0.1

Numbers = Sequence[Any] | np.ndarray  # whatever a user gives; checked where it is used
RawObservation = dict[str, Any]  # of arrays; see `_observation_space`


class LanguageTableEnv(gymnasium.Env[RawObservation, Numbers]):
    """Push blocks as told.

    family: one of the seven, or several, one of them drawn at each reset.
    block_mode: which blocks are on the table; N_CHOOSE_K draws 4 to 10 of the 16 at each reset.
    seed: of the first `reset()` that is given none.
    max_steps: episode length at which it is truncated; None for no limit.
    fail_out_of_reach: end the episode, failed, once the block it is about cannot be touched any
        more. The original lets it run on.
    render_observations: False leaves `rgb` black, for fast rollouts that need no picture.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012  Gymnasium's form

    def __init__(
        self,
        *,
        family: str | Sequence[str] = "block2block",
        block_mode: str = "BLOCK_8",
        seed: int | None = None,
        max_steps: int | None = 200,
        fail_out_of_reach: bool = False,
        render_mode: str | None = None,
        render_observations: bool = True,
    ) -> None:
        if max_steps is not None and max_steps < 1:
            raise SayactError(f"max_steps is at least 1, or None for no limit; got {max_steps}")
        if render_mode not in (None, "rgb_array"):
            raise UnknownNameError("render mode", str(render_mode), ["rgb_array"])
        self.families = checked_families(family, block_mode)
        self.block_mode = block_mode
        self.max_steps = max_steps
        self.fail_out_of_reach = fail_out_of_reach
        self.render_mode = render_mode
        self.render_observations = render_observations
        self.action_space_spec: ActionSpace = LANGUAGE_TABLE
        self.action_space = spaces.Box(LANGUAGE_TABLE.low, LANGUAGE_TABLE.high, dtype=np.float32)
        self.observation_space = _observation_space()
        self.simulator = Simulator(picture=PICTURE)
        self.task: Task | None = None
        self.instruction = ""
        self._first_seed = seed
        self._state: TableState | None = None
        self._steps = 0

    @property
    def state(self) -> TableState:
        """Where everything is now; privileged, no policy sees it."""
        if self._state is None:
            raise SayactError("the table is empty: call reset() or set_state(...) first")
        return self._state

    # --- the Gymnasium interface ---

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[RawObservation, dict[str, Any]]:
        """A new episode: blocks, poses, task and words; drawn, or as `options["start"]` says.

        A `Start` is played exactly; only blocks that overlap are let part first.
        """
        seed = self._first_seed if seed is None else seed
        self._first_seed = None  # from here on the generator runs on
        super().reset(seed=seed)
        start = given_start(options)
        self.task = self._drawn_task() if start is None else self._placed_task(start)
        self.instruction = self.task.instruction
        self._state = self.simulator.state()
        self._steps = 0
        return self._observation(), self._info(success=False)

    def step(self, action: Numbers) -> tuple[RawObservation, float, bool, bool, dict[str, Any]]:
        """Moves the effector's set-point by `action` metres and lets 0.1 s pass."""
        target_xy = clip_to_bounds(self.state.effector_target_xy + _checked_action(action))
        self.simulator.step(target_xy)
        self._state = self.simulator.state()
        self._steps += 1
        if self.task is not None:
            self.task = self.task.advanced(self._state)
        success = self.task is not None and self.task.success(self._state)
        info = self._info(success=success)
        terminated = success or (self.fail_out_of_reach and info["out_of_reach"])
        truncated = not terminated and self.max_steps is not None and self._steps >= self.max_steps
        reward = GOAL_REWARD if success else 0.0
        return self._observation(), reward, terminated, truncated, info

    def render(self) -> UInt8[np.ndarray, "432 640 3"]:  # type: ignore[override]
        """For people: the picture enlarged, the instruction above it."""
        return captioned(self.simulator.render(), self.instruction)

    def close(self) -> None:
        self.simulator.close()

    def oracle(self) -> "PushOracle":
        """The demonstrator of this table: reads `state` and `task`, which no policy may."""
        from sayact.envs.language_table.oracle import PushOracle

        return PushOracle(self)

    # --- starts ---

    def _drawn_task(self) -> Task:
        """Places blocks and effector as one of the families wants them."""
        rng = self.np_random
        # Drawn before the start, so that families that decline many starts come up no less often.
        family = self.families[rng.integers(len(self.families))]
        blocks = draw_block_set(self.block_mode, rng)
        return draw_start(self.simulator, blocks, family, rng)

    def _placed_task(self, start: Start) -> Task:
        encode_instruction(start.task.instruction)  # raises if it is too long
        self.simulator.place(start.blocks, start.effector_xy, start.setting)
        if self.simulator.overlapping():
            self.simulator.settle(SETTLE_SECONDS)
        return start.task

    # --- states from outside ---

    def set_state(
        self,
        *,
        blocks: Mapping[str, Numbers],
        effector_xy: Numbers,
        effector_target_xy: Numbers | None = None,
        instruction: str = "",
        family: str | None = None,
        memory: Mapping[str, Any] | None = None,
    ) -> RawObservation:
        """Places blocks (x, y, yaw) and effector exactly, at rest, and starts an episode there.

        The table looks as the robot's own; `reset` with a `Start` plays other settings.
        The instruction is free text. Where one of the families says it of these blocks, that is
        the task; else `task` is None and nothing ends in success. `family` restricts the search.
        `memory` is what a task kept from an earlier start (see `get_state`); without it the
        given state is the start.
        """
        if family is not None and family not in FAMILIES:
            raise UnknownNameError("family", family, FAMILIES)
        poses = {name: _numbers(f"the pose of {name}", pose, 3) for name, pose in blocks.items()}
        effector = _numbers("effector_xy", effector_xy, 2)
        set_point = effector
        if effector_target_xy is not None:
            set_point = _numbers("effector_target_xy", effector_target_xy, 2)
        encode_instruction(instruction)  # raises if it is too long
        places = {name: (float(x), float(y), float(yaw)) for name, (x, y, yaw) in poses.items()}
        self.simulator.place(places, effector)
        self._state = replace(self.simulator.state(), effector_target_xy=set_point)
        self.instruction = instruction
        families = tuple(FAMILIES) if family is None else (family,)
        self.task = parse(instruction, self._state, families, memory)
        self._steps = 0
        return self._observation()

    def get_state(self) -> dict[str, Any]:
        """What `set_state(**…)` takes to come back here, velocities and step count aside. JSON.

        Of a `Start` only what a sentence of a family can tell comes back: neither its setting nor
        a task that none of the families says. Reset with the Start again for those.
        """
        state = self.state
        task = self.task if isinstance(self.task, DrawnTask) else None
        return {
            "blocks": dict(state.blocks),
            "effector_xy": tuple(state.effector_xy.tolist()),
            "effector_target_xy": tuple(state.effector_target_xy.tolist()),
            "instruction": self.instruction,
            "family": None if task is None else task.family,
            "memory": {} if task is None else task.memory(),
        }

    # --- what steps report ---

    def _observation(self) -> RawObservation:
        blank = not self.render_observations
        return {
            "rgb": np.zeros((*PICTURE, 3), np.uint8) if blank else self.simulator.render(),
            "effector_translation": self.state.effector_xy.astype(np.float32),
            "effector_target_translation": self.state.effector_target_xy.astype(np.float32),
            "instruction": encode_instruction(self.instruction),
        }

    def _info(self, *, success: bool) -> dict[str, Any]:
        return {
            "success": success,
            "family": None if self.task is None else self.task.family,
            "instruction": self.instruction,
            "out_of_reach": self._out_of_reach(),
        }

    def _out_of_reach(self) -> bool:
        """Whether the block to push, or to point at, lies where the effector cannot touch it."""
        if self.task is None:
            return False
        block = self.task.pushed or self.task.target
        return block is not None and not within_reach(self.state.xy(block))


def _observation_space() -> spaces.Dict:
    low = (LOW - EFFECTOR_SLACK).astype(np.float32)
    high = (HIGH + EFFECTOR_SLACK).astype(np.float32)
    return spaces.Dict(
        {
            "rgb": spaces.Box(0, 255, (*PICTURE, 3), np.uint8),
            "effector_translation": spaces.Box(low, high, dtype=np.float32),
            "effector_target_translation": spaces.Box(low, high, dtype=np.float32),
            "instruction": spaces.Box(0, np.iinfo(np.int32).max, (INSTRUCTION_BYTES,), np.int32),
        }
    )


def checked_families(family: str | Sequence[str], block_mode: str) -> tuple[type[DrawnTask], ...]:
    """The families named; refused where one is unknown or the block mode has too few blocks."""
    names = (family,) if isinstance(family, str) else tuple(family)
    if not names:
        raise SayactError(f"no family given; there are: {', '.join(FAMILIES)}")
    for name in names:
        if name not in FAMILIES:
            raise UnknownNameError("family", name, FAMILIES)
    if block_mode not in BLOCK_MODES and block_mode != N_CHOOSE_K:
        raise UnknownNameError("block mode", block_mode, (*BLOCK_MODES, N_CHOOSE_K))
    count = len([b for b in BLOCK_MODES.get(block_mode, ()) if b != POLE]) or min(SUBSET_SIZES)
    for name in names:
        if count < FAMILIES[name].least_blocks:
            raise SayactError(
                f"the family {name} needs {FAMILIES[name].least_blocks} blocks; the block mode "
                f"{block_mode} has {count}. Choose another family or mode."
            )
    return tuple(FAMILIES[name] for name in names)


def _checked_action(action: Numbers) -> Float32[np.ndarray, "2"]:
    """Two finite numbers; their size is the caller's business, as in the original."""
    try:
        values = np.asarray(action, np.float32)
    except (TypeError, ValueError) as error:
        raise BadActionError(f"an action is two numbers, in metres; got {action!r}") from error
    if values.shape != (2,):
        raise BadActionError(
            f"an action is two numbers, delta_x and delta_y in metres; got shape {values.shape}"
        )
    if not np.isfinite(values).all():
        raise BadActionError(f"an action must be finite; got {values.tolist()}")
    return values


def _numbers(what: str, values: Numbers, count: int) -> Float64[np.ndarray, "N"]:
    try:
        numbers = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise ShapeError(f"{what} takes {count} finite numbers; got {values!r}") from error
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        raise ShapeError(f"{what} takes {count} finite numbers; got {numbers.tolist()}")
    return numbers
