"""Every instruction, against the counts measured on Language-Table (commit 5b7bf0e)."""

from collections import Counter
from collections.abc import Iterable
from functools import cache
from itertools import chain, permutations

import numpy as np
import pytest

from sayact.envs.language_table import words
from sayact.envs.language_table.blocks import BLOCK_MODES, BLOCKS
from sayact.envs.language_table.words import Either, Joined, instructions, say, spell_out
from sayact.schema.errors import UnknownNameError

BLOCK_8, BLOCK_4 = BLOCK_MODES["BLOCK_8"], BLOCK_MODES["BLOCK_4"]
EVAL = ("block2block", "block2absolute", "block2relative", "block2block_relative", "separate")


@cache
def sentences_of(family: str, blocks: tuple[str, ...]) -> list[str]:
    return instructions(family, blocks)


def all_instructions(families: Iterable[str], blocks: tuple[str, ...]) -> list[str]:
    return list(chain.from_iterable(sentences_of(family, blocks) for family in families))


@pytest.mark.parametrize(
    ("family", "of_eight", "of_four"),
    [
        ("block2block", 896, 1_728),
        ("block2absolute", 992, 1_488),
        ("block2relative", 20_736, 31_104),
        ("block2block_relative", 5_824, 11_232),
        ("separate", 6_288, 8_208),
        ("point2block", 104, 156),
        ("block1_to_corner", 96, 144),
    ],
)
def test_distinct_instructions(family: str, of_eight: int, of_four: int) -> None:
    for blocks, count in ((BLOCK_8, of_eight), (BLOCK_4, of_four)):
        sentences = sentences_of(family, blocks)
        assert len(sentences) == len(set(sentences)) == count


def test_distinct_instructions_of_the_five_evaluated_families() -> None:
    assert len(set(all_instructions(EVAL, BLOCK_8))) == 34_736
    assert len(set(all_instructions(EVAL, BLOCK_4))) == 53_760


def test_conditions_of_the_five_evaluated_families() -> None:
    """What the paper's appendix calls conditions leaves near and far, and neighbours, aside."""
    conditions = {
        family: len(
            {
                arguments[:2] if family == "block2relative" else arguments
                for arguments in words.WORDINGS[family].arguments(BLOCK_8)
                if family != "separate" or len(arguments[1]) == 1
            }
        )
        for family in EVAL
    }
    assert list(conditions.values()) == [56, 72, 64, 448, 56]
    assert sum(conditions.values()) == 696


# The original also ships a lister of instructions, which differs a little from what its tasks say.
LISTED_RELATIVE_VERBS = ("move the", "push the", "put the", "bring the", "slide the")
LISTED_LOCATION_VERBS = ("move the", "push the", "slide the")


def listed(blocks: tuple[str, ...]) -> dict[str, list[str]]:
    """The original lister: full names only, other verbs in places, few neighbours."""
    names = [block.replace("_", " ") for block in blocks]

    def full(block: str) -> str:
        return block.replace("_", " ")

    def spelt(*phrases: words.Phrase) -> list[str]:
        return [sentence for phrase in phrases for sentence in spell_out(phrase)]

    location_verbs = Either(*LISTED_LOCATION_VERBS)
    push_verbs, prepositions = Either(*words.PUSH_VERBS), Either(*words.PREPOSITIONS)
    places = Either(*chain.from_iterable(words.PLACES.values()))
    relations = Either(*chain.from_iterable(words.RELATIONS.values()))
    pairs = list(permutations(names, 2))
    return {
        "block2block": spelt(*(Joined(push_verbs, a, prepositions, b) for a, b in pairs)),
        "block2absolute": spelt(*(Joined(location_verbs, a, "to the", places) for a in names)),
        # All sixteen blocks: every colour and shape is there four times, so only full names.
        "block2relative": [
            sentence
            for block in blocks
            for direction in words.DIRECTIONS
            for distance in words.DISTANCES
            for sentence in spell_out(words.block2relative(BLOCKS, block, direction, distance))
        ],
        "block2block_relative": spelt(
            *(Joined(Either(*LISTED_RELATIVE_VERBS), a, relations, b) for a, b in pairs)
        ),
        # The first so many blocks stand for the neighbours, thrice, once for each group word.
        "separate": [
            sentence
            for block in blocks
            for count in range(1, len(blocks))
            for group in words.GROUP_WORDS
            for sentence in _listed_separate(full(block), list(map(full, blocks[:count])), group)
        ],
        "point2block": spelt(*(Joined(Either(*words.POINT_VERBS), a) for a in names)),
        "block1_to_corner": spelt(
            *(Joined(location_verbs, a, "to the", Either(*words.CORNER_WORDS)) for a in names)
        ),
    }


def _listed_separate(name: str, avoid: list[str], group: str) -> list[str]:
    others = {
        1: avoid[0],
        2: " and ".join(avoid),
        3: f"{', '.join(avoid[:2])}, and {avoid[-1]}",
    }.get(len(avoid), group)
    return [
        f"pull the {name} apart from the {others}",
        f"move the {name} away from the {others}",
        f"separate the {name} from the {others}",
    ]


