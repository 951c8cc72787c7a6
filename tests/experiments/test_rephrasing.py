"""The robot's tasks in other words, for RT-1: the same task, and nothing that a suite asks with."""

from dataclasses import replace

import numpy as np
import pytest

from sayact.envs.language_table import words
from sayact.envs.language_table.blocks import BLOCK_MODES
from sayact.evals.suites.catalogue import SUITES
from sayact.evals.suites.instructions import NEW_VERBS
from sayact.experiments.rephrasing import REPHRASED, SAYINGS, rephrased, sayings_of
from sayact.schema.errors import UnknownNameError
from sayact.testing import noise_store

BLOCKS = BLOCK_MODES["BLOCK_8"]


def drawn(family: str, rng: np.random.Generator) -> tuple[tuple[str, ...], str]:
    """Arguments of a task of a family, and its sentence in the robot's words."""
    wording = words.WORDINGS[family]
    arguments = list(wording.arguments(BLOCKS))
    chosen = arguments[int(rng.integers(len(arguments)))]
    return chosen, words.say(wording.phrase(BLOCKS, *chosen), rng)


@pytest.mark.parametrize("family", REPHRASED)
def test_other_words_name_the_same_blocks_and_are_not_the_suite_s(family, rng):
    for _ in range(40):
        arguments, sentence = drawn(family, rng)
        said = rephrased(family, arguments, rng)
        named = [a.replace("_", " ") for a in arguments if a in BLOCKS]
        assert all(name in said for name in named)
        assert said != sentence
        assert words.understand(said, BLOCKS, (family,)) is None
        assert not set(said.split()) & {*NEW_VERBS, "please"}


def test_every_episode_has_as_many_sayings(rng):
    tasks = [(family, drawn(family, rng)[1]) for family in words.WORDINGS for _ in range(3)]
    store = noise_store(rng, episodes=len(tasks), length=2)
    infos = tuple({"family": family, "block_mode": "BLOCK_8"} for family, _ in tasks)
    store = replace(store, tasks=tuple(task for _, task in tasks), infos=infos)
    sayings = sayings_of(store)
    assert {len(set(way) - {task}) > 0 for way, task in zip(sayings, store.tasks, strict=True)} == {
        True
    }
    assert {len(way) for way in sayings} == {SAYINGS}
    assert sayings_of(store) == sayings
    unknown = replace(store, infos=tuple({} for _ in tasks))
    assert {len(way) for way in sayings_of(unknown)} == {SAYINGS}


def test_no_saying_is_a_sentence_of_the_suites(rng):
    tasks = [(family, drawn(family, rng)[1]) for family in words.WORDINGS for _ in range(30)]
    store = noise_store(rng, episodes=len(tasks), length=2)
    infos = tuple({"family": family, "block_mode": "BLOCK_8"} for family, _ in tasks)
    store = replace(store, tasks=tuple(task for _, task in tasks), infos=infos)
    said = {saying for way in sayings_of(store) for saying in way}
    for suite in ("wordings", "typos"):
        asked = {SUITES[suite].start(index, 0).task.instruction for index in range(50)}
        assert not asked & said


def test_a_family_without_other_words_is_refused(rng):
    with pytest.raises(UnknownNameError, match="block2absolute"):
        rephrased("separate", ("red_moon",), rng)
