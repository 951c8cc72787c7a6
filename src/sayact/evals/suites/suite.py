"""What a suite is: a list of starts without end, each drawn from (seed, name, index) alone.

    suite = SUITES["sums"]
    suite.start(7)                      blocks, plates, effector, task and sentence of the eighth
    starts(suite, seed=0, episodes=20)  what every policy is played on

No start needs physics or the one before it, so that any process can play any of them, and every
policy meets the same ones.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from sayact.envs.language_table.simulator import Simulator
from sayact.envs.language_table.start import Start
from sayact.schema import Observation

Group = Literal[
    "seen",
    "objects",
    "backgrounds",
    "environments",
    "distractors",
    "instructions",
    "languages",
    "symbols",
    "reasoning",
    "recognition",
    "stages",
]
GROUPS: tuple[str, ...] = get_args(Group)

# One push: the oracle needs 23 steps as a rule and 66 at most (docs/suites.md); who learned from it
# may hesitate.
STEPS = 120

# Part of the seed. Demonstrations and the embedded web are drawn from lists of three and four
# numbers; a spawn key lies behind four words, where no list of theirs reaches.
STREAM = zlib.crc32(b"suites")

# Draws the `index`-th start: things that take turns (families, languages) do so by the index.
Draw = Callable[[np.random.Generator, int], Start]


@dataclass(frozen=True, kw_only=True)
class Suite:
    """One thing that is asked of a policy, and how starts are drawn that ask for it.

    title: for columns of tables; short.
    about: one sentence on what differs from the robot's demonstrations.
    version: goes up by one whenever the list of starts changes, so that no two results under one
        version were played on different lists (`digest`).
    max_steps: after which an episode is lost.
    """

    name: str
    title: str
    group: Group
    about: str
    draw: Draw
    version: int = 1
    max_steps: int = STEPS

    def start(self, index: int, seed: int = 0) -> Start:
        return self.draw(stream(seed, self.name, index), index)


def stream(seed: int, name: str, index: int) -> np.random.Generator:
    """The generator of one start."""
    key = (STREAM, zlib.crc32(name.encode()), index)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def starts(suite: Suite, *, seed: int, episodes: int) -> list[Start]:
    """The first starts of a suite's list; more episodes leave the earlier ones as they are."""
    return [suite.start(index, seed) for index in range(episodes)]


def first_sight(simulator: Simulator, start: Start) -> Observation:
    """What a policy sees and is told at a start; the simulator stands there afterwards."""
    simulator.place(start.blocks, start.effector_xy, start.setting)
    return Observation(image=simulator.render(), instruction=start.task.instruction)
