"""The released networks and ours were given the same numbers, bit for bit."""

import hashlib

import numpy as np
import pytest

from parity.closeness import assert_equal
from parity.networks import meta
from parity.weights import (
    FLAX_RULES,
    GROUPS,
    TENSORFLOW_RULES,
    labels,
    pictures,
    sentence,
    weights,
)
from sayact.models.released.naming import flax
from sayact.models.shapes import FLAX, RT1_X


def sha256_of_weights(arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(name.encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


def test_tensorflow_weights(seed, names, released):
    expected = meta(released)
    arrays = weights(seed, names, TENSORFLOW_RULES)
    assert expected["seed"] == seed
    assert expected["num_variables"] == len(arrays)
    assert sha256_of_weights(arrays) == expected["weights_sha256"]


@pytest.mark.parametrize("shape", ["default", "rt1x"])
def test_flax_weights(seed, released_flax, shape):
    expected = meta(released_flax)
    names = flax({"default": FLAX, "rt1x": RT1_X}[shape])
    assert expected["seed"] == seed
    assert {v.theirs: list(v.shape) for v in names} == expected[shape]["shapes"]
    assert len(names) == expected[shape]["num_arrays"]
    given = sha256_of_weights(weights(seed, names, FLAX_RULES))
    assert given == expected[shape]["weights_sha256"]


def test_pictures_and_sentence(seed, released, released_flax):
    six = pictures(seed, 6, 300, 300)
    assert sha256(six) == released["images300_sha256"] == released_flax["d_images300_sha256"]
    assert_equal(six[:, :2, :4], released["images300_head"])
    assert sha256(pictures(seed, 15, 300, 300)) == released_flax["x_images300_sha256"]
    assert sha256(pictures(seed, 8, 256, 320)) == released["images256_sha256"]
    assert_equal(sentence(seed), released["language"])


def test_labels(seed, released):
    ours = labels(seed, 6)
    for name, where in GROUPS.items():
        theirs = released[f"label_{name}"]
        if name == "terminate_episode":
            theirs = theirs.argmax(1)[:, None]
        assert_equal(ours[:, where], theirs)


def test_another_seed_gives_other_numbers_of_the_same_kind(seed, names):
    """So the fixtures of any seed can be tested, though only one comes with the tests."""
    ours, other = (weights(s, names, TENSORFLOW_RULES) for s in (seed, f"not {seed}"))
    for name, array in ours.items():
        assert array.shape == other[name].shape
        assert array.dtype == other[name].dtype
        drawn = "layer_with_weights-0/" not in name  # those are constants
        assert (array == other[name]).all() != drawn
        if array.size > 10_000:
            assert array.std() == pytest.approx(other[name].std(), rel=0.05)
    assert not np.array_equal(pictures(seed, 2, 64, 64), pictures(f"not {seed}", 2, 64, 64))
