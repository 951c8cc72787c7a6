"""The property test of action codecs: round trip, order, saturation, range."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sayact.codecs import UniformBins
from sayact.schema import LANGUAGE_TABLE, RT1, RT2
from sayact.schema.errors import BadActionError

CODECS = [
    UniformBins(action_space=space, bins=bins)
    for space in (LANGUAGE_TABLE, RT1, RT2)
    for bins in (16, 256, 512)
]
unit = st.floats(0, 1, width=32)


@pytest.mark.parametrize("codec", CODECS, ids=lambda c: f"{c.action_space.name}-{c.bins}")
class TestUniformBins:
    @given(data=st.data())
    def test_round_trip_is_within_half_a_bin(self, codec, data):
        space = codec.action_space
        share = data.draw(arrays(np.float32, len(space), elements=unit))
        values = space.low + share * (space.high - space.low)
        values = np.where(space.discrete, np.round(values), values).astype(np.float32)
        back = codec.decode(codec.encode(values))
        allowed = np.where(space.discrete, 0, codec.width / 2) + 1e-6 * np.abs(space.high)
        assert (np.abs(back - values) <= allowed).all()

    def test_ids_survive_decoding(self, codec):
        for dimension, size in enumerate(codec.sizes):
            ids = np.zeros((size, len(codec.sizes)), np.int64)
            ids[:, dimension] = np.arange(size)
            assert (codec.encode(codec.decode(ids)) == ids).all()

    def test_larger_values_never_get_smaller_ids(self, codec):
        space = codec.action_space
        steps = np.linspace(-1.5, 1.5, 2001, dtype=np.float32)[:, None]
        ids = codec.encode(steps * np.maximum(np.abs(space.low), np.abs(space.high)))
        assert (np.diff(ids, axis=0) >= 0).all()

    def test_values_outside_saturate(self, codec):
        space = codec.action_space
        top = np.array(codec.sizes) - 1
        assert (codec.encode(space.high * 10 + 10) == top).all()
        assert (codec.encode(space.low * 10 - 10) == 0).all()
        assert (codec.encode(space.high) == top).all()

    def test_not_a_number_is_refused(self, codec):
        with pytest.raises(BadActionError, match="finite"):
            codec.encode(np.full(len(codec.action_space), np.nan, np.float32))

    def test_ids_outside_are_refused(self, codec):
        with pytest.raises(ValueError, match="ids must lie"):
            codec.decode(np.array(codec.sizes))


def test_too_few_bins_for_a_discrete_dimension():
    with pytest.raises(ValueError, match="too few"):
        UniformBins(action_space=RT1, bins=2)
