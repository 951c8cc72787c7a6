"""Probabilities move from one codec's bins to another's: none is lost, and the values stay."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayact.codecs import UniformBins
from sayact.codecs.edges import EdgeBins
from sayact.experiments.distillation_bins import rebin, rebinning
from sayact.schema import LANGUAGE_TABLE, RT2

BINS = st.integers(2, 300)
CODECS = st.one_of(
    st.builds(UniformBins, action_space=st.just(LANGUAGE_TABLE), bins=BINS),
    st.builds(EdgeBins, action_space=st.just(LANGUAGE_TABLE), bins=BINS),
)


def drawn(codec, seed):
    """Any distribution over the bins of each dimension: sharp ones and flat ones."""
    rng = np.random.default_rng(seed)
    alpha = rng.choice([0.01, 1.0, 100.0])
    return rng.dirichlet(np.full(codec.bins, alpha), 2).astype(np.float32)


def mean(codec, chances):
    """In metres, of values anywhere in their bin; EdgeBins decodes to the lower edge."""
    ids = np.repeat(np.arange(codec.bins)[:, None], 2, 1)
    low = codec.decode(ids).T
    if isinstance(codec, EdgeBins):
        low = low + codec.width[:, None] / 2
        low[:, -1] = codec.action_space.high  # a point
    return (chances * low).sum(-1)


@given(CODECS, CODECS, st.integers(0, 2**32))
def test_mass_and_mean_are_kept(teacher, student, seed):
    before = drawn(teacher, seed)
    after = rebin(before, rebinning(teacher, student, student.bins))
    np.testing.assert_allclose(after.sum(-1), before.sum(-1), rtol=1e-5)
    assert (after >= 0).all()
    # A value moves to the centre of the student's bin that it lies in: half a bin at most.
    moved = np.abs(mean(student, after) - mean(teacher, before))
    assert (moved <= student.width / 2 + 1e-6).all()


def test_equal_bins_stay_as_they_are():
    codec = UniformBins(action_space=LANGUAGE_TABLE, bins=21)
    before = drawn(codec, 0)
    np.testing.assert_array_equal(rebin(before, rebinning(codec, codec, 21)), before)


def test_a_bin_is_shared_out_by_overlap():
    teacher, student = (UniformBins(action_space=LANGUAGE_TABLE, bins=n) for n in (2, 3))
    after = rebin(np.array([[0.6, 0.4], [1, 0]], np.float32), rebinning(teacher, student, 5))
    wanted = [[0.4, 0.2 + 0.4 / 3, 0.8 / 3, 0, 0], [2 / 3, 1 / 3, 0, 0, 0]]
    np.testing.assert_allclose(after, wanted, atol=1e-6)


@pytest.mark.parametrize("student", [UniformBins, EdgeBins])
def test_choices_stay_what_they_are(student):
    teacher = UniformBins(action_space=RT2, bins=256)
    shares = rebinning(teacher, student(action_space=RT2, bins=64), 64)
    np.testing.assert_array_equal(shares[0, :2, :2], np.eye(2))
    assert not shares[0, 2:].any()
    np.testing.assert_allclose(shares[1:].sum(-1), 1, rtol=1e-5)
