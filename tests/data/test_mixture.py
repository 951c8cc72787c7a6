"""Shares of a batch, whatever the weights; what is learned from it; the same batch twice."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from sayact.data.augmentation import ColourJitter
from sayact.data.examples import UNKNOWN, Example, collate
from sayact.data.mixture import Mixture, Part
from sayact.models.rt2 import RT2
from sayact.schema.errors import SayactError
from sayact.testing.tiny_rt2 import tiny_text_processor
from sayact.testing.tiny_vlm import TinyVLM, byte_tokenizer


class Numbers:
    """Examples that say which source they are of, and which draw."""

    def __init__(self, name, number=0, length=100):
        self.name, self.number, self.length = name, number, length

    def __len__(self):
        return self.length

    def draw(self, rng, count):
        drawn = rng.integers(100, size=count)
        pixels = np.full((3, 16, 28), 10 * self.number, np.uint8)
        return [
            Example(pixels=pixels, prompt=[self.number], answer=[n, 0][: 1 + n % 2], points=UNKNOWN)
            for n in drawn.tolist()
        ]


def mixture(*weights, **options):
    parts = [
        Part(source=Numbers(f"source {i}", i), weight=weight) for i, weight in enumerate(weights)
    ]
    return Mixture(parts, byte_tokenizer(), seed=3, **options)


@settings(deadline=None, max_examples=25)
@given(
    weights=st.lists(st.floats(0.01, 10), min_size=1, max_size=5),
    examples=st.integers(1, 128),
    start=st.integers(0, 10**6),
)
def test_shares_hold_in_every_batch_and_in_the_long_run(weights, examples, start):
    mixed = mixture(*weights)
    wanted = mixed.shares * examples
    assert mixed.shares == pytest.approx(np.array(weights) / sum(weights))
    counts = np.array([mixed.counts(start + step, examples) for step in range(500)])
    assert (counts.sum(1) == examples).all()
    assert (np.abs(counts - wanted) < 1 + 1e-6).all()
    assert (np.abs(counts.sum(0) - 500 * wanted) < 8).all()


def test_a_batch_holds_what_its_source_column_says():
    mixed = mixture(2.0, 1.0, 1.0)
    batch = mixed((7, 16, 1))
    assert np.bincount(batch.source.numpy()).tolist() == [8, 4, 4]
    assert batch.sources == ("source 0", "source 1", "source 2")
    assert torch.equal(batch.tokens[:, 0], batch.source)  # the prompt of each example
    assert torch.equal(batch.pixels[:, 0, 0, 0].long(), 10 * batch.source)


def test_batches_depend_on_seed_and_step_alone():
    again = list(mixture(1.0, 2.0).stream((step, 9, 1) for step in range(3)))
    for step in (2, 0, 1):
        assert torch.equal(mixture(1.0, 2.0)((step, 9, 1)).tokens, again[step].tokens)
    assert not torch.equal(again[0].tokens[:, :2], again[1].tokens[:, :2])


def test_colours_change_and_words_do_not():
    plain, changed = mixture(1.0, 1.0), mixture(1.0, 1.0, jitter=ColourJitter())
    one, other = plain((0, 8, 1)), changed((0, 8, 1))
    assert torch.equal(one.tokens, other.tokens)
    assert not torch.equal(one.pixels, other.pixels)


@pytest.mark.parametrize(
    ("weights", "message"),
    [((1.0, 0.0), "weight 0.0; weights are above zero"), ((-1.0,), "weight -1.0"), ((), "one")],
)
def test_weights_that_draw_nothing_are_refused(weights, message):
    with pytest.raises(SayactError, match=message):
        mixture(*weights)


def test_sources_that_are_empty_or_named_alike_are_refused():
    empty = Part(source=Numbers("web", length=0), weight=1.0)
    with pytest.raises(SayactError, match="'web' holds no examples"):
        Mixture([empty], byte_tokenizer(), seed=0)
    twice = [Part(source=Numbers("web"), weight=1.0)] * 2
    with pytest.raises(SayactError, match="different names; got web, web"):
        Mixture(twice, byte_tokenizer(), seed=0)


def batch_of(*rows):
    pixels = np.zeros((3, 16, 28), np.uint8)
    examples = [Example(pixels=pixels, prompt=p, answer=a, points=UNKNOWN) for p, a in rows]
    return collate(examples, np.arange(len(rows)) % 2, ("robot", "web"), pad=9)


def test_collated_rows_are_prompt_answer_padding():
    batch = batch_of(([1, 2, 3], [4]), ([5], [6, 7, 8, 8]))
    assert batch.tokens.tolist() == [[1, 2, 3, 4, 9], [5, 6, 7, 8, 8]]
    assert batch.prompt.int().tolist() == [[1, 1, 1, 0, 0], [1, 0, 0, 0, 0]]
    assert batch.answer.int().tolist() == [[0, 0, 0, 1, 0], [0, 1, 1, 1, 1]]
    assert (batch.weight, batch.frames) == (1 + 4**0.5, 2)


def test_only_answers_carry_loss_and_sources_are_told_apart():
    """By hand: the log-probability of each answer token, and of nothing else."""
    torch.manual_seed(0)
    model = RT2(TinyVLM())
    words = tiny_text_processor()
    rows = [(words.question(f"what {i}?"), words.answer_text("this " * (i + 1))) for i in range(4)]
    batch = batch_of(*rows)
    found = model.loss(batch)
    logits = model.vlm(batch.pixels, batch.tokens, batch.prompt, batch.answer)
    each = F.cross_entropy(logits, torch.tensor([t for _, answer in rows for t in answer]))
    lengths = torch.tensor([len(answer) for _, answer in rows])
    mean = (found.parts["loss/robot"], found.parts["loss/web"])
    share = torch.stack([lengths[0::2].sum(), lengths[1::2].sum()]) / lengths.sum()
    assert each.item() == pytest.approx((torch.stack(mean) * share).sum().item(), rel=1e-5)
    assert found.weights["loss/web"] == lengths[1::2].sum()


def test_a_source_that_a_batch_lacks_weighs_nothing():
    torch.manual_seed(0)
    model = RT2(TinyVLM())
    found = model.loss(batch_of(([1], [2, 3])))
    assert found.weights["loss/web"] == 0
    assert torch.isfinite(found.total)
