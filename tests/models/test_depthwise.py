"""Our gradients of depthwise convolutions against PyTorch's."""

import pytest
import torch
from torch.nn import functional as F

from sayact.models.layers.depthwise import DepthwiseConv2d

# How far two orders of the same sum may lie apart, as a share of the largest gradient.
NOISE = {torch.float64: 1e-12, torch.float32: 1e-5, torch.bfloat16: 2e-2}


@pytest.mark.parametrize("dtype", NOISE)
@pytest.mark.parametrize("size", [(12, 15), (15, 12)])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (5, 1), (5, 2)])
def test_gradients_are_those_of_pytorch(kernel, stride, size, dtype):
    torch.manual_seed(0)
    layer = DepthwiseConv2d(6, kernel, stride, padding=kernel // 2 if stride == 1 else 0).to(dtype)
    x = torch.randn(2, 6, *size, dtype=dtype).to(memory_format=torch.channels_last)
    ours, theirs = (x.clone().requires_grad_() for _ in range(2))
    y = layer(ours)
    cotangent = torch.randn_like(y)
    y.backward(cotangent)
    assert layer.weight.grad is not None
    weight = layer.weight.detach().clone().requires_grad_()
    expected = F.conv2d(theirs, weight, None, stride, layer.padding, 1, 6)
    expected.backward(cotangent)
    assert torch.equal(y, expected)
    for found, wanted in ((ours.grad, theirs.grad), (layer.weight.grad, weight.grad)):
        assert found is not None
        assert wanted is not None
        assert (found - wanted).abs().max() <= NOISE[dtype] * wanted.abs().max()


def test_weights_that_need_no_gradient_get_none():
    layer = DepthwiseConv2d(4, 5, 2).requires_grad_(False)
    x = torch.randn(1, 4, 11, 11, requires_grad=True)
    layer(x).sum().backward()
    assert x.grad is not None
    assert layer.weight.grad is None


def test_autocast_computes_in_its_own_precision():
    layer, x = DepthwiseConv2d(4, 5), torch.randn(1, 4, 11, 11)
    with torch.autocast("cpu", torch.bfloat16):
        y = layer(x)
    assert y.dtype == torch.bfloat16
    y.float().sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.dtype == torch.float32
