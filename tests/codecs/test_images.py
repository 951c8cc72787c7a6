import numpy as np
import pytest

from sayact.codecs import ImageCodec
from sayact.schema.errors import ShapeError

CODEC = ImageCodec(camera=(8, 12), shrink_by=2, crop=(3, 4))


def test_shrinking_is_the_rounded_mean(rng):
    images = rng.integers(0, 256, (5, 8, 12, 3), dtype=np.uint8)
    mean = images.reshape(5, 4, 2, 6, 2, 3).astype(float).mean((2, 4))
    assert (CODEC.shrink(images) == np.floor(mean + 0.5)).all()


def test_crops_are_cut_where_told(rng):
    shrunk = rng.integers(0, 256, (2, 4, 6, 3), dtype=np.uint8)
    out = CODEC.crop_at(shrunk, np.array([[0, 0], [1, 2]]))
    assert (out[0] == shrunk[0, :3, :4]).all()
    assert (out[1] == shrunk[1, 1:4, 2:6]).all()


def test_a_point_stays_on_its_pixel():
    image = np.zeros((1, 8, 12, 3), np.uint8)
    image[0, 4:6, 6:8] = 255  # one shrunk pixel, its middle at (7, 5)
    offset = np.array([[1, 2]])
    crop = CODEC.crop_at(CODEC.shrink(image), offset)
    x, y = CODEC.to_crop_units(np.array([[[7.0, 5.0]]]), offset)[0, 0] * (4, 3)
    assert crop[0, int(y), int(x), 0] == 255


@pytest.mark.parametrize("bad", [np.zeros((1, 8, 10, 3), np.uint8), np.zeros((1, 8, 12, 3))])
def test_wrong_pictures_are_named(bad):
    with pytest.raises(ShapeError, match=r"\(n, 8, 12, 3\)"):
        CODEC.shrink(bad)


@pytest.mark.parametrize(("by", "crop"), [(5, (1, 1)), (2, (5, 5))])
def test_impossible_sizes_are_refused(by, crop):
    with pytest.raises(ValueError, match="shrunk"):
        ImageCodec(camera=(8, 12), shrink_by=by, crop=crop)
