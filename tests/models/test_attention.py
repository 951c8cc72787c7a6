"""Layers of attention: on the tokens alone as with the padding between them."""

import pytest
import torch
from torch.nn import functional as F

from sayact.models.layers import attention
from sayact.models.layers.attention import Layer, rounded, through_rows
from sayact.models.vlms.nano import attention_mask


def test_rows_without_padding_are_those_of_the_padded_layer():
    torch.manual_seed(0)
    layer = Layer(width=16, heads=2, hidden=24)
    prompt = torch.tensor([[1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]], dtype=torch.bool)
    answer = torch.tensor([[0, 0, 1, 1, 0], [0, 0, 0, 1, 1], [0, 1, 0, 0, 0]], dtype=torch.bool)
    mask = attention_mask(2, prompt, answer)
    used = F.pad(prompt | answer, (2, 0), value=True).flatten()
    x = torch.randn(3, 7, 16, requires_grad=True)
    slots = used.nonzero()[:, 0]
    padded = layer(x, mask).flatten(0, 1)[slots]
    rows = layer.forward_rows(x.flatten(0, 1)[slots], mask, slots)
    torch.testing.assert_close(rows, padded)
    kept = torch.tensor([0, 3, 9])
    few = layer.forward_rows(x.flatten(0, 1)[slots], mask, slots, kept)
    torch.testing.assert_close(few, padded[kept])
    (gradient,) = torch.autograd.grad(few.square().sum(), x)
    (wanted,) = torch.autograd.grad(padded[kept].square().sum(), x)
    torch.testing.assert_close(gradient, wanted)
    assert gradient.flatten(0, 1)[~used].count_nonzero() == 0


@pytest.mark.parametrize("size", [1, 4, 256])  # of rows: as many as there are, a few more, all
def test_rows_are_made_up_with_padding_that_changes_nothing(monkeypatch, size):
    monkeypatch.setattr(attention, "ROWS", size)
    monkeypatch.setattr(attention, "KEPT_ROWS", size)
    torch.manual_seed(0)
    layers = [Layer(width=16, heads=2, hidden=24) for _ in range(2)]
    prompt = torch.tensor([[1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]], dtype=torch.bool)
    answer = torch.tensor([[0, 0, 1, 1, 0], [0, 0, 0, 1, 1], [0, 1, 0, 0, 0]], dtype=torch.bool)
    mask = attention_mask(0, prompt, answer)
    x = torch.randn(3, 5, 16, requires_grad=True)
    wanted = layers[1](layers[0](x, mask), mask)[answer]
    rows, count = through_rows(layers, x, mask, prompt | answer, answer)
    torch.testing.assert_close(rows[:count], wanted)
    (gradient,) = torch.autograd.grad(rows[:count].square().sum(), x)
    (of_all,) = torch.autograd.grad(wanted.square().sum(), x)
    torch.testing.assert_close(gradient, of_all)
    everything, count = through_rows(layers, x, mask, prompt | answer)
    assert count == 11
    torch.testing.assert_close(everything[:count][answer[prompt | answer]], wanted)


def test_round_numbers_of_rows():
    used = torch.tensor([0, 1, 0, 1, 1, 0, 0], dtype=torch.bool)
    for size, expected in ((1, [1, 3, 4]), (4, [1, 3, 4, 0]), (8, [1, 3, 4, 0, 2, 5, 6])):
        slots, count = rounded(used, size)
        assert (slots.tolist(), count) == (expected, 3)
