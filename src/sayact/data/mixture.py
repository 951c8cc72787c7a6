"""Robot and web examples in every batch, in stated shares: what co-fine-tuning is made of.

Shares of a batch are rarely whole numbers of examples. One of `B · share` is rounded down or up, so
that a batch is never off by more than one example, and up as often as it takes: where the rounding
begins moves from step to step by the golden ratio, which spreads evenly over any stretch of steps.
So a batch depends on (seed, step) and nothing else, and in the long run the shares are exact.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from sayact.codecs.tokens import Tokenizer
from sayact.data.augmentation import ColourJitter
from sayact.data.drawing import draw_examples
from sayact.data.examples import Example, Source, collate
from sayact.data.stream import Draw, ahead
from sayact.schema.batches import TextBatch
from sayact.schema.errors import SayactError

GOLDEN = (5**0.5 - 1) / 2  # its multiples, modulo 1, fill a circle most evenly


@dataclass(frozen=True, kw_only=True)
class Part:
    """A source and its weight; shares are weights over their sum."""

    source: Source
    weight: float


class Mixture:
    """Batches of examples from several sources. Colours change in all of them alike."""

    def __init__(
        self,
        parts: Sequence[Part],
        tokenizer: Tokenizer,
        *,
        seed: int,
        jitter: ColourJitter | None = None,
    ) -> None:
        check(parts)
        self.parts, self.tokenizer, self.seed, self.jitter = tuple(parts), tokenizer, seed, jitter
        self.sources = tuple(part.source.name for part in parts)
        weights = np.array([part.weight for part in parts], np.float64)
        self.shares = weights / weights.sum()

    def counts(self, step: int, examples: int) -> Int64[np.ndarray, "S"]:
        """How many of the step's examples each source gives."""
        first = np.random.default_rng(self.seed).random()
        begin = (first + step * GOLDEN) % 1
        ends = np.cumsum(self.shares) * examples
        ends[-1] = examples  # not a hair less
        return np.diff(np.floor(begin + np.array([0, *ends]))).astype(np.int64)

    def stream(self, draws: Iterable[Draw]) -> Iterator[TextBatch]:
        """A batch for every draw; windows are of one frame."""
        return ahead(self, draws)

    def __call__(self, draw: Draw) -> TextBatch:
        step, examples, _ = draw
        rng = np.random.default_rng([self.seed, step])
        counts = self.counts(step, examples)
        # A generator each: another weight of one source leaves the draws of the others alone.
        each = zip(self.parts, counts.tolist(), rng.spawn(len(counts)), strict=True)
        drawn: list[Example] = []
        for part, count, own in each:
            drawn += part.source.draw(own, count) if count else []
        source = np.repeat(np.arange(len(counts)), counts)
        order = rng.permutation(examples)
        batch = collate([drawn[i] for i in order], source[order], self.sources, self.tokenizer.pad)
        if self.jitter is None:
            return batch
        return batch.with_pixels(self.jitter(batch.pixels[:, None], rng)[:, 0])

    def draw(self, batch: TextBatch, path: Path) -> None:
        texts = [
            f"[{batch.sources[source]}] {self.tokenizer.decode(tokens[used].tolist())}"
            for tokens, used, source in zip(
                batch.tokens, batch.prompt | batch.answer, batch.source.tolist(), strict=True
            )
        ]
        draw_examples(batch, texts, path)


def check(parts: Sequence[Part]) -> None:
    """Refuse what no batch can be drawn by."""
    if not parts:
        raise SayactError("a mixture needs at least one source")
    names = [part.source.name for part in parts]
    if len(set(names)) < len(names):
        raise SayactError(f"sources of a mixture need different names; got {', '.join(names)}")
    for part in parts:
        check_weight(part.source.name, part.weight)
        if not len(part.source):
            raise SayactError(f"the source {part.source.name!r} holds no examples")


def check_weight(name: str, weight: float) -> None:
    """Refuse a weight that is no share of anything."""
    if not (weight > 0 and np.isfinite(weight)):
        raise SayactError(
            f"the source {name!r} has the weight {weight}; weights are above zero. Leave a source "
            "out that is not to be learned from."
        )
