"""RT-1's official shift: facts of google-research/robotics_transformer's training preprocessor."""

import numpy as np
import pytest
import torch

from sayact.data.augmentation import PadThenCrop
from sayact.data.windows import WindowSampler
from sayact.testing import TINY_IMAGES, noise_store, tiny_processor


def random_pixels(rng, batch=2, frames=3, size=(36, 64)):
    return torch.from_numpy(rng.integers(1, 256, (batch, frames, 3, *size), dtype=np.uint8))


@pytest.mark.parametrize(
    ("size", "padding"), [((256, 320), (20, 50)), ((512, 640), (40, 100)), ((180, 320), (14, 50))]
)
def test_padding_is_the_official_one_at_the_official_sizes(size, padding):
    assert PadThenCrop().padding(size) == padding


def test_corners_reach_both_ends_and_are_uniform(rng):
    drawn = np.concatenate([PadThenCrop().corners((256, 320), 1, rng) for _ in range(20_000)])
    for axis, end in enumerate((40, 100)):
        counts = np.bincount(drawn[:, axis])
        assert len(counts) == end + 1  # both ends included
        assert counts.min() > 0
        expected = len(drawn) / (end + 1)
        assert ((counts - expected) ** 2 / expected).sum() < 2 * end  # χ²: mean `end`, σ √(2 end)


def test_one_draw_moves_the_whole_batch(rng):
    shared = PadThenCrop().corners((256, 320), 50, rng)
    assert (shared == shared[0]).all()
    apart = PadThenCrop(shared=False).corners((256, 320), 50, rng)
    assert len(np.unique(apart, axis=0)) > 40


def test_a_window_of_the_old_size_with_a_black_border(rng):
    pixels, shift = random_pixels(rng), PadThenCrop(rows=4, columns=6, of=(36, 64))
    moved = shift(pixels, np.array([[1, 2], [8, 12]]))
    assert moved.shape == pixels.shape
    # Corner (1, 2) of padding (4, 6): the picture goes 3 down and 4 to the right.
    assert (moved[0, :, :, :3] == 0).all()
    assert (moved[0, :, :, :, :4] == 0).all()
    assert torch.equal(moved[0, :, :, 3:, 4:], pixels[0, :, :, :-3, :-4])
    # The last corner: as far up and left as it goes.
    assert torch.equal(moved[1, :, :, :-4, :-6], pixels[1, :, :, 4:, 6:])
    assert (moved[1, :, :, -4:] == 0).all()
    assert (moved[1, :, :, :, -6:] == 0).all()


def test_no_move_in_the_middle(rng):
    pixels, shift = random_pixels(rng), PadThenCrop()
    middle = np.tile(shift.padding((36, 64)), (2, 1))
    assert torch.equal(shift(pixels, middle), pixels)


def test_bytes_are_padded_as_the_original_pads_numbers(rng):
    """There the picture is divided by 255 first, and black is 0.0."""
    pixels, shift = random_pixels(rng), PadThenCrop()
    corners = shift.corners((36, 64), 2, rng)
    down, right = shift.padding((36, 64))
    padded = np.pad(pixels.numpy() / 255, ((0, 0),) * 3 + ((down, down), (right, right)))
    row, column = corners[0]
    official = padded[..., row : row + 36, column : column + 64]
    assert np.array_equal(shift(pixels, corners).numpy() / 255, official)


def test_points_move_with_the_picture(rng):
    """A single white pixel, and the point on it."""
    pixels = torch.zeros(1, 1, 3, 36, 64, dtype=torch.uint8)
    pixels[..., 20, 30] = 255
    points = torch.tensor([(30.5 / 64, 20.5 / 36)]).view(1, 1, 1, 2)
    shift = PadThenCrop()
    for _ in range(20):
        corners = shift.corners((36, 64), 1, rng)
        _, _, _, row, column = np.argwhere(shift(pixels, corners).numpy())[0]
        x, y = shift.move(points, corners, (36, 64)).flatten().tolist()
        assert (x * 64, y * 36) == pytest.approx((column + 0.5, row + 0.5), abs=1e-4)


def test_training_windows_are_shifted_and_acting_sees_the_picture_whole(rng):
    store, processor = noise_store(rng), tiny_processor()
    height, width = TINY_IMAGES.crop
    shift = PadThenCrop(rows=4, columns=6, of=(height, width))
    plain = WindowSampler(store, processor, seed=0)
    moved = WindowSampler(store, processor, seed=0, shift=shift)
    corners = set()
    for step in range(30):
        before, after = plain((step, 3, 2)).pixels, moved((step, 3, 2)).pixels
        found = [
            (row, column)
            for row in range(9)
            for column in range(13)
            if torch.equal(shift(before, np.tile((row, column), (3, 1))), after)
        ]
        assert len(found) == 1  # one corner explains every frame of every window
        corners.add(found[0])
    assert len(corners) > 20
    picture = rng.integers(0, 256, (1, *TINY_IMAGES.shrunk, 3), dtype=np.uint8)
    assert processor.pixels(picture).shape == (1, 3, height, width)
