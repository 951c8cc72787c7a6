import numpy as np
import torch

from sayact.data.augmentation import ColourJitter
from sayact.data.windows import WindowSampler
from sayact.testing import TINY_IMAGES, noise_store, tiny_processor


def test_a_step_is_the_same_whenever_it_is_asked_for(rng):
    store, processor = noise_store(rng), tiny_processor()
    one = WindowSampler(store, processor, seed=3, jitter=ColourJitter())
    other = WindowSampler(store, processor, seed=3, jitter=ColourJitter())
    other((0, 4, 2))
    a, b = one((7, 6, 4)), other((7, 6, 4))
    assert torch.equal(a.pixels, b.pixels)
    assert torch.equal(a.action_ids, b.action_ids)
    assert not torch.equal(a.pixels, one((8, 6, 4)).pixels)


def test_streaming_gives_the_same_batches_in_order(rng):
    sampler = WindowSampler(noise_store(rng), tiny_processor(), seed=0)
    draws = [(step, 3, 2) for step in range(5)]
    for draw, batch in zip(draws, sampler.stream(draws), strict=True):
        assert torch.equal(batch.pixels, sampler(draw).pixels)


def test_windows_stay_inside_their_episode(rng):
    """Actions mark their episode and frame; past the end the last frame repeats, invalid."""
    store = noise_store(rng, episodes=5, length=4)
    marks = store.episode_index * 4 + store.frame_index  # 0 … 19, one bin each
    store.actions[:] = (marks[:, None] + 0.5) / 32 * 0.2 - 0.1
    sampler = WindowSampler(store, tiny_processor(), seed=0)
    cut_short = 0
    for step in range(20):
        batch = sampler((step, 8, 3))
        for ids, valid in zip(batch.action_ids[..., 0].numpy(), batch.valid.numpy(), strict=True):
            start = ids[0]
            room = 4 - start % 4
            assert valid.tolist() == [i < room for i in range(3)]
            assert ids.tolist() == [start + min(i, room - 1) for i in range(3)]
            cut_short += not valid.all()
    assert cut_short > 0


def test_every_frame_starts_windows(rng):
    store = noise_store(rng, episodes=2, length=5)
    store.actions[:] = (np.arange(10)[:, None] + 0.5) / 32 * 0.2 - 0.1
    sampler = WindowSampler(store, tiny_processor(), seed=0)
    first = torch.cat([sampler((step, 20, 1)).action_ids[:, 0, 0] for step in range(20)])
    assert set(first.tolist()) == set(range(10))


def test_places_move_with_the_crop(rng):
    store = noise_store(rng)
    place = np.full((len(store), 1, 2), (30.0, 20.0), np.float32)  # camera pixels (x, y)
    sampler = WindowSampler(store, tiny_processor(), seed=0, locate=lambda _: place)
    batch = sampler((0, 50, 2))
    assert batch.points is not None
    (height, width), (down, right) = TINY_IMAGES.crop, TINY_IMAGES.slack
    corner = torch.tensor([15.0, 10.0]) - batch.points[:, :, 0] * torch.tensor([width, height])
    assert torch.allclose(corner, corner.round(), atol=1e-3)
    assert torch.equal(corner[:, 0], corner[:, 1])  # one crop a window
    assert corner[..., 0].max().round() == right
    assert corner[..., 1].max().round() == down
    assert corner.min().round() == 0


def test_colours_change_alike_within_a_window(rng):
    pixels = torch.full((6, 3, 3, 4, 4), 100, dtype=torch.uint8)
    changed = ColourJitter()(pixels, rng)
    assert (changed == changed[:, :1]).all()
    assert len({tuple(window[0, :, 0, 0].tolist()) for window in changed}) > 1


def test_no_jitter_changes_nothing(rng):
    pixels = torch.from_numpy(rng.integers(0, 256, (2, 2, 3, 5, 6), dtype=np.uint8))
    still = ColourJitter(brightness=0, contrast=0, saturation=0, hue=0)
    assert (still(pixels, rng).int() - pixels.int()).abs().max() <= 1


def test_jitter_stays_near_the_official_ranges(rng):
    grey = torch.full((200, 1, 3, 2, 2), 128, dtype=torch.uint8)
    changed = ColourJitter()(grey, rng).float() / 255
    assert (changed - 128 / 255).abs().max() < 0.11  # grey has no contrast and no colour
    assert changed.std() > 0.03


def test_some_windows_say_their_task_in_other_words(rng):
    """As many as asked for, one sentence a window, and always one of its own episode's."""
    store, processor = noise_store(rng), tiny_processor()
    sayings = [(f"do {task}", f"please {task}") for task in store.tasks]
    sampler = WindowSampler(store, processor, seed=0, sayings=sayings, rephrased=0.5)
    plain = WindowSampler(store, processor, seed=0)
    ways = {
        processor.sentences(task).tobytes(): {processor.sentences(s).tobytes() for s in other}
        for task, other in zip(store.tasks, sayings, strict=True)
    }
    changed = 0
    for step in range(40):
        batch, own = sampler((step, 8, 2)), plain((step, 8, 2))
        assert torch.equal(batch.pixels, own.pixels)
        for said, task in zip(batch.instruction.numpy(), own.instruction.numpy(), strict=True):
            assert said.tobytes() in {task.tobytes()} | ways[task.tobytes()]
            changed += said.tobytes() != task.tobytes()
    assert 0.4 < changed / 320 < 0.6
