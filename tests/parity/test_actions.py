"""Actions ⇄ tokens: the released tables, to the last rounding."""

import numpy as np
import pytest

from parity.closeness import assert_equal
from parity.weights import GROUPS, labels
from sayact.codecs import EdgeBins
from sayact.schema import RT1

CODEC = EdgeBins(action_space=RT1)
EVERY_TOKEN = np.tile(np.arange(256)[:, None], (1, 11))
MODES = np.eye(3)


def as_released(values: np.ndarray, name: str) -> np.ndarray:
    """One group of (…, 11) values; the mode as three flags."""
    ours = values[..., GROUPS[name]]
    return MODES[ours[..., 0].astype(int)] if name == "terminate_episode" else ours


def test_table_of_tokens(released):
    """4001 values of every dimension, a fifth past its bounds on either side; the mode in turn."""
    steps = np.arange(4001)
    reach = RT1.high.astype(np.float64) * 1.2
    values = (reach * (steps - 2000)[:, None] / 2000).astype(np.float32)
    values[:, 0] = steps % 3
    assert_equal(CODEC.encode(values), released["tok_table"])


@pytest.mark.parametrize("name", GROUPS)
def test_table_of_actions(released, name):
    """Every token, also those that a mode does not have: they decode to 0, terminate."""
    ours = as_released(CODEC.decode(EVERY_TOKEN), name)
    assert_equal(ours, released[f"detok_{name}"])


def test_encoding_again_loses_the_same_bins(released):
    """By rounding. The table leaves the mode, its first column, empty."""
    again = CODEC.encode(CODEC.decode(EVERY_TOKEN))
    assert_equal(again[:, 1:], released["retok"][:, 1:])
    lost = (again != EVERY_TOKEN)[:, 1:].mean(0)
    assert ((lost > 0.14) & (lost < 0.26)).all()


def test_labels(released, seed):
    assert_equal(CODEC.encode(labels(seed, 6)), released["label_tokens"])


@pytest.mark.parametrize("name", GROUPS)
def test_action_of_the_last_frame(released, name):
    ours = CODEC.decode(released["pred_tokens"][-1].astype(np.int64))
    assert_equal(as_released(ours, name), released[f"out_{name}"])
