"""One set of weights acting for many robots, in one forward pass.

    observations  ┐                              ┌ actions, or what is wrong with that robot's
    memories      ┴─▶ act_many (one for each) ─▶ ┴ memories, one step further

A `Policy` is one episode at a time, because it remembers the episode itself. Here each robot's
memory is handed in: whoever calls keeps it, one for each robot, and throws it away at the end. The
answers for a robot are those that the policy would give it alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from jaxtyping import Float32

from sayact.policies.baselines import Baseline, OraclePolicy, RandomPolicy
from sayact.policies.engines import BatchEngine
from sayact.policies.policy import Oracle, Policy
from sayact.policies.rt1 import RT1Policy
from sayact.policies.rt2 import Plan, RT2Policy
from sayact.schema import LANGUAGE_TABLE, Action, ActionSpace, Observation
from sayact.schema.errors import SayactError

Memory = Any  # what one robot's episode was so far; only the `ManyRobots` that began it looks in
Answer = Action | SayactError
Given = TypeVar("Given")
Made = TypeVar("Made")


class ManyRobots(ABC):
    """What a policy knows, apart from what its robots have seen."""

    @property
    @abstractmethod
    def action_space(self) -> ActionSpace:
        """What the numbers of the actions mean."""

    @property
    @abstractmethod
    def picture(self) -> tuple[int, int] | None:
        """Height and width of the pictures it takes; None: any."""

    @abstractmethod
    def begin(self, seed: int = 0) -> Memory:
        """The memory of a robot that has seen nothing yet; `seed` is of what is drawn at random."""

    @abstractmethod
    def act_many(
        self, observations: Sequence[Observation], memories: Sequence[Memory]
    ) -> list[Answer]:
        """An answer for every robot, in their order; no memory may stand in the list twice.

        What is wrong with one robot's observation is that robot's answer, and leaves its memory as
        it was; the others act.
        """


def many_robots(policy: Policy, space: ActionSpace = LANGUAGE_TABLE) -> ManyRobots:
    """What this policy is for many robots. Of its own memory, nothing is used.

    space: of a baseline, which has none of its own.
    Raises SayactError for a policy that cannot act for many.
    """
    if isinstance(policy, RT1Policy):
        return ManyRT1(policy)
    if isinstance(policy, RT2Policy):
        return ManyRT2(policy)
    if isinstance(policy, OraclePolicy):
        raise SayactError(
            "the oracle reads the true state of the world it is in, and knows no pictures: it acts "
            "where the world runs. Give a checkpoint, or random or zero."
        )
    if isinstance(policy, Baseline):
        return ManyBaselines(policy, space)
    raise SayactError(
        f"a {type(policy).__name__} remembers one episode at a time; write a ManyRobots for it, "
        "which is handed each robot's memory (sayact.policies.many)"
    )


Network = TypeVar("Network", RT1Policy, RT2Policy)


class _ManyNetworks(ManyRobots, Generic[Network]):
    """What its processor tells of a policy."""

    def __init__(self, policy: Network) -> None:
        self._policy = policy

    @property
    def action_space(self) -> ActionSpace:
        return self._policy.action_space

    @property
    def picture(self) -> tuple[int, int]:
        return self._policy.processor.images.camera


class ManyRT1(_ManyNetworks[RT1Policy]):
    """New frames are tokenized in one batch, windows of equal length decoded in one.

    With engines whose graphs take one frame (streamlined, OpenVINO, ONNX), one after the other.
    """

    def begin(self, seed: int = 0) -> Memory:
        """Image tokens of the window's frames, oldest first."""
        tokens: list[Float32[np.ndarray, "K D"]] = []
        return tokens

    def act_many(
        self, observations: Sequence[Observation], memories: Sequence[Memory]
    ) -> list[Answer]:
        frames = self._policy.engine.config.frames
        seen, answers = _sound(self._policy.look, observations)
        windows = {
            robot: [*memories[robot], tokens][-frames:]
            for robot, tokens in zip(seen, self._tokenize(list(seen.values())), strict=True)
        }
        for robots in _equally_long(windows):
            logits = self._decode([windows[robot] for robot in robots])
            for robot, row in zip(robots, logits, strict=True):
                answers[robot] = _attempt(self._policy.choose, row)
        for robot, window in windows.items():
            if isinstance(answers[robot], Action):
                memories[robot][:] = window
        return [answers[robot] for robot in range(len(observations))]

    def _tokenize(self, seen: Sequence[tuple[np.ndarray, np.ndarray]]) -> Iterable[np.ndarray]:
        engine = self._policy.engine
        if not isinstance(engine, BatchEngine):
            return [engine.tokenize(pixels, sentence) for pixels, sentence in seen]
        if not seen:
            return []
        pixels, sentences = zip(*seen, strict=True)
        return engine.tokenize_many(np.stack(pixels), np.stack(sentences))

    def _decode(self, windows: Sequence[Sequence[np.ndarray]]) -> Iterable[np.ndarray]:
        engine = self._policy.engine
        filled = [self._policy.window(window) for window in windows]
        if not isinstance(engine, BatchEngine):
            return [engine.decode(window) for window in filled]
        return engine.decode_many(np.stack(filled))