@pytest.mark.parametrize(
    ("blocks", "counts", "separate_lines", "total", "distinct"),
    [
        (BLOCK_8, [896, 744, 20_736, 7_280, 144, 104, 72], 504, 30_264, 29_904),
        (BLOCK_4, [192, 372, 10_368, 1_560, 36, 52, 36], 108, 12_652, 12_580),
        (BLOCKS, [3_840, 1_488, 41_472, 31_200, 288, 208, 144], 2_160, 80_368, 78_496),
    ],
    ids=["BLOCK_8", "BLOCK_4", "N_CHOOSE_K"],
)
def test_counts_of_the_original_lister(blocks, counts, separate_lines, total, distinct) -> None:
    lines = listed(blocks)
    assert [len(set(family)) for family in lines.values()] == counts
    assert len(lines["separate"]) == separate_lines
    del lines["block1_to_corner"]  # not in the lister's total
    assert sum(map(len, lines.values())) == total
    assert len(set(chain.from_iterable(lines.values()))) == distinct


def test_the_vocabulary_is_small_and_sentences_are_short() -> None:
    for blocks, size in ((BLOCK_8, 57), (BLOCK_4, 58)):
        sentences = all_instructions(words.WORDINGS, blocks)
        spoken = {word.strip(",") for sentence in sentences for word in sentence.split()}
        if blocks is BLOCK_8:
            assert max(map(len, sentences)) == 81
            assert max(len(sentence.split()) for sentence in sentences) == 14
        assert len(spoken) == size


def test_numbers_of_phrases() -> None:
    assert sum(map(len, words.PLACES.values())) == 31
    assert sum(map(len, words.RELATIONS.values())) == 26
    assert len(words.POINT_VERBS) == 13
    directions = {
        sentence.removeprefix("move the red moon ")
        for direction in words.DIRECTIONS
        for sentence in spell_out(words.block2relative(BLOCK_8, "red_moon", direction, "far"))
        if sentence.startswith("move")
    }
    assert len(directions) == 72


def test_short_names_need_a_colour_or_a_shape_of_its_own() -> None:
    assert words.block_names("red_moon", BLOCK_8) == ("red moon",)
    assert set(words.block_names("red_moon", BLOCK_4)) == {"red block", "moon", "red moon"}
    table = ("red_moon", "red_cube", "blue_cube", "blue_star")
    assert set(words.block_names("red_moon", table)) == {"moon", "red moon"}
    assert set(words.block_names("red_cube", table)) == {"red cube"}


@pytest.mark.parametrize("blocks", [BLOCK_8, BLOCK_4])
@pytest.mark.parametrize("family", words.WORDINGS)
def test_what_is_said_is_listed_and_understood(family: str, blocks: tuple[str, ...]) -> None:
    rng = np.random.default_rng(0)
    every = set(sentences_of(family, blocks))
    wording = words.WORDINGS[family]
    tasks = list(wording.arguments(blocks))
    for index in rng.integers(len(tasks), size=8):
        phrase = wording.phrase(blocks, *tasks[index])
        sentence = say(phrase, rng)
        assert sentence in every
        assert words.understands(phrase, sentence)
        assert not words.understands(phrase, sentence + " please")
        understood = words.understand(sentence, blocks, [family])
        assert understood is not None
        group = family == "separate" and sentence.endswith(words.GROUP_WORDS)
        assert understood == (family, tasks[index]) or group


def test_forks_are_even() -> None:
    """Near sentences: a third each for the word before, in the middle and at the end."""
    rng = np.random.default_rng(1)
    phrase = words.block2relative(BLOCK_8, "red_moon", "up", "near")
    drawn = [say(phrase, rng) for _ in range(3_000)]
    first = sum(sentence.startswith("slightly") for sentence in drawn)
    last = sum(sentence.endswith(words.SLIGHTLY) for sentence in drawn)
    assert abs(first - 1_000) < 110  # four standard deviations
    assert abs(last - 1_000) < 110


def test_three_neighbours_are_a_group_half_the_time() -> None:
    rng = np.random.default_rng(2)
    phrase = words.separate(BLOCK_8, "red_moon", ("blue_cube", "green_star", "blue_moon"))
    drawn = Counter(say(phrase, rng).endswith(words.GROUP_WORDS) for _ in range(2_000))
    assert abs(drawn[True] - 1_000) < 100
    listing = "separate the red moon from the blue cube, green star, and blue moon"
    assert listing in set(spell_out(phrase))


def test_unknown_sentences_and_families() -> None:
    assert words.understand("make me a sandwich", BLOCK_8) is None
    assert words.understand("push the red star to the blue cube", BLOCK_8) is None  # not there
    with pytest.raises(UnknownNameError, match="block2block"):
        instructions("block2blok", BLOCK_8)
