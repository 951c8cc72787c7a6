"""Actions as words: identity through text for every tokenizer family, and no mixing with text."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayact.codecs import UniformBins
from sayact.codecs.action_words import ActionWords, action_words, numeric, short, symbols
from sayact.codecs.words import rarest_words
from sayact.schema import LANGUAGE_TABLE, RT2, ActionSpace
from sayact.schema.errors import CheckpointError, SayactError
from tokenizers_of_families import FAMILIES, NUMERIC, SYMBOLIC, tokenizer_of

SPACES = (LANGUAGE_TABLE, RT2)
MADE = [
    *(pytest.param(numeric, family, id=f"numeric-{family}") for family in NUMERIC),
    *(pytest.param(symbols, family, id=f"symbols-{family}") for family in SYMBOLIC),
]
each_family = pytest.mark.parametrize(("make", "family"), MADE)
text_of_any_kind = st.text(max_size=40)


@cache
def words_of(make: Callable[..., ActionWords], family: str, space: ActionSpace) -> ActionWords:
    return make(tokenizer_of(family), space)


@each_family
@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_ids_text_tokens_ids(make, family, space, data):
    words = words_of(make, family, space)
    bins = [data.draw(st.integers(0, size - 1)) for size in words.codec.sizes]
    tokens = [words.ids[number] for number in bins]
    text = words.write(tokens)
    assert words.read(text) == tokens
    assert words.bins(np.array(words.read(text))).tolist() == bins
    assert len(text.split()) == len(space)


@each_family
def test_every_word_is_a_token_that_reads_back(make, family):
    tokenizer = tokenizer_of(family)
    words = words_of(make, family, RT2)
    for token, word in zip(words.ids, words.words, strict=True):
        assert tokenizer.encode(word) == [token]
        assert tokenizer.decode([token]).strip() == word.strip()
    assert len(set(words.ids)) == 256


@pytest.mark.parametrize("family", NUMERIC)
@given(bins=st.lists(st.integers(0, 255), min_size=8, max_size=8))
@settings(max_examples=10, deadline=None)
def test_the_paper_s_string_is_what_the_tokenizer_makes_of_it(family, bins):
    tokenizer = tokenizer_of(family)
    tokens = [words_of(numeric, family, RT2).ids[number] for number in bins]
    assert tokenizer.encode("".join(f" {number}" for number in bins)) == tokens


@each_family
def test_values_come_back_within_half_a_bin(make, family):
    words = words_of(make, family, LANGUAGE_TABLE)
    values = np.random.default_rng(0).uniform(-0.1, 0.1, (50, 2)).astype(np.float32)
    back = words.decode(words.encode(values))
    assert np.abs(back - values).max() <= 0.1 / 256 + 1e-6


@pytest.mark.parametrize("family", SYMBOLIC)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_no_symbol_comes_out_of_text(family, data):
    """Whatever people write, also the very words that the tokens had stood for."""
    tokenizer = tokenizer_of(family)
    words = words_of(symbols, family, RT2)
    stolen = st.sampled_from(words.words)
    text = "".join(data.draw(st.lists(st.one_of(stolen, text_of_any_kind), max_size=8)))
    free = words.free(tokenizer.spell(text))
    assert not words.reserved & set(free)
    assert tokenizer.decode(free) == tokenizer.decode(tokenizer.spell(text))


@pytest.mark.parametrize("family", SYMBOLIC)
def test_words_that_were_given_up_are_spelled(family):
    """So that the property above is not an empty one."""
    tokenizer = tokenizer_of(family)
    words = words_of(symbols, family, RT2)
    for token, word in zip(words.ids, words.words, strict=True):
        free = words.free(tokenizer.encode(word))
        assert len(free) > 1
        assert token not in free
        assert tokenizer.decode(free) == tokenizer.decode([token])


@pytest.mark.parametrize("family", ["paligemma", "smolvlm", "qwen"])
@pytest.mark.parametrize("make", [numeric, short])
def test_numbers_in_pieces_name_the_other_codec(family, make):
    with pytest.raises(SayactError, match="symbol-tuned") as error:
        make(tokenizer_of(family), LANGUAGE_TABLE)
    assert "10" in str(error.value)


def test_numbers_are_numbers_in_text_too():
    """As in PaLI-X: place tells them apart, since only actions stand where actions are decoded."""
    tokenizer = tokenizer_of("bytes")
    words = words_of(numeric, "bytes", LANGUAGE_TABLE)
    assert words.ids[3] in tokenizer.encode("move to the 3")
    assert words.free(tokenizer.encode("move to the 3")) == tokenizer.encode("move to the 3")


def test_short_form_counts_from_the_middle():
    tokenizer = tokenizer_of("bytes")
    with pytest.raises(SayactError, match="-10"):
        short(tokenizer, LANGUAGE_TABLE)
    words = ActionWords(
        tokenizer=tokenizer,
        codec=UniformBins(action_space=LANGUAGE_TABLE, bins=21),
        vocabulary="short",
        words=tuple(f" {number}" for number in range(21)),
    )
    nothing = words.encode(np.zeros(2, np.float32))
    assert words.write(nothing.tolist()) == "10 10"
    assert words.decode(nothing).tolist() == [0, 0]


def test_vocabularies_by_name():
    tokenizer = tokenizer_of("bytes")
    assert action_words(tokenizer, LANGUAGE_TABLE, "numeric", 64).codec.bins == 64
    assert action_words(tokenizer_of("qwen"), LANGUAGE_TABLE, "symbols", 16).reserved
    with pytest.raises(SayactError, match="not odd"):
        action_words(tokenizer, LANGUAGE_TABLE, "short", 20)
    with pytest.raises(SayactError, match="integers from -2 to 2"):
        action_words(tokenizer, LANGUAGE_TABLE, "short", 5)


def test_rarest_by_order_and_by_counts():
    tokenizer = tokenizer_of("qwen")
    by_order = symbols(tokenizer, LANGUAGE_TABLE, bins=16)
    assert list(by_order.ids) == sorted(by_order.ids, reverse=True)
    assert by_order.frequency == "order"
    candidates = list(rarest_words(tokenizer))
    chosen = candidates[40:56]
    counts = dict.fromkeys(range(tokenizer.size), 5)
    counts |= {tokenizer.encode(word)[0]: 1 for word in chosen}
    by_counts = symbols(tokenizer, LANGUAGE_TABLE, bins=16, counts=counts)
    assert by_counts.words == tuple(chosen)
    assert by_counts.frequency == "counts"


def test_control_tokens_and_letters_are_never_given_up():
    tokenizer = tokenizer_of("smolvlm")
    reserved = words_of(symbols, "smolvlm", RT2).reserved
    assert not reserved & tokenizer.added
    assert all(len(tokenizer.decode([token]).strip()) > 1 for token in reserved)


def test_too_small_a_vocabulary_is_refused():
    with pytest.raises(SayactError, match="ask for at most 0 bins"):
        symbols(tokenizer_of("bytes"), LANGUAGE_TABLE)


@each_family
def test_json_describes_it_all(make, family):
    tokenizer = tokenizer_of(family)
    words = words_of(make, family, RT2)
    assert ActionWords.from_json(words.to_json(), RT2, tokenizer) == words


def test_words_of_another_tokenizer_are_refused():
    words = words_of(symbols, "qwen", LANGUAGE_TABLE)
    with pytest.raises(SayactError, match="not one token each"):
        ActionWords.from_json(words.to_json(), LANGUAGE_TABLE, tokenizer_of("bytes"))
    with pytest.raises(CheckpointError, match="'runes'"):
        ActionWords.from_json(words.to_json() | {"vocabulary": "runes"}, RT2, words.tokenizer)
    with pytest.raises(CheckpointError, match="does not describe"):
        ActionWords.from_json({"bins": 4}, LANGUAGE_TABLE, tokenizer_of("bytes"))


def test_an_illegal_token_does_not_decode():
    words = words_of(numeric, "bytes", RT2)
    tokens = words.encode(np.zeros(8, np.float32))
    tokens[0] = words.ids[2]  # terminate is one of 2
    with pytest.raises(ValueError, match="not all action tokens of 'terminate'"):
        words.decode(tokens)
    mask = words.legal(600)
    assert mask.sum(1).tolist() == [2] + [256] * 7


@pytest.mark.parametrize("family", FAMILIES)
def test_a_tokenizer_survives_its_file(family):
    tokenizer = tokenizer_of(family)
    again = type(tokenizer).from_file(tokenizer.to_file(), **tokenizer.to_json())
    assert again == tokenizer
    assert again.encode("push the red moon to 12") == tokenizer.encode("push the red moon to 12")
