"""Layers of attention: on the tokens alone as with the padding between them."""

import torch

from sayact.models.layers.attention import Layer
from sayact.models.vlms.nano import attention_mask


def test_rows_without_padding_are_those_of_the_padded_layer():
    torch.manual_seed(0)
    layer = Layer(width=16, heads=2, hidden=24)
    prompt = torch.tensor([[1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]], dtype=torch.bool)
    answer = torch.tensor([[0, 0, 1, 1, 0], [0, 0, 0, 1, 1], [0, 1, 0, 0, 0]], dtype=torch.bool)
    mask = attention_mask(2, prompt, answer)
    used = torch.nn.functional.pad(prompt | answer, (2, 0), value=True).flatten()
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
