"""RT-1's shapes, mask, losses, and the parameter counts of the published network."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from sayact.data.windows import WindowSampler
from sayact.experiments.runs import locate_task
from sayact.models import describe
from sayact.models.losses import bin_loss, pointing_loss
from sayact.models.rt1 import RT1, attention_mask
from sayact.models.shapes import NANO, PAPER
from sayact.testing import noise_store, tiny_processor, tiny_rt1


@pytest.fixture
def batch(rng):
    sampler = WindowSampler(noise_store(rng), tiny_processor(), seed=0, locate=locate_task)
    return sampler((0, 5, 4))


def test_logits_for_every_frame_and_dimension(batch):
    logits = RT1(tiny_rt1())(batch.pixels, batch.instruction)
    assert logits.shape == (5, 4, 2, 32)


def test_parameters_of_the_published_network():
    """The facts of the released checkpoint, less its action embedding, which nothing ever reads."""
    model = RT1(PAPER)
    count = {name: _size(part) for name, part in model.tokenizer.named_children()}
    assert count == {
        "backbone": 14_398_040,
        "project": 786_432,
        "film": 525_312,
        "token_learner": 34_376,
    }
    assert _size(model.transformer.head) == 131_328
    assert re.search(r"FiLM in its blocks +3,701,808 ", describe(model))
    assert _size(model) == 35_252_128 - 131_584


def test_the_published_backbone_sees_nine_by_nine_places():
    model = RT1(PAPER).eval()
    with torch.no_grad():
        picture = torch.zeros(1, 3, 256, 320, dtype=torch.uint8)
        assert model.tokenizer.features(picture, torch.zeros(1, 512)).shape == (1, 512, 9, 9)


def test_nano_fits_the_box():
    assert 4 * _size(RT1(NANO)) < 12_000_000


def test_mask_as_drawn():
    config = replace(tiny_rt1(), image_tokens=2, frames=2)
    rows = ["".join("x" if see else "." for see in row) for row in attention_mask(config).tolist()]
    assert rows == [
        "x.......",
        "xx......",
        "xx......",
        "xx......",
        "xxxxx...",
        "xxxxxx..",
        "xx..xx..",
        "xx..xx..",
    ]


def test_later_frames_change_nothing_earlier(batch):
    model = RT1(tiny_rt1()).eval()
    changed = batch.pixels.clone()
    changed[:, 2:] = 255 - changed[:, 2:]
    with torch.no_grad():
        one, other = (model(p, batch.instruction) for p in (batch.pixels, changed))
    assert torch.equal(one[:, :2], other[:, :2])
    assert not torch.equal(one[:, 2:], other[:, 2:])


def test_earlier_frames_matter_later(batch):
    model = RT1(tiny_rt1()).eval()
    changed = batch.pixels.clone()
    changed[:, 0] = 255 - changed[:, 0]
    with torch.no_grad():
        one, other = (model(p, batch.instruction) for p in (batch.pixels, changed))
    assert not torch.allclose(one[:, 3], other[:, 3])


def test_frames_past_the_end_carry_no_loss(batch):
    model = RT1(tiny_rt1()).eval()
    valid = batch.valid.clone()
    valid[:, 3] = False
    ids = batch.action_ids.clone()
    ids[:, 3] = 31 - ids[:, 3]
    a = model.loss(replace(batch, valid=valid))
    b = model.loss(replace(batch, valid=valid, action_ids=ids))
    assert a.total == b.total
    assert a.total != model.loss(batch).total


def test_one_hot_and_soft_targets():
    ids = torch.tensor([[3], [0]])
    right = torch.full((2, 1, 8), -30.0).scatter(2, ids[..., None], 30.0)
    near = right.roll(1, 2)
    far = right.roll(4, 2)
    assert bin_loss(right, ids, 0.0) < 1e-6
    assert bin_loss(near, ids, 0.0) == pytest.approx(bin_loss(far, ids, 0.0))
    assert bin_loss(right, ids, 1.0) < bin_loss(near, ids, 1.0) < bin_loss(far, ids, 1.0)
    distance = torch.arange(8) - ids[..., None]
    perfect = torch.softmax(-0.5 * distance.float() ** 2, -1).log()
    assert bin_loss(perfect, ids, 1.0) == pytest.approx(0, abs=1e-6)


def test_pointing_is_best_at_the_place():
    maps = torch.full((1, 1, 4, 5), -20.0)
    maps[0, 0, 1, 3] = 20.0
    middle = torch.tensor([[[3.5 / 5, 1.5 / 4]]])
    assert pointing_loss(maps, middle) < 1e-6
    assert pointing_loss(maps, middle + 0.1) > 1
    assert torch.isfinite(pointing_loss(maps, torch.tensor([[[7.0, -3.0]]])))


def test_positions_spread_from_the_first_frame():
    model = RT1(tiny_rt1())
    model.begin_windows()
    table = model.transformer.position.weight.detach().unflatten(0, (4, -1))
    assert all(torch.equal(table[0], frame) for frame in table)


def test_held_statistics_stay_while_weights_learn(batch):
    model = RT1(tiny_rt1()).train()

    def statistics():
        return {k: v.clone() for k, v in model.named_buffers() if "running" in k}

    before = statistics()
    model.loss(batch)
    moved = statistics()
    assert any(not torch.equal(before[k], moved[k]) for k in before)
    model.hold_statistics()
    model.loss(batch).total.backward()
    held = statistics()
    assert all(torch.equal(moved[k], held[k]) for k in moved)
    assert all(p.grad is not None for p in model.tokenizer.parameters())


def test_single_frames_do_not_see_the_others(batch):
    """A window of one frame is the first slot of a longer one."""
    model = RT1(tiny_rt1()).eval()
    with torch.no_grad():
        whole = model(batch.pixels, batch.instruction)
        single = model(batch.pixels[:, :1], batch.instruction)
    assert torch.allclose(whole[:, :1], single, atol=1e-5)


def _size(module) -> int:
    return int(np.sum([p.numel() for p in module.parameters()]))
