"""Six steps of the released recipe on fixed data, against losses that were written down.

The network as published, with fewer blocks and layers, narrower behind the backbone, and on small
pictures; weights by formula, so that no other way of drawing them can move the losses.
A change of augmentation, loss, optimiser, batch norm, dropout or initial rate shows here. Where it
is meant, print the new numbers with `python -m pytest -s` and write them down in the same change.
"""

from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
import torch

from sayact.data.augmentation import PadThenCrop
from sayact.data.windows import WindowSampler
from sayact.experiments import find
from sayact.models.checkpoint import Checkpoint
from sayact.models.layers.efficientnet import B3
from sayact.models.rt1 import RT1
from sayact.schema import LANGUAGE_TABLE
from sayact.testing import noise_store, tiny_processor
from sayact.train import train
from sayact.train.log import read_log

RECIPE = find("rt1_b3_language_table")
STAGES = tuple(replace(stage, repeats=min(stage.repeats, 2)) for stage in B3.stages[:5])
MODEL = replace(
    RECIPE.model,
    bins=32,
    frames=3,
    picture=(64, 112),
    backbone=replace(B3, stages=STAGES, top=256),
    token_width=32,
    width=32,
    layers=2,
    head_dim=8,
)
CONFIG = replace(
    RECIPE.train, steps=6, frames_a_step=12, precision="float32", threads=1, log_every=1
)
GOLDEN = (5.243257, 4.904349, 4.750786, 4.003134, 4.858725, 4.655665)
TOLERANCE = 1e-4


def weights(model: RT1) -> dict[str, torch.Tensor]:
    """Uniform numbers from PCG64 of the name, as large as such a layer usually starts."""
    made = {}
    for name, value in model.state_dict().items():
        seed = int.from_bytes(sha256(name.encode()).digest()[:8], "big")
        raw = np.random.PCG64(seed).random_raw(value.numel())
        unit = (raw >> np.uint64(11)) * 2.0**-52 - 1  # from -1 to 1
        unit = torch.from_numpy(unit).view(value.shape).to(torch.float32)
        if not value.is_floating_point():
            made[name] = value
        elif "running_var" in name or (value.ndim == 1 and name.endswith("weight")):
            made[name] = 1 + 0.1 * unit
        elif value.ndim == 1:
            made[name] = 0.1 * unit
        else:
            made[name] = unit * (3 / value[0].numel()) ** 0.5
    return made


def losses(out, config=CONFIG, model_config=MODEL, shift=RECIPE.shift, jitter=RECIPE.jitter):
    store, processor = noise_store(np.random.default_rng(0)), tiny_processor()
    model = RT1(model_config)
    model.load_state_dict(weights(model))
    sampler = WindowSampler(store, processor, seed=0, jitter=jitter, shift=shift)

    def describe(state):
        return Checkpoint(
            weights=state, config={}, action_space=LANGUAGE_TABLE, processor=processor.to_json()
        )

    train(config, model, sampler, out=out, describe=describe)
    return np.array([row["loss"] for row in read_log(out)])


def test_losses_are_the_ones_written_down(tmp_path):
    found = losses(tmp_path)
    print([round(float(loss), 6) for loss in found])
    assert found == pytest.approx(np.array(GOLDEN), abs=TOLERANCE)


@pytest.mark.parametrize(
    "change",
    [
        {"shift": None},
        {"shift": PadThenCrop(rows=60)},
        {"shift": PadThenCrop(shared=False)},
        {"config": replace(CONFIG, learning_rate=1.2e-4)},
        {"config": replace(CONFIG, warmup_steps=2)},
        {"config": replace(CONFIG, clip_norm=1.0, epsilon=1e-2)},
        {"config": replace(CONFIG, batch_norm="running")},
        {"config": replace(CONFIG, weight_decay=5.0)},
        {"model_config": replace(MODEL, soft_bins=1.0)},
        {"model_config": replace(MODEL, dropout=0.2)},
        {"model_config": replace(MODEL, backbone=replace(MODEL.backbone, drop_path=0.1))},
    ],
    ids=lambda change: ",".join(change),
)
def test_the_written_losses_would_notice(tmp_path, change):
    assert abs(losses(tmp_path, **change) - GOLDEN).max() > 5 * TOLERANCE
