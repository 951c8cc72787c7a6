"""One table with one policy: told, stepped and disturbed. No browser and no thread is needed here.

    table = PlayTable("rt1-nano", load_policy("rt1-nano"))
    table.lay(seed=0)
    table.say("push the red moon to the blue cube")
    table.step()
    table.move("blue_cube", (0.3, 0.1))
    table.view.status

A sentence is judged where the world knows a task by it; any other is played too, and nobody says
whether it was done. The episode ends with success or after `MOST_STEPS`; then the robot rests until
it is told something else, or until somebody undoes its work.
"""

import logging
import time
from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float64, UInt8

from sayact.envs import to_observation
from sayact.envs.language_table import FAMILIES, LanguageTableEnv
from sayact.envs.language_table.state import Pose2D
from sayact.envs.language_table.task import Task
from sayact.envs.language_table.tasks import parse
from sayact.evals.rollouts import begin, check_action
from sayact.play.examples import Meaning
from sayact.play.reach import nearest_free
from sayact.play.view import Status, Tally, Timing, View
from sayact.policies.baselines import OraclePolicy
from sayact.policies.controller import Controller
from sayact.policies.policy import Policy
from sayact.policies.remote import RemotePolicy
from sayact.policies.rt1 import RT1Policy
from sayact.policies.rt2 import RT2Policy
from sayact.schema import Action

logger = logging.getLogger(__name__)

MOST_STEPS = 200  # of one sentence: the world's own limit, 20 s at 10 Hz
TRACE_STEPS = 100  # of the effector's path that are kept
TIMINGS_KEPT = 30  # steps, 3 s at 10 Hz, over which rate and latency are told

# What set_state reads off the words is not used here. Of this family it reads in no time; of all of
# them 0.1 s, which a block in the hand would feel.
FEW_WORDS = "point2block"

ORACLE_WAITS = (
    "the oracle plays tasks that the world knows; it does not read free sentences, and holds still"
)


