"""A checkpoint that does not fit itself is refused by name, before it acts."""

from dataclasses import replace

import pytest
import torch

from sayact.config import ConfigError, to_json
from sayact.models.checkpoint import Checkpoint, save_checkpoint
from sayact.models.rt1 import RT1
from sayact.policies.loading import build_policy, load_policy
from sayact.schema import LANGUAGE_TABLE
from sayact.schema.errors import CheckpointError, SayactError
from sayact.testing import tiny_processor, tiny_rt1


@pytest.fixture
def checkpoint():
    return Checkpoint(
        weights=RT1(tiny_rt1()).state_dict(),
        config={"model": "rt1", "architecture": to_json(tiny_rt1())},
        action_space=LANGUAGE_TABLE,
        processor=tiny_processor().to_json(),
    )


def test_a_run_stands_for_its_newest_checkpoint(tmp_path, checkpoint):
    for step, value in ((10, 1.0), (20, 2.0)):
        weights = {k: torch.full_like(v, value) for k, v in checkpoint.weights.items()}
        folder = tmp_path / "steps" / f"{step:08d}" / "checkpoint"
        save_checkpoint(folder, replace(checkpoint, weights=weights))
    policy = load_policy(tmp_path)
    assert policy.engine.model.transformer.head.bias[0] == 2  # type: ignore[attr-defined]


def test_weights_of_other_shapes_are_named(checkpoint):
    weights = checkpoint.weights | {"transformer.head.bias": torch.zeros(7)}
    with pytest.raises(CheckpointError, match=r"transformer\.head\.bias \(7,\) for \(32,\)"):
        build_policy(replace(checkpoint, weights=weights))


def test_missing_weights_are_named(checkpoint):
    weights = dict(checkpoint.weights)
    del weights["transformer.head.bias"]
    with pytest.raises(CheckpointError, match=r"transformer\.head\.bias None"):
        build_policy(replace(checkpoint, weights=weights))


def test_another_model_is_refused(checkpoint):
    with pytest.raises(CheckpointError, match="'rt9'"):
        build_policy(replace(checkpoint, config={"model": "rt9"}))


def test_no_architecture_is_refused(checkpoint):
    with pytest.raises(ConfigError, match="RT1Config"):
        build_policy(replace(checkpoint, config={"model": "rt1"}))


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(SayactError, match=r"no device 'gpu' here; there are: cpu"):
        load_policy("rt1-nano", device="gpu")
