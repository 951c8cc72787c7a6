"""Sentences that no demonstration says, about pushes that it teaches."""

from difflib import SequenceMatcher

import numpy as np
import pytest
from left_out import held_out
from robot_words import ROBOT_BLOCKS, robot_sentences, robot_words, words_of

from sayact.envs.language_table.goals import Stages
from sayact.envs.language_table.setting import PLAIN
from sayact.envs.language_table.start import Start
from sayact.envs.language_table.words import instructions, spell_out, understand
from sayact.evals.suites.catalogue import SUITES
from sayact.evals.suites.instructions import (
    NEW_AMOUNTS,
    NEW_PLACES,
    NEW_STRAIGHT,
    NEW_VERBS,
    NEW_WAYS_TO_BLOCK,
    OTHERS,
    TRANSLATED,
    new_wording,
    translated,
)
from sayact.evals.suites.laying import HELD_OUT_PAIRS, PUSHES
from sayact.evals.suites.suite import starts
from sayact.web import paraphrases
from sayact.web.lexicon import the_name
from sayact.web.typing_errors import SHORTEST_MISTYPED, mistyped


def some(name: str, episodes: int = 18) -> list[Start]:
    return starts(SUITES[name], seed=0, episodes=episodes)


@pytest.mark.parametrize("name", ["wordings", "pairs", "typos", "languages"])
def test_only_the_sentence_is_new(name: str) -> None:
    for start in some(name):
        assert set(start.blocks) == set(ROBOT_BLOCKS)
        assert start.setting == PLAIN
        assert (start.task.instruction in robot_sentences()) == (name == "pairs")


def test_new_wordings_are_new_word_by_word() -> None:
    known = robot_words()
    assert not set(NEW_VERBS) & known
    phrases = (*NEW_WAYS_TO_BLOCK, *(way for ways in NEW_STRAIGHT.values() for way in ways))
    places = [place for each in NEW_PLACES.values() for place in each]
    for phrase in phrases:
        assert set(words_of(phrase)) - known, f"{phrase!r} says nothing new"
    said = instructions("block2absolute", ROBOT_BLOCKS)
    for place in places:
        assert not any(sentence.endswith(f" {place}") for sentence in said)


def test_every_push_has_many_new_wordings() -> None:
    said = set(spell_out(new_wording("block2relative", ("red_moon", "up_left", "far"))))
    assert "shove the red moon further up and leftwards by a long way" in said
    assert len(said) > 50
    assert "please nudge the red moon beside the blue cube" in set(
        spell_out(new_wording("block2block", ("red_moon", "blue_cube")))
    )


def test_pairs_are_those_that_training_leaves_out() -> None:
    met = set()
    for start in some("pairs"):
        understood = understand(start.task.instruction, ROBOT_BLOCKS, PUSHES)
        assert understood is not None
        met.add((understood[0], understood[1][0]))
        assert start.task.family == understood[0]
        assert held_out(start.task.instruction)
    assert met == set(HELD_OUT_PAIRS)


def test_what_is_left_out_leaves_every_block_and_family() -> None:
    assert held_out("push the green star to the top left")
    assert not held_out("push the green star up")
    assert not held_out("push the green star to the red moon")
    assert held_out("push the red moon to the green star")
    assert not held_out("point to the red moon")
    # The same words may be said of the corner, which is one of the places.
    assert held_out("push the green star to the bottom left corner")
    for block in ROBOT_BLOCKS:
        assert sum(b == block for _, b in HELD_OUT_PAIRS) <= 1
    for family in PUSHES:
        assert sum(f == family for f, _ in HELD_OUT_PAIRS) == 2


def test_a_slip_is_small_and_makes_no_other_word(rng: np.random.Generator) -> None:
    sentence = "push the yellow pentagon to the bottom left corner"
    slipped = {mistyped(sentence, rng) for _ in range(300)}
    assert sentence not in slipped
    for one in slipped:
        pairs = list(zip(one.split(" "), sentence.split(" "), strict=True))
        wrong = [(a, b) for a, b in pairs if a != b]
        assert 1 <= len(wrong) <= 2
        for a, b in wrong:
            assert a not in robot_words()
            assert a[0] == b[0]
            assert abs(len(a) - len(b)) <= 1
            assert SequenceMatcher(None, a, b).ratio() >= 0.6
    for word in sorted(word for word in robot_words() if len(word) >= SHORTEST_MISTYPED):
        slips = {mistyped(word, rng) for _ in range(60)}
        assert not slips & robot_words(), f"a slip makes another word of {word!r}"


def test_seven_languages_take_turns_with_both_families() -> None:
    met = {
        (language, family)
        for index, start in enumerate(some("languages", 14))
        for language in OTHERS
        for family in TRANSLATED
        if start.task.family == family
        and start.task.pushed is not None
        and the_name(language, start.task.pushed, moved=True) in start.task.instruction
        and OTHERS[index % len(OTHERS)] == language
    }
    assert len(OTHERS) == 7
    assert met == {(language, family) for language in OTHERS for family in TRANSLATED}


def test_a_translation_says_what_is_pushed_and_where(rng: np.random.Generator) -> None:
    said = translated("block2absolute", ("red_moon", "top_left"), "es", rng)
    assert said == "empuja la luna roja: arriba a la izquierda"
    assert (
        translated("block2block", ("red_moon", "blue_cube"), "zh", rng)
        == "把红色月亮推到蓝色方块旁边"
    )


def test_the_web_says_none_of_the_new_words() -> None:
    """It paraphrases too, but never with a verb or a turn of phrase of this suite."""
    ways = (*NEW_WAYS_TO_BLOCK, *(p for way in NEW_PLACES.values() for p in way))
    amounts = (w for table in (NEW_STRAIGHT, NEW_AMOUNTS) for way in table.values() for w in way)
    held_out = {*NEW_VERBS, "please", *(way.removesuffix(" the") for way in ways), *amounts}
    tables = (paraphrases.PLACES, paraphrases.STRAIGHT, paraphrases.AMOUNTS)
    said = [
        *(paraphrases.OPENINGS + paraphrases.VERBS + paraphrases.TO_THING + paraphrases.POINT),
        *(paraphrases.SENTENCES + paraphrases.TO_PLACE),
        *(way for table in tables for ways in table.values() for way in ways),
    ]
    for sentence in said:
        padded = f" {sentence} "
        assert not [words for words in held_out if f" {words} " in padded], sentence


@pytest.mark.parametrize("name", [name for name in SUITES if name != "pairs"])
def test_no_other_suite_asks_for_held_out_pairs(name: str) -> None:
    for start in some(name, 30):
        stages = start.task.stages if isinstance(start.task, Stages) else (start.task,)
        assert not {(stage.family, stage.pushed) for stage in stages} & set(HELD_OUT_PAIRS)