@dataclass
class Planned:
    """What an RT-2 robot remembers: what it is about. It sees the picture of the moment."""

    plan: Plan | None = None


class ManyRT2(_ManyNetworks[RT2Policy]):
    """One prefill for all; plans that are due are written together.

    With a temperature, all robots draw from the policy's one generator.
    """

    def begin(self, seed: int = 0) -> Memory:
        return Planned()

    def act_many(
        self, observations: Sequence[Observation], memories: Sequence[Memory]
    ) -> list[Answer]:
        sound, answers = _sound(self._policy.require_readable, observations)
        robots = list(sound)
        try:
            self._act(robots, observations, memories, answers)
        except SayactError as problem:
            # The network's own, as NaN in a row: found out one by one.
            for robot in robots:
                try:
                    self._act([robot], observations, memories, answers)
                except SayactError as own:
                    answers[robot] = own if len(robots) > 1 else problem
        return [answers[robot] for robot in range(len(observations))]

    def _act(
        self,
        robots: Sequence[int],
        observations: Sequence[Observation],
        memories: Sequence[Memory],
        answers: dict[int, Answer],
    ) -> None:
        plans = [memories[robot].plan for robot in robots]
        acted = self._policy.act_with_plans([observations[robot] for robot in robots], plans)
        for robot, (action, plan) in zip(robots, acted, strict=True):
            answers[robot], memories[robot].plan = action, plan


class ManyBaselines(ManyRobots):
    """`random` and `zero`: every robot has a policy of its own, since there are no weights."""

    def __init__(self, policy: Baseline, space: ActionSpace) -> None:
        self._policy = policy
        self._world = _Anywhere(space)

    @property
    def action_space(self) -> ActionSpace:
        return self._world.action_space_spec

    @property
    def picture(self) -> None:
        return None

    def begin(self, seed: int = 0) -> Memory:
        drawn = self._policy
        own = (
            RandomPolicy(scale=drawn.scale, seed=seed) if isinstance(drawn, RandomPolicy) else None
        )
        policy = own or type(drawn)()
        policy.attach(self._world)
        return policy

    def act_many(
        self, observations: Sequence[Observation], memories: Sequence[Memory]
    ) -> list[Answer]:
        return [memory.act(seen) for memory, seen in zip(memories, observations, strict=True)]


def _attempt(work: Callable[[Given], Made], given: Given) -> Made | SayactError:
    try:
        return work(given)
    except SayactError as own_fault:
        return own_fault


def _sound(
    look: Callable[[Observation], Made], observations: Sequence[Observation]
) -> tuple[dict[int, Made], dict[int, Answer]]:
    """What `look` makes of each robot's observation, by the robot's place; and what was refused."""
    looked = {robot: _attempt(look, seen) for robot, seen in enumerate(observations)}
    refused: dict[int, Answer] = {r: x for r, x in looked.items() if isinstance(x, SayactError)}
    return {r: x for r, x in looked.items() if not isinstance(x, SayactError)}, refused


def _equally_long(windows: Mapping[int, Sequence[Any]]) -> list[list[int]]:
    """The robots whose windows hold as many frames, together."""
    groups: dict[int, list[int]] = {}
    for robot, window in windows.items():
        groups.setdefault(len(window), []).append(robot)
    return list(groups.values())


class _Anywhere:
    """The part of a world that `random` and `zero` look at."""

    def __init__(self, space: ActionSpace) -> None:
        self.action_space_spec = space

    def oracle(self) -> Oracle:
        raise SayactError("behind a socket there is no world, and so no oracle")
