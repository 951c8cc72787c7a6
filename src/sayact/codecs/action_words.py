"""Actions ⇄ words of a language model: RT-2 section 3.2.

    (0.03, -0.06) m ─ bins ─▶ 166  51 ─ one token each ─▶ 4102  3987 ─ read as ─▶ "166 51"

An action is a sentence of A words, one token each, in the order of the action space; for RT-2's
that is `terminate Δx Δy Δz Δroll Δpitch Δyaw gripper`. Three vocabularies:

    numeric   the integer of the bin, "128", as PaLI-X: needs a tokenizer that has it as one token.
              The 3 of "move to the 3" is the same token: a place in the sentence tells action from
              text, since only action words are decoded where an action word stands.
    symbols   as PaLM-E: the least frequent tokens of the vocabulary stand for the bins, and their
              old meaning is given up. Text never contains them: where a tokenizer would use one,
              `free` writes the same letters with smaller tokens.
    short     Language-Table's `X Y`, integers from -10 to 10.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Bool, Float32, Int64

from sayact.codecs.bins import ActionCodec, UniformBins
from sayact.codecs.tokens import Tokenizer
from sayact.codecs.words import pieces_of, rarest_words, single_token
from sayact.schema import ActionSpace
from sayact.schema.errors import CheckpointError, SayactError

Vocabulary = Literal["numeric", "symbols", "short"]

BINS = 256  # RT-2 section 3.2
SHORT_LIMIT = 10  # RT-2's appendix on Language-Table


@dataclass(frozen=True, kw_only=True)
class ActionWords:
    """Bin i of every dimension is written as `words[i]`: as a tokenizer writes it in a sentence,
    with the space before it where the token has one.

    `frequency` says how the rarest tokens were found: "order" of the vocabulary, or "counts".
    """

    tokenizer: Tokenizer
    codec: ActionCodec
    vocabulary: Vocabulary
    words: tuple[str, ...]
    frequency: Literal["order", "counts"] | None = None

    def __post_init__(self) -> None:
        """Raises SayactError for a word that is not one token, or not a word of its own."""
        if len(self.words) < max(self.codec.sizes):
            raise SayactError(
                f"{len(self.words)} words cannot write {max(self.codec.sizes)} bins; give one each"
            )
        broken = [w for w in self.words if single_token(self.tokenizer, w) is None]
        if broken:
            raise SayactError(
                f"{len(broken)} of {len(self.words)} action words are not one token each in this "
                f"tokenizer, for instance {broken[0]!r}. Use the tokenizer that they were made "
                "for, or make words for this one: numeric() or symbols()."
            )
        if len(set(self.ids)) < len(self.ids) or len(self._bin_of) < len(self.words):
            raise SayactError("two bins have the same action word; give each a word of its own")
        for token in self.reserved - set(self._spelled):
            raise SayactError(
                f"no smaller tokens spell {self.tokenizer.token_name(token)!r}, so text that holds "
                "it would be read as an action; choose another token"
            )

    @property
    def action_space(self) -> ActionSpace:
        return self.codec.action_space

    @cached_property
    def ids(self) -> tuple[int, ...]:
        """The token of every bin."""
        found = (single_token(self.tokenizer, word) for word in self.words)
        return tuple(token for token in found if token is not None)

    @cached_property
    def token_ids(self) -> tuple[tuple[int, ...], ...]:
        """The tokens of every dimension, in the order of its bins."""
        return tuple(self.ids[:size] for size in self.codec.sizes)

    @cached_property
    def _bin_of(self) -> dict[str, int]:
        return {word.strip(): i for i, word in enumerate(self.words)}

    @cached_property
    def reserved(self) -> frozenset[int]:
        """Tokens that stand for actions and for nothing else; none where words are numbers."""
        return frozenset(self.ids) if self.vocabulary == "symbols" else frozenset()

    @cached_property
    def _spelled(self) -> dict[int, tuple[int, ...]]:
        """Smaller tokens with the same letters as each reserved one."""
        found = {token: pieces_of(self.tokenizer, token, self.reserved) for token in self.reserved}
        return {token: pieces for token, pieces in found.items() if pieces is not None}

    def free(self, text_ids: Sequence[int]) -> list[int]:
        """The same text without a token that stands for an action."""
        return [piece for token in text_ids for piece in self._spelled.get(token, (token,))]

    def encode(self, values: Float32[np.ndarray, "*batch A"]) -> Int64[np.ndarray, "*batch A"]:
        """Physical values to tokens; values outside the action space saturate."""
        return np.array(self.ids, np.int64)[self.codec.encode(values)]

    def bins(self, tokens: Int64[np.ndarray, "*batch A"]) -> Int64[np.ndarray, "*batch A"]:
        """Which bin each token says. Raises ValueError for one that its dimension does not have."""
        bins = np.empty_like(tokens)
        for dimension, legal in enumerate(self.token_ids):
            matches = tokens[..., dimension, None] == np.array(legal)
            if not matches.any(-1).all():
                name = self.action_space.dimensions[dimension].name
                raise ValueError(
                    f"{tokens[..., dimension].tolist()} are not all action tokens of {name!r}"
                )
            bins[..., dimension] = matches.argmax(-1)
        return bins

    def decode(self, tokens: Int64[np.ndarray, "*batch A"]) -> Float32[np.ndarray, "*batch A"]:
        """Tokens to physical values. Raises ValueError as `bins` does."""
        return self.codec.decode(self.bins(tokens))

    def legal(self, vocabulary: int) -> Bool[np.ndarray, "A V"]:
        """Which of a model's `vocabulary` tokens each dimension may take."""
        mask = np.zeros((len(self.token_ids), vocabulary), bool)
        for dimension, legal in enumerate(self.token_ids):
            mask[dimension, list(legal)] = True
        return mask

    def write(self, tokens: Sequence[int]) -> str:
        """An action as people read it: "1 128 91 241 5 101 127 12"."""
        return " ".join(self.words[self.ids.index(token)].strip() for token in tokens)

    def read(self, text: str) -> list[int]:
        """The tokens of such a text. Raises SayactError for a word that is no action word."""
        unknown = [word for word in text.split() if word not in self._bin_of]
        if unknown:
            raise SayactError(f"{unknown[0]!r} is not an action word of the {self.vocabulary} kind")
        forms = (self.words[self._bin_of[word]] for word in text.split())
        return [token for form in forms for token in self.tokenizer.encode(form)]

    def to_json(self) -> dict[str, Any]:
        """All but the action space and the tokenizer, which have files of their own."""
        data: dict[str, Any] = {"vocabulary": self.vocabulary, "bins": self.codec.bins}
        if self.frequency is not None:
            data["frequency"] = self.frequency
        return data | {"words": list(self.words)}

    @classmethod
    def from_json(
        cls, data: Mapping[str, Any], space: ActionSpace, tokenizer: Tokenizer
    ) -> "ActionWords":
        """Raises CheckpointError where `data` is not what `to_json` wrote."""
        try:
            if data["vocabulary"] not in get_args(Vocabulary):
                raise ValueError(
                    f"the vocabulary {data['vocabulary']!r} is none of {get_args(Vocabulary)}"
                )
            return cls(
                tokenizer=tokenizer,
                codec=UniformBins(action_space=space, bins=data["bins"]),
                vocabulary=data["vocabulary"],
                words=tuple(data["words"]),
                frequency=data.get("frequency"),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"processor.json does not describe action words: {error}") from (
                error
            )


