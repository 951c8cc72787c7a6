"""Weights and inputs for the parity test, computed on both sides from names and shapes alone.

They were given to the released network (google-research/robotics_transformer, commit 4569641, run
unmodified under TensorFlow 2.15.1), and its answers lie in tests/golden/rt1. Here the same numbers
go into `RT1(PAPER)`. Each array is a stream of PCG64 seeded with its released variable name.
"""

import hashlib
import math
from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn

from sayact.models.layers.efficientnet import FiLM
from sayact.models.rt1 import RT1, Layer
from sayact.models.shapes import PAPER

SEED = "A"
TOKENIZER, LEARNER = "_image_tokenizer/_tokenizer/", "_image_tokenizer/_token_learner/"


def uniform(name: str, count: int) -> np.ndarray:
    """Numbers from 0 to 1, the same on any machine."""
    digest = hashlib.sha256(f"{SEED}:{name}".encode()).digest()
    raw = np.random.PCG64(int.from_bytes(digest[:8], "little")).random_raw(count)
    return (raw >> np.uint64(11)).astype(np.float64) * 2.0**-53


def unit(name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Mean 0 and variance 1."""
    return ((2 * uniform(name, math.prod(shape)) - 1) * 1.7320508075688772).reshape(shape)


def pictures(frames: int, height: int, width: int, name: str) -> UInt8[np.ndarray, "N 3 H W"]:
    """A coarse pattern that moves left by 7 pixels a frame, and noise."""
    rows, columns = -(-height // 32), -(-(width + 7 * frames) // 32)
    grid = np.floor(uniform(f"{name}/grid", rows * columns * 3) * 192).astype(np.int64)
    big = grid.reshape(rows, columns, 3).repeat(32, 0).repeat(32, 1)
    noise = np.floor(uniform(f"{name}/noise", frames * height * width * 3) * 64).astype(np.int64)
    moved = np.stack([big[:height, 7 * t : 7 * t + width] for t in range(frames)])
    scene = moved + noise.reshape(moved.shape)
    return np.ascontiguousarray(scene.astype(np.uint8).transpose(0, 3, 1, 2))


def sentence() -> Float32[np.ndarray, "512"]:
    return (unit("language", (512,)) / np.sqrt(512.0)).astype(np.float32)


def network() -> RT1:
    """The published network with those weights."""
    model = RT1(PAPER).eval()
    backbone = enumerate(_leaves(model.tokenizer.backbone), start=1)
    for number, layer in backbone:  # 0 is the normalisation of the pictures
        _fill(layer, f"{TOKENIZER}net/layer_with_weights-{number}/")
    _fill(model.tokenizer.project, f"{TOKENIZER}conv1x1/")
    _fill(model.tokenizer.film, f"{TOKENIZER}film_layer/")
    learner = model.tokenizer.token_learner
    assert learner is not None
    _fill(learner.norm, f"{LEARNER}layernorm/")
    _fill(learner.hidden, f"{LEARNER}mlp/_hidden_layer/")
    _fill(learner.out, f"{LEARNER}mlp/_output_layer/", gain=64)
    transformer = model.transformer
    _fill(transformer.embed, "_transformer/_token_emb/", gain=0.25)
    places = unit("_transformer/_position_emb/kernel", tuple(transformer.position.weight.shape))
    _set(transformer.position.weight, 1.5 * places)
    _set(transformer.position_bias, 0.05 * unit("_transformer/_position_emb/bias", (PAPER.width,)))
    _fill(transformer.head, "_transformer/_output_tokens/", gain=4)
    for number, layer in enumerate(transformer.layers):
        assert isinstance(layer, Layer)
        start = f"_transformer/_layers/{number}/"
        _fill(layer.norm_attention, f"{start}layernorm1/")
        _fill(layer.norm_forward, f"{start}layernorm2/")
        for part, gain in (("query", 2), ("key", 2), ("value", 1)):
            _fill(getattr(layer.attention, part), f"{start}mha1/_{part}_dense/", gain=gain)
        _fill(layer.attention.out, f"{start}mha1/_output_dense/")
        _fill(layer.forward_layer, f"{start}ff/")
    return model


def _leaves(module: nn.Module) -> Iterator[nn.Module]:
    """The layers of the image network, in the order in which Keras numbers them."""
    for child in module.children():
        if isinstance(child, nn.Conv2d | nn.BatchNorm2d | FiLM):
            yield child
        else:
            yield from _leaves(child)


def _fill(layer: nn.Module, start: str, gain: float = 1.0) -> None:
    if isinstance(layer, FiLM):
        for name, part in (("mult", layer.scale), ("add", layer.shift)):
            drawn = unit(f"{start}_projection_{name}/kernel", tuple(part.weight.T.shape))
            _set(part.weight, 0.15 * drawn.T)
            _set(part.bias, 0.1 * unit(f"{start}_projection_{name}/bias", tuple(part.bias.shape)))
    elif isinstance(layer, nn.BatchNorm2d | nn.LayerNorm):
        shape = tuple(layer.weight.shape)
        _set(layer.weight, 1 + 0.1 * unit(f"{start}gamma", shape))
        _set(layer.bias, 0.1 * unit(f"{start}beta", shape))
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            _set(layer.running_mean, 0.1 * unit(f"{start}moving_mean", shape))
            _set(layer.running_var, 1 + 0.25 * unit(f"{start}moving_variance", shape))
    elif isinstance(layer, nn.Conv2d):
        _fill_convolution(layer, start)
    elif isinstance(layer, nn.Linear):
        drawn = unit(f"{start}kernel", tuple(layer.weight.T.shape))
        _set(layer.weight, drawn.T * np.sqrt(gain / layer.in_features))
        _set(layer.bias, 0.05 * unit(f"{start}bias", tuple(layer.bias.shape)))


def _fill_convolution(layer: nn.Conv2d, start: str) -> None:
    """Kernels lie as (height, width, in, out); depthwise ones as (height, width, channels, 1)."""
    out, each, height, width = layer.weight.shape
    if layer.groups > 1:
        drawn = unit(f"{start}depthwise_kernel", (height, width, out, 1))
        _set(layer.weight, drawn.transpose(2, 3, 0, 1) * np.sqrt(2 / (height * width)))
    else:
        drawn = unit(f"{start}kernel", (height, width, each, out))
        _set(layer.weight, drawn.transpose(3, 2, 0, 1) * np.sqrt(1.85 / (height * width * each)))
    if layer.bias is not None:
        _set(layer.bias, 0.05 * unit(f"{start}bias", (out,)))


def _set(parameter: Tensor, values: np.ndarray) -> None:
    assert parameter.shape == values.shape
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(values.astype(np.float32)))
