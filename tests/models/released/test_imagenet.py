"""ImageNet weights in every layout people have them in become the same backbone."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from released_tiny import TINY, random_weights
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import EfficientNetConfig, EfficientNetForImageClassification, EfficientNetModel

from sayact.models.layers.efficientnet import B3, EfficientNet
from sayact.models.released.imagenet import backbone_weights, import_backbone, load_backbone
from sayact.models.rt1 import RT1
from sayact.schema.errors import CheckpointError

BACKBONE = "tokenizer.backbone."
# Blocks of the seven stages of B3 (depth 1.4), arXiv 1905.11946 table 1.
REPEATS = (2, 3, 3, 5, 5, 6, 2)


@cache
def ours() -> dict[str, Tensor]:
    """Random backbone weights by our names."""
    weights = random_weights(TINY)
    return {
        name.removeprefix(BACKBONE): value
        for name, value in weights.items()
        if name.startswith(BACKBONE)
        and ".film." not in name
        and not name.endswith("num_batches_tracked")
    }


def blocks() -> Iterator[tuple[int, int, int]]:
    """(number, stage, repeat) of every block, stages from 1."""
    plan = [(s, r) for s, repeats in enumerate(REPEATS, 1) for r in range(repeats)]
    yield from ((number, stage, repeat) for number, (stage, repeat) in enumerate(plan))


def torchvision_names() -> dict[str, str]:
    """Our modules → torchvision's, as torchvision/models/efficientnet.py nests them."""
    names = {"stem.1": "features.0.0", "stem.2": "features.0.1"}
    names |= {"top.1": "features.8.0", "top.2": "features.8.1"}
    for number, stage, repeat in blocks():
        mine, there = f"blocks.{number}.layers", f"features.{stage}.{repeat}.block"
        squeeze = 1 if stage == 1 else 2
        for place in (0, 1, 2, 3)[: squeeze + 2]:
            if place == squeeze:
                names[f"{mine}.{place}.reduce"] = f"{there}.{place}.fc1"
                names[f"{mine}.{place}.expand"] = f"{there}.{place}.fc2"
            else:
                names[f"{mine}.{place}.1"] = f"{there}.{place}.0"
                names[f"{mine}.{place}.2"] = f"{there}.{place}.1"
    return names


def keras_names() -> dict[str, str]:
    """Our modules → Keras' layers, as keras/applications/efficientnet.py names them."""
    names = {"stem.1": "stem_conv", "stem.2": "stem_bn", "top.1": "top_conv", "top.2": "top_bn"}
    for number, stage, repeat in blocks():
        parts = [("expand_conv", "expand_bn"), ("dwconv", "bn"), (), ("project_conv", "project_bn")]
        there = f"block{stage}{'abcdef'[repeat]}_"
        for place, part in enumerate(parts[stage == 1 :]):
            mine = f"blocks.{number}.layers.{place}"
            leaves = ("1", "2") if part else ("reduce", "expand")
            for leaf, name in zip(leaves, part or ("se_reduce", "se_expand"), strict=True):
                names[f"{mine}.{leaf}"] = there + name
    return names


def test_the_names_are_the_documented_ones() -> None:
    assert torchvision_names()["blocks.2.layers.2.reduce"] == "features.2.0.block.2.fc1"
    assert torchvision_names()["blocks.0.layers.0.1"] == "features.1.0.block.0.0"
    assert keras_names()["blocks.23.layers.3.2"] == "block6f_project_bn"
    assert keras_names()["blocks.0.layers.0.1"] == "block1a_dwconv"


def split(name: str) -> tuple[str, str]:
    module, _, leaf = name.rpartition(".")
    return module, leaf


def same_as_ours(weights: dict[str, Tensor]) -> None:
    assert set(weights) == set(ours())
    for name, value in ours().items():
        torch.testing.assert_close(weights[name], value, msg=name)