def action_words(
    tokenizer: Tokenizer, space: ActionSpace, vocabulary: Vocabulary, bins: int | None = None
) -> ActionWords:
    """By the name of the vocabulary; `bins` None: as many as its paper has."""
    if vocabulary == "short":
        bins = 2 * SHORT_LIMIT + 1 if bins is None else bins
        if bins % 2 == 0:
            raise SayactError(f"the short form counts to both sides of 0: {bins} bins are not odd")
        return short(tokenizer, space, bins // 2)
    make = numeric if vocabulary == "numeric" else symbols
    return make(tokenizer, space, BINS if bins is None else bins)


def numeric(tokenizer: Tokenizer, space: ActionSpace, bins: int = BINS) -> ActionWords:
    """Bins as integers 0 … bins-1. Raises SayactError where those are not single tokens."""
    words = _integers(tokenizer, range(bins))
    codec = UniformBins(action_space=space, bins=bins)
    return ActionWords(tokenizer=tokenizer, codec=codec, vocabulary="numeric", words=words)


def short(tokenizer: Tokenizer, space: ActionSpace, limit: int = SHORT_LIMIT) -> ActionWords:
    """Bins as integers from -limit to limit, 0 in the middle. Raises SayactError as `numeric`."""
    words = _integers(tokenizer, range(-limit, limit + 1))
    codec = UniformBins(action_space=space, bins=2 * limit + 1)
    return ActionWords(tokenizer=tokenizer, codec=codec, vocabulary="short", words=words)


def symbols(
    tokenizer: Tokenizer,
    space: ActionSpace,
    bins: int = BINS,
    counts: Mapping[int, int] | None = None,
) -> ActionWords:
    """Bins as the least frequent tokens, the rarest first.

    Without `counts` (uses by token; one that is not in it was never used) the tokenizer's own order
    says what is rare: learned vocabularies are ordered by frequency, the last is the rarest. Raises
    SayactError where the vocabulary has too few tokens that smaller ones can stand in for.
    """
    words = tuple(islice(rarest_words(tokenizer, counts), bins))
    if len(words) < bins:
        raise SayactError(
            f"this tokenizer has {len(words)} words that can be given up, and {bins} bins need one "
            f"each; ask for at most {len(words)} bins, or use a larger vocabulary"
        )
    return ActionWords(
        tokenizer=tokenizer,
        codec=UniformBins(action_space=space, bins=bins),
        vocabulary="symbols",
        words=words,
        frequency="order" if counts is None else "counts",
    )


def _integers(tokenizer: Tokenizer, numbers: range) -> tuple[str, ...]:
    """How the tokenizer writes each number as one token: with the space before it, or bare."""
    missing: list[int] = []
    for form in (" {}", "{}"):
        words = tuple(form.format(number) for number in numbers)
        written = zip(numbers, words, strict=True)
        missing = [n for n, word in written if single_token(tokenizer, word) is None]
        if not missing:
            return words
    raise SayactError(
        f"{len(missing)} of the {len(numbers)} integers from {numbers[0]} to {numbers[-1]} are not "
        f"single tokens in this tokenizer, for instance {missing[0]}: it writes numbers in pieces. "
        "Use the symbol-tuned codec, sayact.codecs.action_words.symbols, which overwrites its "
        "least frequent tokens."
    )
