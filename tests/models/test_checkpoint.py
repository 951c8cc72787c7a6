import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from sayact.config import ConfigError, from_json, to_json
from sayact.models.checkpoint import Checkpoint, read_checkpoint, save_checkpoint
from sayact.models.rt1 import RT1Config
from sayact.models.shapes import NANO
from sayact.schema import LANGUAGE_TABLE
from sayact.schema.errors import CheckpointError


@pytest.fixture
def checkpoint():
    return Checkpoint(
        weights={"a": torch.arange(6.0).view(2, 3)},
        config={"model": "rt1"},
        action_space=LANGUAGE_TABLE,
        processor={"bins": 7},
        card="# a card\n",
    )


def test_round_trip(tmp_path, checkpoint):
    save_checkpoint(tmp_path / "c", checkpoint)
    back = read_checkpoint(tmp_path / "c")
    assert torch.equal(back.weights["a"], checkpoint.weights["a"])
    assert (back.config, back.action_space, back.processor, back.card) == (
        checkpoint.config,
        LANGUAGE_TABLE,
        {"bins": 7},
        "# a card\n",
    )


def test_sentences_travel_with_their_vectors(tmp_path, checkpoint):
    vector = np.arange(512, dtype=np.float32)
    save_checkpoint(tmp_path / "c", replace(checkpoint, sentences={"open the drawer": vector}))
    assert (read_checkpoint(tmp_path / "c").sentences["open the drawer"] == vector).all()
    (tmp_path / "c" / "sentences.safetensors").write_bytes(b"broken")
    with pytest.raises(CheckpointError, match=r"sentences\.safetensors"):
        read_checkpoint(tmp_path / "c")


def test_saving_again_replaces_and_leaves_nothing_behind(tmp_path, checkpoint):
    for _ in range(2):
        save_checkpoint(tmp_path / "c", checkpoint)
    assert [p.name for p in tmp_path.iterdir()] == ["c"]


def test_missing_file_is_named(tmp_path, checkpoint):
    save_checkpoint(tmp_path / "c", checkpoint)
    (tmp_path / "c" / "processor.json").unlink()
    with pytest.raises(CheckpointError, match=r"processor\.json"):
        read_checkpoint(tmp_path / "c")


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_truncated_file_is_named(tmp_path, checkpoint, name):
    save_checkpoint(tmp_path / "c", checkpoint)
    file = tmp_path / "c" / name
    file.write_bytes(file.read_bytes()[:5])
    with pytest.raises(CheckpointError, match=name):
        read_checkpoint(tmp_path / "c")


def test_an_action_space_without_dimensions_is_named(tmp_path, checkpoint):
    save_checkpoint(tmp_path / "c", checkpoint)
    (tmp_path / "c" / "action_space.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"action_space\.json does not describe"):
        read_checkpoint(tmp_path / "c")


def test_configs_survive_json():
    data = json.loads(json.dumps(to_json(NANO)))
    assert from_json(RT1Config, data) == NANO


@pytest.mark.parametrize("change", [{"width": "wide"}, {"feed_forward": "deep"}])
def test_wrong_config_values_are_named(change):
    data = to_json(NANO) | change
    with pytest.raises(ConfigError, match=next(iter(change))):
        from_json(RT1Config, data)