class PlayTable:
    """Not for two threads at once: pictures are drawn in the thread that made the table."""

    def __init__(
        self,
        name: str,
        policy: Policy,
        *,
        family: str | Sequence[str] = tuple(FAMILIES),
        block_mode: str = "BLOCK_8",
    ) -> None:
        """Raises UnknownNameError for a family or block mode that the world has not."""
        self.name = name
        self.policy = policy
        self.env = LanguageTableEnv(family=family, block_mode=block_mode, max_steps=None)
        self.status: Status = "playing"
        self.steps = 0
        self.tally = Tally()
        self._controller = Controller(self.env.action_space_spec)
        self._action: Action | None = None
        self._note = ""
        self._trace: deque[Float64[np.ndarray, 2]] = deque(maxlen=TRACE_STEPS)
        self._timings: deque[Timing] = deque(maxlen=TIMINGS_KEPT)
        self._version = 0
        self._seed = -1  # nothing lies there yet

    # --- what a person does ---

    def lay(self, seed: int) -> None:
        """A new table, and a sentence that the world draws for it; a seed is one table.

        Raises ActionSpaceMismatchError where the policy speaks of something else.
        """
        self._raw, _ = self.env.reset(seed=seed)
        self._seed = seed
        begin(self.policy, self.env, seed=seed)
        self._begin_sentence()

    def say(self, sentence: str, meaning: Meaning | None = None) -> None:
        """Go on from here with another sentence; the policy keeps what it has seen.

        `meaning` tells the world the task where the words alone do not, in other languages.
        Raises ShapeError for a sentence that does not fit an observation.
        """
        state = self.env.state
        if meaning is not None:
            task = FAMILIES[meaning.family].from_words(state, sentence, *meaning.arguments)
        else:
            task = parse(_plain(sentence), state)
        self._place(state.blocks, sentence, task)
        self._begin_sentence()

    def move(self, block: str, xy: tuple[float, float]) -> None:
        """Put a block here, metres, or as near as it finds room inside the bounds."""
        state = self.env.state
        if block not in state.blocks:
            return  # the table was laid anew while somebody held it
        x, y = nearest_free(self.env.simulator, state, block, xy)
        poses = {**state.blocks, block: (x, y, state.blocks[block][2])}
        self._place(poses, self.env.instruction, self.env.task)
        undone = self.env.task is not None and not self.env.task.success(self.env.state)
        if self.status == "done" and undone:
            self.steps, self.status = 0, "playing"

    def step(self) -> None:
        """One control step of 0.1 s, unless the robot rests; a policy that raises ends in `failed`.

        What it raised is told in the view and in the log, and other tables go on.
        """
        if self.status != "playing":
            return
        if isinstance(self.policy, OraclePolicy) and self.env.task is None:
            self._rest("resting", ORACLE_WAITS)
            return
        try:
            self._act()
        except Exception as error:  # whatever a policy, or the server behind it, fails with
            logger.warning("%s stopped", self.name, exc_info=True)
            self._rest("failed", f"{type(error).__name__}: {error}")

    def close(self) -> None:
        """Free what draws the pictures, and leave the server if there is one."""
        self.env.close()
        if isinstance(self.policy, RemotePolicy):
            self.policy.close()

    # --- what a page shows ---

    @property
    def view(self) -> View:
        """Everything as of now."""
        state, task = self.env.state, self.env.task
        picture: UInt8[np.ndarray, "H W 3"] = self._raw["rgb"]
        return View(
            seed=self._seed,
            state=state,
            space=self.env.action_space_spec,
            picture=picture,
            seen=network_picture(self.policy, picture),
            instruction=self.env.instruction,
            judged=task is not None,
            status=self.status,
            note=self._note,
            action=self._action,
            steps=self.steps,
            tally=self.tally,
            trace=np.array(self._trace),
            goal=None if task is None else np.array(task.goal(state)),
            timings=tuple(self._timings),
            version=self._version,
        )

    # --- inside ---

    def _act(self) -> None:
        started = time.perf_counter()
        action = self.policy.act(to_observation(self._raw))
        acted = time.perf_counter()
        check_action(action, self.env.action_space_spec)
        command = self._controller(action)
        self._raw, _, done, _, _ = self.env.step(command.values)
        self._action = action
        self._timings.append(Timing(at=started, acting_ms=1000 * (acted - started)))
        self._trace.append(self.env.state.effector_xy)
        self.steps += 1
        self._version += 1
        if done:
            self._judge(done=True)
            self._rest("done", "")
        elif command.ended or self.steps >= MOST_STEPS:
            self._judge(done=False)
            self._rest("resting", f"time is up after {self.steps} steps; say it again to go on")

    def _judge(self, done: bool) -> None:
        if self.env.task is not None:
            self.tally = Tally(done=self.tally.done + done, tried=self.tally.tried + 1)

    def _rest(self, status: Status, note: str) -> None:
        self.status, self._note = status, note
        self._version += 1

    def _begin_sentence(self) -> None:
        self.status, self._note, self._action, self.steps = "playing", "", None, 0
        self._trace.clear()
        self._trace.append(self.env.state.effector_xy)
        self._timings.clear()
        self._version += 1

    def _place(self, blocks: Mapping[str, Pose2D], sentence: str, task: Task | None) -> None:
        """The table as given, effector and set-point where they are, and what is to be done."""
        state = self.env.state
        self._raw = self.env.set_state(
            blocks=blocks,
            effector_xy=state.effector_xy,
            effector_target_xy=state.effector_target_xy,
            instruction=sentence,
            family=FEW_WORDS,
        )
        self.env.task = task
        self._version += 1


def network_picture(
    policy: Policy, picture: UInt8[np.ndarray, "H W 3"]
) -> UInt8[np.ndarray, "h w 3"] | None:
    """The pixels a network is given: shrunk and cropped. None where no network of ours looks."""
    if not isinstance(policy, RT1Policy | RT2Policy):
        return None
    return np.ascontiguousarray(policy.processor.images.look(picture).transpose(1, 2, 0))


def _plain(sentence: str) -> str:
    """As the world's templates write it: small letters, no full stop."""
    return " ".join(sentence.lower().strip(" .!").split())
