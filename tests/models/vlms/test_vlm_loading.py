"""Which folders become backbones, what is refused, and what a checkpoint of ours needs."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from vlm_examples import KINDS, examples

from sayact.config import to_json
from sayact.models.vlms.loading import UnfitBackboneError, from_config, load_vlm
from sayact.schema.errors import CheckpointError, ShapeError

Folders = Callable[[str], Path]


@pytest.fixture
def copy(backbone: Folders, tmp_path: Path) -> Path:
    """A folder of PaliGemma to spoil."""
    return Path(shutil.copytree(backbone("paligemma"), tmp_path / "copy"))


def edit(file: Path, **fields: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


@pytest.mark.parametrize("kind", KINDS)
def test_a_checkpoint_needs_no_folder(backbone: Folders, kind: str, tmp_path: Path) -> None:
    """Weights without duplicates go through safetensors, the rest through JSON."""
    vlm, given = load_vlm(backbone(kind)), examples(((4, 3),))
    save_file(vlm.state_dict(), tmp_path / "model.safetensors")
    again = from_config(json.loads(json.dumps(to_json(vlm.config))))
    assert not torch.allclose(given.logits(again), given.logits(vlm))
    again.load_state_dict(load_file(tmp_path / "model.safetensors"))
    assert torch.equal(given.logits(again), given.logits(vlm))
    assert again.closing == vlm.closing


def test_a_language_model_is_refused(copy: Path) -> None:
    (copy / "config.json").write_text('{"model_type": "llama", "vocab_size": 10}')
    with pytest.raises(UnfitBackboneError, match=r"'llama', which has no image tokens.*paligemma"):
        load_vlm(copy)


def test_another_vlm_is_named(copy: Path) -> None:
    (copy / "config.json").write_text('{"model_type": "llava", "vision_config": {}}')
    with pytest.raises(UnfitBackboneError, match=r"'llava', which Sayact does not know.*qwen3_vl"):
        load_vlm(copy)
    edit(copy / "config.json", model_type="paligemma")
    with pytest.raises(UnfitBackboneError, match="without a vision tower"):
        load_vlm(copy)


def test_pickles_are_not_read(copy: Path) -> None:
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(CheckpointError, match=r"no \.safetensors.*runs code"):
        load_vlm(copy)


def test_a_missing_weight_is_not_drawn(copy: Path) -> None:
    weights = load_file(copy / "model.safetensors")
    name = next(n for n in weights if n.endswith("layers.1.self_attn.q_proj.weight"))
    del weights[name]
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="1 weights are missing"):
        load_vlm(copy)


def test_a_broken_file_is_named(copy: Path) -> None:
    (copy / "model.safetensors").write_bytes(b"not one")
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_vlm(copy)
    (copy / "tokenizer.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"tokenizer\.json cannot be read"):
        load_vlm(copy)
    (copy / "tokenizer.json").unlink()
    with pytest.raises(CheckpointError, match=r"lacks tokenizer\.json"):
        load_vlm(copy)
    (copy / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"lacks config\.json"):
        load_vlm(copy)


def test_another_tokenizer_is_noticed(backbone: Folders, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(backbone("smolvlm"), tmp_path / "mixed"))
    shutil.copy(backbone("qwen3-vl") / "tokenizer.json", folder)
    with pytest.raises(CheckpointError, match="no token <fake_token_around_image>"):
        load_vlm(folder)


def test_a_name_that_the_hub_does_not_give(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline: what was never downloaded is refused with the name."""
    import huggingface_hub

    def refuse(name: str, **_: object) -> str:
        raise OSError(f"401 for {name}")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with pytest.raises(CheckpointError, match="'google/paligemma2' is neither a folder nor"):
        load_vlm("google/paligemma2")


def test_a_name_is_downloaded_without_pickles(
    backbone: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    asked: list[object] = []

    def download(name: str, *, allow_patterns: list[str]) -> str:
        asked.extend([name, allow_patterns])
        return str(backbone("qwen3-vl"))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert load_vlm("Qwen/tiny").config.kind == "qwen3_vl"
    assert asked == ["Qwen/tiny", ["*.json", "*.safetensors"]]


def test_picture_sizes(backbone: Folders) -> None:
    assert load_vlm(backbone("qwen2.5-vl")).image_size == (252, 448)
    assert load_vlm(backbone("qwen3-vl"), image_size=(64, 96)).image_tokens == 6
    with pytest.raises(ShapeError, match=r"multiples of 28.*nearest is \(56, 84\)"):
        load_vlm(backbone("qwen2.5-vl"), image_size=(60, 80))
    with pytest.raises(ShapeError, match="56 × 56 pixels and nothing else"):
        load_vlm(backbone("paligemma"), image_size=(112, 112))


def test_colours_come_from_the_folder(copy: Path) -> None:
    edit(copy / "preprocessor_config.json", image_mean=[0.1, 0.2, 0.3])
    assert load_vlm(copy).config.image_mean == (0.1, 0.2, 0.3)
    (copy / "preprocessor_config.json").unlink()
    assert load_vlm(copy).config.image_mean == (0.5, 0.5, 0.5)
