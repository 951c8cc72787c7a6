"""Properties of the released codec: floor there, lower edge back. Its tables: tests/parity."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sayact.codecs import EdgeBins
from sayact.codecs.bins import ActionCodec
from sayact.schema import LANGUAGE_TABLE, RT1, RT1_X, RT2
from sayact.schema.errors import BadActionError

CODECS = [
    EdgeBins(action_space=space, bins=bins)
    for space, bins in ((LANGUAGE_TABLE, 256), (RT1, 16), (RT1, 256), (RT1_X, 512), (RT2, 256))
]
share = st.floats(0, 1, width=32)
ROUNDING = 1e-6  # of the bounds: float32 has seven digits


@pytest.mark.parametrize("codec", CODECS, ids=lambda c: f"{c.action_space.name}-{c.bins}")
class TestEdgeBins:
    def test_is_an_action_codec(self, codec):
        assert isinstance(codec, ActionCodec)

    @given(data=st.data())
    def test_round_trip_stays_within_one_interval_and_never_goes_up(self, codec, data):
        space = codec.action_space
        shares = data.draw(arrays(np.float32, len(space), elements=share))
        values = space.low + shares * (space.high - space.low)
        values = np.where(space.discrete, np.round(values), values).astype(np.float32)
        lost = values - codec.decode(codec.encode(values))
        slack = ROUNDING * np.abs(space.high)
        assert (lost >= -slack).all()
        assert (lost <= np.where(space.discrete, 0, codec.width) + slack).all()

    @given(data=st.data())
    def test_encoding_again_loses_at_most_one(self, codec, data):
        """By rounding, and never for a discrete dimension."""
        ids = data.draw(arrays(np.int64, len(codec.sizes), elements=st.integers(0, codec.bins - 1)))
        space = codec.action_space
        ids = np.where(space.discrete, ids % (space.high + 1), ids).astype(np.int64)
        lost = ids - codec.encode(codec.decode(ids))
        assert ((lost >= 0) & (lost <= np.where(space.discrete, 0, 1))).all()

    @given(data=st.data())
    def test_larger_values_never_get_smaller_ids(self, codec, data):
        space = codec.action_space
        pair = data.draw(arrays(np.float32, (2, len(space)), elements=st.floats(-9, 9, width=32)))
        low, high = codec.encode(np.sort(pair, axis=0))
        assert (low <= high).all()

    def test_larger_ids_mean_larger_values(self, codec):
        ids = np.arange(codec.bins)[:, None].repeat(len(codec.sizes), 1)
        steps = np.diff(codec.decode(ids), axis=0)[:, ~codec.action_space.discrete]
        assert (steps > 0).all()

    def test_bounds_are_the_first_and_the_last_id(self, codec):
        space = codec.action_space
        top = np.where(space.discrete, space.high, codec.bins - 1)
        assert (codec.encode(space.low) == 0).all()
        assert (codec.encode(space.high) == top).all()
        inside = np.nextafter(space.high, space.low)  # the last id is the bound alone
        assert (codec.encode(inside)[~space.discrete] <= codec.bins - 1).all()
        just_inside = space.high - codec.width / 2
        assert (codec.encode(just_inside)[~space.discrete] == codec.bins - 2).all()
        assert codec.decode(np.zeros(len(space), np.int64)) == pytest.approx(space.low)
        last = np.where(space.discrete, space.high, codec.bins - 1).astype(np.int64)
        assert codec.decode(last) == pytest.approx(space.high)

    @given(factor=st.floats(1, 1e6, width=32))
    def test_values_outside_saturate(self, codec, factor):
        space = codec.action_space
        assert (codec.encode(space.high * factor + 1) == codec.encode(space.high)).all()
        assert (codec.encode(space.low * factor - 1) == 0).all()

    def test_not_a_number_is_refused(self, codec):
        with pytest.raises(BadActionError, match="finite"):
            codec.encode(np.full(len(codec.action_space), np.nan, np.float32))

    def test_ids_outside_are_refused(self, codec):
        with pytest.raises(ValueError, match="ids must lie"):
            codec.decode(np.array(codec.sizes))


@given(mode=st.integers(0, 255), fallback=st.integers(0, 2))
def test_a_mode_that_is_none_falls_back(mode, fallback):
    """To terminate in the TensorFlow release, to base in the flax example."""
    codec = EdgeBins(action_space=RT1, fallback=fallback)
    ids = np.full(11, 7, np.int64)
    ids[0] = mode
    assert codec.decode(ids)[0] == (mode if mode < 3 else fallback)


def test_any_leading_axes():
    codec = EdgeBins(action_space=RT1)
    ids = codec.encode(np.zeros((2, 3, 11), np.float32))
    assert ids.shape == codec.decode(ids).shape == (2, 3, 11)


def test_too_few_bins_are_refused():
    for space, bins, needed in ((LANGUAGE_TABLE, 1, 2), (RT1, 2, 3)):
        with pytest.raises(ValueError, match=f"{bins} bins are too few; .* needs {needed}"):
            EdgeBins(action_space=space, bins=bins)


@pytest.mark.parametrize("fallback", [-1, 3])
def test_a_fallback_that_is_no_mode_is_refused(fallback):
    with pytest.raises(ValueError, match="0 to 2"):
        EdgeBins(action_space=RT1, fallback=fallback)
