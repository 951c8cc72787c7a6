"""Depthwise convolution whose gradients are fast on a CPU.

PyTorch's CPU kernels are quick for most of the cases that a depthwise k × k convolution has, and
many times slower for two (torch 2.13 with oneDNN; results/rt1-training-speed.md): the weights'
gradient of 5 × 5 kernels, and, in bfloat16, the input's gradient with stride 2. These are made of
the quick ones here. The result is the same up to the order of sums.

    weights, 5 × 5     four 3 × 3 gradients cover the taps:  0 1 2 ·  ·      their common row and
                                                             ·  · 2 3 4      column is taken once
    input, stride 2    zeros between the rows and columns of the outputs' gradient, then an ordinary
                       convolution of stride 1 with the kernel turned by 180°
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


class DepthwiseConv2d(nn.Conv2d):
    """A kernel for every channel, without bias; `nn.Conv2d` with gradients of its own on a CPU."""

    own_gradients = True  # False: PyTorch's, to compare with

    def __init__(self, channels: int, kernel: int, stride: int = 1, padding: int = 0) -> None:
        super().__init__(channels, channels, kernel, stride, padding, groups=channels, bias=False)

    def forward(self, input: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C h w"]:
        ours = self.own_gradients and input.device.type == "cpu" and torch.is_grad_enabled()
        if not ours:
            return super().forward(input)
        x, weight = input, self.weight
        if torch.is_autocast_enabled("cpu"):  # which does not look into functions of our own
            dtype = torch.get_autocast_dtype("cpu")
            x, weight = x.to(dtype), weight.to(dtype)
        return _Depthwise.apply(x, weight, self.stride[0], int(self.padding[0]))


class _Depthwise(torch.autograd.Function):
    """Square kernels; the same stride and padding both ways."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding = stride, padding
        return F.conv2d(x, weight, None, stride, padding, 1, x.shape[1])

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]  (the decorator's doing)
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        x, weight = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        need_x, need_weight = ctx.needs_input_grad[:2]
        of_x = of_weight = None
        if need_x:
            of_x = input_gradient(gradient, x, weight, ctx.stride, ctx.padding)
        if need_weight:
            of_weight = weight_gradient(gradient, x, weight, ctx.stride, ctx.padding)
        return of_x, of_weight, None, None


def input_gradient(
    gradient: Float[Tensor, "N C h w"],
    x: Float[Tensor, "N C H W"],
    weight: Float[Tensor, "C 1 k k"],
    stride: int,
    padding: int,
) -> Float[Tensor, "N C H W"]:
    """What the outputs' gradient means for the input."""
    if stride == 1 or x.dtype == torch.float32:
        return _native(gradient, x, weight, stride, padding, weights=False)
    # Output (i, j) goes to where its window began; what no window reached keeps zero.
    height, width = (size + 2 * padding - weight.shape[2] + 1 for size in x.shape[2:])
    spread = torch.empty(
        (*x.shape[:2], height, width),
        dtype=gradient.dtype,
        device=gradient.device,
        memory_format=torch.channels_last,
    ).zero_()
    spread[:, :, ::stride, ::stride] = gradient
    turned = weight.flip(2, 3)
    return F.conv2d(spread, turned, None, 1, weight.shape[2] - 1 - padding, 1, x.shape[1])


def weight_gradient(
    gradient: Float[Tensor, "N C h w"],
    x: Float[Tensor, "N C H W"],
    weight: Float[Tensor, "C 1 k k"],
    stride: int,
    padding: int,
) -> Float[Tensor, "C 1 k k"]:
    """What the outputs' gradient means for the weights."""
    if weight.shape[2] != 5:
        return _native(gradient, x, weight, stride, padding, weights=True)
    padded = F.pad(x, (padding,) * 4)
    height, width = (stride * (size - 1) + 3 for size in gradient.shape[2:])
    whole = torch.empty_like(weight)
    part = weight[:, :, :3, :3]
    for row in (0, 2):
        for column in (0, 2):
            window = padded[:, :, row : row + height, column : column + width]
            window = window.contiguous(memory_format=torch.channels_last)
            found = _native(gradient, window, part, stride, 0, weights=True)
            whole[:, :, row : row + 3, column : column + 3] = found
    return whole


def _native(
    gradient: Tensor, x: Tensor, weight: Tensor, stride: int, padding: int, *, weights: bool
) -> Tensor:
    """PyTorch's own gradient, of the weights or of the input."""
    found = torch.ops.aten.convolution_backward(
        gradient,
        x,
        weight,
        None,
        [stride, stride],
        [padding, padding],
        [1, 1],
        False,
        [0, 0],
        x.shape[1],
        [not weights, weights, False],
    )
    return found[1] if weights else found[0]