def torchvision_state() -> dict[str, Tensor]:
    """The same network with torchvision's eps of 1e-5 instead of 1e-3."""
    names, state = torchvision_names(), dict[str, Tensor]()
    for name, value in ours().items():
        module, leaf = split(name)
        variance = ours().get(f"{module}.running_var")
        if variance is not None and leaf == "weight":
            value = value * ((variance + 1e-5) / (variance + 1e-3)).sqrt()
        state[f"{names[module]}.{leaf}"] = value
        if leaf == "running_var":
            state[f"{names[module]}.num_batches_tracked"] = torch.tensor(9)
    return state | {"classifier.1.weight": torch.zeros(1000, 1536)}


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_torchvision(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"efficientnet_b3{suffix}"
    state = torchvision_state()
    torch.save(state, file) if suffix == ".pth" else save_file(state, file)
    same_as_ours(backbone_weights(file))


def test_keras(tmp_path: Path) -> None:
    leaves = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean"}
    leaves |= {"running_var": "moving_variance"}
    with h5py.File(tmp_path / "efficientnetb3_notop.h5", "w") as file:
        for name, value in ours().items():
            module, leaf = split(name)
            layer, array, there = keras_names()[module], value.numpy(), leaves[leaf]
            if "conv" in layer or "_se_" in layer:
                there = "bias" if leaf == "bias" else "kernel"
                there = "depthwise_kernel" if "dwconv" in layer else there
            if array.ndim == 4:
                array = array.transpose((2, 3, 0, 1) if "dwconv" in layer else (2, 3, 1, 0))
            file[f"{layer}/{layer}/{there}:0"] = array
        file["normalization/normalization/mean:0"] = np.zeros(3)
    same_as_ours(backbone_weights(tmp_path / "efficientnetb3_notop.h5"))


def hugging_face(padded: tuple[int, ...]) -> EfficientNetModel:
    """A B3 whose weights are random, but keep the size of what goes through them."""
    config = EfficientNetConfig(
        image_size=300,
        width_coefficient=1.2,
        depth_coefficient=1.4,
        hidden_dim=1536,
        depthwise_padding=padded,
    )
    model = EfficientNetForImageClassification(config).eval()
    generator = torch.Generator().manual_seed(3)
    for name, value in model.state_dict().items():
        noise = torch.empty(value.shape).uniform_(-1, 1, generator=generator)
        if value.ndim == 4:
            value.copy_(noise * (5 / value[0].numel()) ** 0.5)
        elif name.endswith("running_var") or name.endswith("weight"):
            value.copy_(1 + 0.3 * noise)
        elif value.ndim == 1:
            value.copy_(0.1 * noise)
    return model.efficientnet


@pytest.mark.parametrize(
    ("padding", "padded"),
    [("same", (5, 18)), ("keras", ())],
    ids=["google/efficientnet-b3", "RT-1"],
)
def test_hugging_face_computes_the_same(
    padding: str, padded: tuple[int, ...], tmp_path: Path
) -> None:
    """google/efficientnet-b3's config.json pads blocks 5 and 18 on both sides: SAME at 300."""
    theirs = hugging_face(padded)
    theirs.save_pretrained(tmp_path)
    network = EfficientNet(replace(B3, padding=padding), context=1).eval()
    missing, extra = network.load_state_dict(backbone_weights(tmp_path), strict=False)
    assert not extra
    assert all(".film." in name or "num_batches" in name for name in missing)
    pixels = torch.rand(2, 3, 300, 300, generator=torch.Generator().manual_seed(4))
    with torch.inference_mode():
        mine = network(pixels, torch.zeros(2, 1))
        other = theirs((pixels - network.mean) / network.std).last_hidden_state
    assert mine.shape == (2, 1536, 10, 10) if padding == "same" else (2, 1536, 9, 9)
    assert mine.abs().max() > 0.1, "the signal has not died out on the way"
    torch.testing.assert_close(mine, other, rtol=1e-5, atol=1e-5 * float(other.abs().max()))


def test_a_classifier_is_a_backbone_too(tmp_path: Path) -> None:
    model = hugging_face(())
    state = {f"efficientnet.{n}": v.contiguous() for n, v in model.state_dict().items()}
    save_file(state | {"classifier.weight": torch.zeros(2, 2)}, tmp_path / "model.safetensors")
    assert len(backbone_weights(tmp_path)) == len(ours())


def test_what_is_imported_is_read_again_and_loaded(tmp_path: Path) -> None:
    torch.save(torchvision_state(), tmp_path / "b3.pth")
    out = tmp_path / "new" / "b3.safetensors"
    backbone = import_backbone(tmp_path / "b3.pth", out)
    assert backbone.layout == "torchvision"
    # EfficientNet-B3 without its head, statistics counted: 10.7 M trainable and 87,296.
    assert backbone.parameters == 10_696_232 + 87_296
    assert [p.name for p in out.parent.iterdir()] == ["b3.safetensors"]
    same_as_ours(load_file(out))

    model = RT1(TINY)
    before = {n: v.clone() for n, v in model.state_dict().items()}
    assert load_backbone(model, out) == "Sayact"
    same_as_ours({n: model.tokenizer.backbone.state_dict()[n] for n in ours()})
    changed = {n for n, v in model.state_dict().items() if not torch.equal(v, before[n])}
    assert all(name.removeprefix(BACKBONE) in ours() for name in changed)


def test_every_misfit_is_listed(tmp_path: Path) -> None:
    state = torchvision_state()
    del state["features.0.0.weight"], state["features.8.1.bias"]
    state["features.8.0.weight"] = torch.zeros(1280, 384, 1, 1)
    state["features.0.0.weight"] = torch.zeros(40, 3, 3, 3)
    state["features.9.0.weight"] = torch.zeros(2)
    save_file(state, tmp_path / "x.safetensors")
    with pytest.raises(CheckpointError) as error:
        backbone_weights(tmp_path / "x.safetensors")
    lines = str(error.value).splitlines()
    assert lines[0].startswith(f"{tmp_path / 'x.safetensors'}: 3 variables do not fit")
    assert "missing: features.8.1.bias, shape (1536,)" in lines[1]
    assert "features.8.0.weight is (1280, 384, 1, 1), should be (1536, 384, 1, 1)" in lines[2]
    assert "extra: features.9.0.weight" in lines[3]
    assert lines[4].startswith("Give the whole checkpoint")


class Pickled:
    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("this must not run",))


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("x.safetensors", b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        ("x.safetensors", b"hello there", "cannot be read"),
        ("x.pth", b"hello there", "cannot be read"),
        ("x.h5", b"hello there", "cannot be read"),
        ("pytorch_model.bin", b"", "save_pretrained"),
    ],
)
def test_a_broken_file_is_named(name: str, content: bytes, named: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    path = tmp_path if name.startswith("pytorch") else tmp_path / name
    with pytest.raises(CheckpointError, match=named):
        backbone_weights(path)


def test_no_code_in_a_pth_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"features.0.0.weight": Pickled()}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"x\.pth cannot be read"):
        backbone_weights(tmp_path / "x.pth")
    assert "must not run" not in capsys.readouterr().out


def test_other_weights_are_refused(tmp_path: Path) -> None:
    save_file({"conv1.weight": torch.zeros(2)}, tmp_path / "resnet.safetensors")
    with pytest.raises(CheckpointError, match=r"no EfficientNet .*conv1\.weight"):
        backbone_weights(tmp_path / "resnet.safetensors")
    with pytest.raises(CheckpointError, match=r"\.safetensors"):
        import_backbone(tmp_path / "resnet.safetensors", tmp_path / "out.pth")
