"""Weights and inputs of the parity tests, computed from a seed, names and shapes alone.

The same numbers were given to the released networks, run unmodified: google-research/
robotics_transformer at commit 4569641 under TensorFlow 2.15.1, google-deepmind/open_x_embodiment
under flax 0.12.8 and jax 0.10.2. Their answers are the fixtures in tests/golden/rt1. So neither
framework, nor a download, is needed to compare.

Every array is a stream of PCG64 that starts from the hash of its seed and name, moved to mean 0 and
variance 1, and scaled by its role. Only integers, exact conversions and single IEEE operations are
in it: it comes out the same, bit for bit, on any machine.
"""

import hashlib
import math
import re
from collections.abc import Callable, Iterable

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from sayact.models.layers.efficientnet import IMAGENET_MEAN, IMAGENET_STD
from sayact.models.released.naming import Variable
from sayact.schema import RT1

Scale = Callable[[tuple[int, ...]], float]  # of a shape
Rule = tuple[str, float, Scale]  # of names that match: their mean, and the scale around it

CELL, STEP = 32, 7  # pixels of the pictures' pattern, and how far it moves in a frame
REACH = 1.1  # labels go a little past the bounds, so that clipping is tested too


def uniform(seed: str, name: str, count: int) -> np.ndarray:
    """Numbers from 0 to 1, without 1."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    raw = np.random.PCG64(int.from_bytes(digest[:8], "little")).random_raw(count)
    return (raw >> np.uint64(11)).astype(np.float64) * 2.0**-53


def unit(seed: str, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Mean 0 and variance 1."""
    drawn = (2 * uniform(seed, name, math.prod(shape)) - 1) * 1.7320508075688772
    return drawn.reshape(shape)


def integers(seed: str, name: str, shape: tuple[int, ...], below: int) -> Int64[np.ndarray, "..."]:
    return np.floor(uniform(seed, name, math.prod(shape)) * below).astype(np.int64).reshape(shape)


def flat(scale: float) -> Scale:
    return lambda shape: scale


def gain(variance: float, axes: int = 1) -> Scale:
    """Divides the variance among the inputs, which the first `axes` axes of a kernel count."""
    return lambda shape: math.sqrt(variance / math.prod(shape[:axes]))


# The first rule that fits holds. The gains spread logits and attention, so that an argmax is far
# from a tie and a softmax far from an average.
TENSORFLOW_RULES: tuple[Rule, ...] = (
    ("/moving_mean$", 0, flat(0.1)),
    ("/moving_variance$", 1, flat(0.25)),
    ("/gamma$", 1, flat(0.1)),
    ("/beta$", 0, flat(0.1)),
    ("/_projection_(add|mult)/kernel$", 0, flat(0.15)),
    ("/_projection_(add|mult)/bias$", 0, flat(0.1)),
    ("/depthwise_kernel$", 0, gain(2, 2)),
    (r"(/conv1x1|/layer_with_weights-\d+)/kernel$", 0, gain(1.85, 3)),
    ("^_transformer/_output_tokens/kernel$", 0, gain(4)),
    ("^_transformer/_token_emb/kernel$", 0, gain(0.25)),
    ("^_transformer/_position_emb/kernel$", 0, flat(1.5)),
    ("/_token_learner/mlp/_output_layer/kernel$", 0, gain(64)),
    ("/_(query|key)_dense/kernel$", 0, gain(2)),
    ("/_output_dense/kernel$", 0, gain(1, 2)),
    ("/kernel$", 0, gain(1)),
    ("/bias$", 0, flat(0.05)),
)
FLAX_RULES: tuple[Rule, ...] = (
    ("/mean$", 0, flat(0.1)),
    ("/var$", 1, flat(0.25)),
    ("/scale$", 1, flat(0.1)),
    ("/FilmConditioning_.*/kernel$", 0, flat(0.15)),
    ("/FilmConditioning_.*/bias$", 0, flat(0.1)),
    (r"/(batch_normalization|LayerNorm_)\w*/bias$", 0, flat(0.1)),
    ("/depthwise_kernel$", 0, gain(2, 2)),
    (r"/(\w*conv2d\w*|Conv_0)/kernel$", 0, gain(1.85, 3)),
    ("/Transformer_0/Dense_0/kernel$", 0, gain(0.25)),
    ("/Transformer_0/Dense_1/kernel$", 0, flat(1.5)),
    ("/Transformer_0/Dense_2/kernel$", 0, gain(4)),
    ("/token_masking/Dense_1/kernel$", 0, gain(64)),
    ("/(query|key)/kernel$", 0, gain(2)),
    ("/out/kernel$", 0, gain(1, 2)),
    ("/kernel$", 0, gain(1)),
    ("/bias$", 0, flat(0.05)),
)
CONSTANTS = {"mean": np.array(IMAGENET_MEAN), "variance": np.array(IMAGENET_STD), "count": 0}


def weights(seed: str, names: Iterable[Variable], rules: tuple[Rule, ...]) -> dict[str, np.ndarray]:
    """Every array of a release, dead ones included, in its released layout."""
    return {v.theirs: _array(seed, v.theirs, v.shape, rules) for v in names}


def _array(seed: str, name: str, shape: tuple[int, ...], rules: tuple[Rule, ...]) -> np.ndarray:
    path, _, leaf = name.rpartition("/")
    if path.endswith("layer_with_weights-0"):
        return np.asarray(CONSTANTS[leaf], np.int64 if leaf == "count" else np.float32)
    mean, scale = next((mean, scale) for pattern, mean, scale in rules if re.search(pattern, name))
    return (mean + unit(seed, name, shape) * scale(shape)).astype(np.float32)


def pictures(seed: str, frames: int, height: int, width: int) -> UInt8[np.ndarray, "N H W 3"]:
    """A coarse pattern that moves left by a few pixels a frame, and noise."""
    name = f"images{height}"
    rows, columns = -(-height // CELL), -(-(width + STEP * frames) // CELL)
    grid = integers(seed, f"{name}/grid", (rows, columns, 3), 192)
    big = grid.repeat(CELL, 0).repeat(CELL, 1)
    noise = integers(seed, f"{name}/noise", (frames, height, width, 3), 64)
    moved = np.stack([big[:height, STEP * t : STEP * t + width] for t in range(frames)])
    return (moved + noise).astype(np.uint8)


def sentence(seed: str) -> Float32[np.ndarray, "512"]:
    """About as long as a vector of the Universal Sentence Encoder: 1."""
    return (unit(seed, "language", (512,)) / np.sqrt(512.0)).astype(np.float32)


# How the release groups the eleven numbers, in the order of the tokens.
GROUPS = {
    "terminate_episode": slice(0, 1),
    "world_vector": slice(1, 4),
    "rotation_delta": slice(4, 7),
    "gripper_closedness_action": slice(7, 8),
    "base_displacement_vertical_rotation": slice(8, 9),
    "base_displacement_vector": slice(9, 11),
}


def labels(seed: str, frames: int) -> Float32[np.ndarray, "T 11"]:
    """Actions to learn, the mode as a number."""
    columns: list[np.ndarray] = []
    for name, where in GROUPS.items():
        if name == "terminate_episode":
            columns.append(integers(seed, f"actions/{name}", (frames, 1), 3))
            continue
        share = 2 * uniform(seed, f"actions/{name}", frames * (where.stop - where.start)) - 1
        drawn = share * REACH * float(RT1.high[where.start])
        columns.append(drawn.astype(np.float32).reshape(frames, -1))
    return np.concatenate(columns, 1).astype(np.float32)
