"""How near is near: floats within a share of the largest number, whole numbers exactly.

Float32 throughout: in bfloat16 nothing here would hold. Two builds of TensorFlow differ by 5e-6 on
the same weights, and by 1.4e-4 where batch norm takes its statistics from six frames. The smallest
lead of a chosen token over the next is 80 times the noise. A wrong padding or mask is off by 0.1.
"""

import numpy as np
import torch

EVALUATION = 2e-5  # of the largest number
TRAINING = 1e-3
# Some gradients are zero but for rounding: of biases that a softmax or a batch norm takes out.
EVALUATION_FLOOR = 1e-6
TRAINING_FLOOR = 5e-5  # the largest gradients are 20

Array = np.ndarray | torch.Tensor


def assert_close(ours: Array, released: np.ndarray, tolerance: float = EVALUATION) -> None:
    """Every number within a share of the largest released one."""
    ours = ours.numpy(force=True) if isinstance(ours, torch.Tensor) else ours
    assert ours.shape == released.shape
    share = np.abs(ours.astype(np.float64) - released).max() / np.abs(released).max()
    assert share <= tolerance, f"off by {share:.2g} of the largest number"


def assert_equal(ours: Array, released: np.ndarray) -> None:
    """Whole numbers, and floats that came of the same operations in the same order."""
    ours = ours.numpy(force=True) if isinstance(ours, torch.Tensor) else ours
    assert ours.shape == released.shape
    assert (ours == released).all(), f"{(ours != released).sum()} of {ours.size} differ"


def picks(x: np.ndarray) -> np.ndarray:
    """Sixteen numbers of an array, evenly from the first to the last, as the fixtures keep them."""
    return x.ravel()[np.arange(16) * (x.size - 1) // 15]


def assert_sketches_close(
    ours: dict[str, np.ndarray],
    names: np.ndarray,
    lengths: np.ndarray,
    heads: np.ndarray,
    tolerance: float,
    floor: float,
) -> None:
    """Many arrays at once, of which the fixtures keep the length and the first four numbers."""
    assert set(ours) == set(names.tolist())
    wrong: list[str] = []
    for name, length, head in zip(names.tolist(), lengths, heads, strict=True):
        array = ours[name].astype(np.float64)
        first = np.resize(array.ravel()[:4], 4)
        # Said so that NaN, which is near nothing, is wrong too.
        as_long = abs(np.linalg.norm(array) - length) <= tolerance * length + floor
        same = np.abs(first - head).max() <= tolerance * np.abs(array).max() + floor
        wrong += [] if as_long and same else [name]
    assert not wrong
