"""LoRA trains adapters alone and is saved merged; rounded weights; running out of memory."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F
from vlm_examples import KINDS, Examples, examples

from sayact.config import to_json
from sayact.models.vlms.adapters import LoraConfig, merged_weights
from sayact.models.vlms.hub import HubVLM
from sayact.models.vlms.loading import from_config, load_vlm
from sayact.models.vlms.memory import OutOfMemoryError, memory_explained
from sayact.models.vlms.quantize import quantize_linears, stored_bytes
from sayact.schema.errors import MissingExtraError, SayactError

Folders = Callable[[str], Path]
each_kind = pytest.mark.parametrize("kind", KINDS)


def train(vlm: HubVLM, given: Examples, steps: int = 3) -> list[float]:
    """The losses of a few steps."""
    vlm.train()
    optimizer = torch.optim.Adam([p for p in vlm.parameters() if p.requires_grad], 1e-2)
    losses: list[float] = []
    for _ in range(steps):
        logits = vlm(given.pixels, given.tokens, given.prompt, given.answer)
        loss = F.cross_entropy(logits, given.tokens[given.answer])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    vlm.eval()
    return losses


@each_kind
def test_lora_trains_adapters_alone_and_merges(backbone: Folders, kind: str) -> None:
    plain = load_vlm(backbone(kind))
    vlm = load_vlm(backbone(kind), lora=LoraConfig(rank=4), checkpointing=True)
    given = examples(((4, 3), (2, 5)))
    torch.testing.assert_close(given.logits(vlm), given.logits(plain))  # without effect at first
    before = {name: value.clone() for name, value in vlm.state_dict().items()}
    losses = train(vlm, given)
    assert losses[-1] < losses[0]
    moved = {
        name for name, value in vlm.state_dict().items() if not torch.equal(value, before[name])
    }
    assert moved
    assert all("lora_" in name for name in moved)

    again = from_config(to_json(vlm.config))
    again.load_state_dict(merged_weights(vlm))  # by the names of a backbone without LoRA
    torch.testing.assert_close(given.logits(again), given.logits(vlm))
    assert not torch.allclose(given.logits(again), given.logits(plain), atol=1e-3)


def test_merging_leaves_a_plain_model_as_it_is(backbone: Folders) -> None:
    vlm = load_vlm(backbone("qwen3-vl"))
    merged = merged_weights(vlm)
    assert merged.keys() == vlm.state_dict().keys()
    assert all(torch.equal(merged[name], value) for name, value in vlm.state_dict().items())


def test_averaged_weights_merge_too(backbone: Folders) -> None:
    """What a run saves may be an average over its steps, by the names that training knows."""
    vlm = load_vlm(backbone("smolvlm"), lora=LoraConfig(rank=4))
    given = examples(((4, 3), (2, 5)))
    train(vlm, given)
    kept = {name: value.clone() for name, value in vlm.state_dict().items()}
    expected = given.logits(vlm)
    train(vlm, given)
    again = from_config(to_json(vlm.config))
    again.load_state_dict(merged_weights(vlm, kept))
    torch.testing.assert_close(given.logits(again), expected)


def test_lora_on_some_layers_and_on_words(backbone: Folders) -> None:
    config = LoraConfig(rank=2, modules=("text_model.layers.1.self_attn.q_proj",), embeddings=True)
    vlm = load_vlm(backbone("smolvlm"), lora=config)
    trained = {name for name, p in vlm.named_parameters() if p.requires_grad}
    layer = "body.text_model.layers.1.self_attn.q_proj.lora_{}.default.weight"
    assert trained == {layer.format("A"), layer.format("B"), "body.text_model.embed_tokens.weight"}


def test_lora_on_layers_that_are_not_there(backbone: Folders) -> None:
    with pytest.raises(SayactError, match=r"query; this backbone has .*down_proj.*q_proj"):
        load_vlm(backbone("paligemma"), lora=LoraConfig(modules=("q_proj", "query")))
    with pytest.raises(SayactError, match="no modules"):
        load_vlm(backbone("paligemma"), lora=LoraConfig(modules=()))
    with pytest.raises(SayactError, match="rank of at least 1"):
        LoraConfig(rank=0)
    with pytest.raises(SayactError, match="dropout"):
        LoraConfig(dropout=1.0)


@each_kind
@pytest.mark.parametrize(("bits", "allowed"), [("int8", 0.05), ("int4", 0.5)])
def test_rounded_weights_are_smaller_and_near(
    backbone: Folders, kind: str, bits: str, allowed: float
) -> None:
    """Most tiny random networks are off by a tenth of this; PaliGemma 2 scales errors up."""
    exact, rounded = load_vlm(backbone(kind)), load_vlm(backbone(kind), quantize=bits)
    given = examples(((4, 5), (6, 2)))
    expected, found = given.logits(exact), given.logits(rounded)
    assert 0 < (found - expected).norm() / expected.norm() < allowed
    assert stored_bytes(rounded) < stored_bytes(exact)
    merged = merged_weights(rounded)  # in full again, by the plain names
    assert merged.keys() == exact.state_dict().keys()
    exact.load_state_dict(merged)
    # int8 rounds activations too when it acts.
    assert (given.logits(exact) - found).norm() / expected.norm() < (
        0.03 if bits == "int8" else 1e-5
    )


@pytest.mark.parametrize(
    ("bits", "dtype", "off_by"),
    [
        ("int8", torch.float32, 0.02),
        ("int4", torch.float32, 1e-4),
        (None, torch.bfloat16, 0.02),
        ("int4", torch.bfloat16, 0.02),
    ],
)
def test_adapters_train_beside_small_weights(
    backbone: Folders, bits: str | None, dtype: torch.dtype, off_by: float
) -> None:
    """QLoRA: what is saved is the rounded weight and the adapter in one."""
    vlm = load_vlm(backbone("smolvlm"), quantize=bits, dtype=dtype, lora=LoraConfig(rank=4))
    given = examples(((4, 3), (2, 5)))
    losses = train(vlm, given)
    assert losses[-1] < losses[0]
    again = from_config(to_json(vlm.config), dtype=dtype)
    again.load_state_dict(merged_weights(vlm))
    expected = given.logits(vlm)
    assert (given.logits(again) - expected).norm() / expected.norm() < off_by


@pytest.mark.parametrize(
    ("package", "extra", "options"),
    [
        ("transformers", "vlm", {}),
        ("peft", "vlm", {"lora": LoraConfig()}),
        ("bitsandbytes", "quantize", {"quantize": "int8"}),
    ],
)
def test_what_is_not_installed_is_named(
    backbone: Folders,
    monkeypatch: pytest.MonkeyPatch,
    package: str,
    extra: str,
    options: dict[str, Any],
) -> None:
    folder = backbone("smolvlm")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"{package}.*sayact\[{extra}\]"):
        load_vlm(folder, **options)


def test_bits_that_do_not_exist(backbone: Folders) -> None:
    with pytest.raises(SayactError, match="int8 or int4; got 'int3'"):
        quantize_linears(load_vlm(backbone("smolvlm")), "int3")  # pyright: ignore


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried …"),
        MemoryError(),
    ],
)
def test_out_of_memory_names_the_ways_out(error: Exception) -> None:
    with (
        pytest.raises(OutOfMemoryError, match=r"64 examples.*batch size.*checkpointing.*LoRA"),
        memory_explained(batch=64),
    ):
        raise error


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="shapes"), memory_explained(batch=1):
        raise RuntimeError("shapes do not match")
