"""Every backbone of the hub against transformers, and against itself."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from vlm_examples import KINDS, Examples, examples

from sayact.models.vlms.hub import HubVLM
from sayact.models.vlms.loading import load_vlm
from sayact.schema.errors import SayactError, ShapeError

Folders = Callable[[str], Path]
SMALL = (112, 168)  # pictures for Qwen that its tests can afford: 24 image tokens
each_kind = pytest.mark.parametrize("kind", KINDS)


def load(backbone: Folders, kind: str, **options: Any) -> HubVLM:
    size = {"qwen2.5-vl": SMALL, "qwen3-vl": (128, 192)}.get(kind)
    return load_vlm(backbone(kind), image_size=size, **options)


def asked_of_transformers(vlm: HubVLM, network: Any, one: Examples) -> Tensor:
    """Logits of one example's answer by transformers' own forward, picture merging included."""
    config = vlm.config
    image = network.config.image_token_id
    head = [*config.before, *[image] * vlm.image_tokens, *config.after]
    ids = torch.cat([torch.tensor([head]), one.tokens], 1)
    pictures = vlm._normalised(one.pixels)
    inputs: dict[str, Any] = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    if config.kind == "paligemma":
        both_ways = torch.cat([torch.ones(1, len(head), dtype=torch.bool), one.prompt], 1)
        inputs |= {"pixel_values": pictures, "token_type_ids": (~both_ways).long()}
    elif config.kind in ("idefics3", "smolvlm"):
        inputs |= {"pixel_values": pictures[:, None]}
    else:
        inputs |= qwen_inputs(config.kind, pictures, config.image_size)
        inputs |= {"mm_token_type_ids": (ids == image).int()}
    with torch.no_grad():
        logits = network(**inputs).logits
    return logits[0, len(head) - 1 : -1][one.answer[0]]


def qwen_inputs(kind: str, pictures: Tensor, size: tuple[int, int]) -> dict[str, Tensor]:
    """Patches as the library's own image processor cuts them."""
    from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

    patch = 14 if kind == "qwen2_5_vl" else 16
    flat, rows, columns = Qwen2VLImageProcessorPil().patchify(
        pictures[0].numpy(), patch, merge_size=2, temporal_patch_size=2
    )
    assert (rows * patch, columns * patch) == size
    return {
        "pixel_values": torch.from_numpy(flat.copy()),
        "image_grid_thw": torch.tensor([[1, rows, columns]]),
    }


@each_kind
def test_the_same_as_transformers(backbone: Folders, kind: str) -> None:
    """Also where PaliGemma 2's window of 24 tokens is shorter than the text."""
    from transformers import AutoModelForImageTextToText

    vlm = load(backbone, kind)
    network = AutoModelForImageTextToText.from_pretrained(backbone(kind)).eval()
    one = examples(((9, 40),))
    torch.testing.assert_close(one.logits(vlm), asked_of_transformers(vlm, network, one))


@each_kind
def test_a_later_answer_token_changes_nothing_before_it(backbone: Folders, kind: str) -> None:
    vlm, given = load(backbone, kind), examples(((5, 6),))
    other = given.tokens.clone()
    other[0, 8] += 1
    before, after = given.logits(vlm), replace(given, tokens=other).logits(vlm)
    changed = (before != after).any(-1)
    assert changed.tolist() == [False] * 4 + [True] * 2


@each_kind
def test_only_a_prefix_is_read_both_ways(backbone: Folders, kind: str) -> None:
    """The last word of the prompt reaches back into the picture's tokens, in PaliGemma alone."""
    vlm, given = load(backbone, kind), examples(((5, 2),))
    other = given.tokens.clone()
    other[0, 4] += 1

    def hidden(tokens: Tensor) -> Tensor:
        with torch.no_grad():
            return vlm._read(given.pixels, tokens, given.prompt, given.given, None)

    difference = (hidden(given.tokens) - hidden(other)).abs().amax(-1)[0] > 1e-5
    reached = difference[: vlm.preamble + 4]
    assert reached.all() if vlm.prefix_both_ways else not reached.any()
    assert difference[vlm.preamble + 4 :].all()


@each_kind
def test_the_picture_matters(backbone: Folders, kind: str) -> None:
    vlm, given = load(backbone, kind), examples(((5, 2),))
    other = replace(given, pixels=255 - given.pixels)
    assert not torch.allclose(given.logits(vlm), other.logits(vlm), atol=1e-5)


@each_kind
def test_a_batch_is_its_rows(backbone: Folders, kind: str) -> None:
    vlm, batch = load(backbone, kind), examples(((3, 4), (8, 2), (1, 1)))
    rows = [batch.row(i).logits(vlm) for i in range(3)]
    torch.testing.assert_close(batch.logits(vlm), torch.cat(rows))


@each_kind
def test_steps_with_a_cache_are_the_whole_at_once(backbone: Folders, kind: str) -> None:
    """Prompts of different lengths, padding between prompt and answer in the cache."""
    vlm, batch = load(backbone, kind), examples(((2, 30), (9, 30)))
    answers = batch.tokens[batch.answer].view(2, 30)
    logits, cache = vlm.prefill(batch.pixels, batch.tokens[:, :9], batch.prompt[:, :9], room=29)
    found = [logits, *(vlm.step(answers[:, i].contiguous(), cache) for i in range(29))]
    expected = batch.logits(vlm).view(2, 30, -1)
    torch.testing.assert_close(torch.stack(found, 1), expected)
    with pytest.raises(SayactError, match="room"):
        vlm.step(answers[:, 0].contiguous(), cache)


@each_kind
def test_sizes_come_from_the_config(backbone: Folders, kind: str) -> None:
    vlm = load(backbone, kind)
    expected = {"qwen2.5-vl": 4 * 6, "qwen3-vl": 4 * 6}.get(kind, 16)
    assert vlm.image_tokens == expected
    assert vlm.context == 512 - vlm.preamble
    assert len(vlm.token_embedding.weight) == vlm.vocabulary


@each_kind
def test_bfloat16_is_near(backbone: Folders, kind: str) -> None:
    given = examples(((5, 4), (3, 2)))
    exact, rough = (load(backbone, kind, dtype=d) for d in (torch.float32, torch.bfloat16))
    assert rough.token_embedding.weight.dtype == torch.bfloat16
    logits = given.logits(rough)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, given.logits(exact), atol=0.05, rtol=0.05)
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(given.logits(exact), logits, atol=0.05, rtol=0.05)


@each_kind
def test_checkpointing_gives_the_same_gradient(backbone: Folders, kind: str) -> None:
    """And every layer is computed twice for it."""
    given = examples(((5, 3), (4, 4)))
    gradients: list[Tensor] = []
    computed: list[bool] = []
    for checkpointing in (False, True):
        vlm = load(backbone, kind, checkpointing=checkpointing).train()
        for layer in vlm.decoder.layers:
            layer.mlp.register_forward_pre_hook(lambda *_, on=checkpointing: computed.append(on))
        logits = vlm(given.pixels, given.tokens, given.prompt, given.answer)
        torch.nn.functional.cross_entropy(logits, given.tokens[given.answer]).backward()
        gradients.append(
            torch.cat([p.grad.flatten() for p in vlm.parameters() if p.grad is not None])
        )
    assert computed == [False] * 2 + [True] * 4
    assert gradients[0].norm() > 0
    torch.testing.assert_close(*gradients)


def test_pictures_are_resized_as_the_library_does(backbone: Folders) -> None:
    """Within one level of brightness, on pictures of noise; a level is 2 / 255 for the network."""
    from transformers import SiglipImageProcessorPil

    vlm, pixels = load(backbone, "paligemma"), examples(((1, 1),)).pixels
    own = SiglipImageProcessorPil(size={"height": 56, "width": 56}, resample=3)
    theirs = own(pixels[0].permute(1, 2, 0).numpy(), return_tensors="pt")["pixel_values"]
    torch.testing.assert_close(vlm._normalised(pixels), theirs, atol=2.1 / 255, rtol=0)


def test_too_long_and_foreign_tokens_are_refused(backbone: Folders) -> None:
    vlm, given = load(backbone, "paligemma"), examples(((5, 600),))
    with pytest.raises(ShapeError, match="621 tokens, 16 of them the picture's"):
        given.logits(vlm)
    foreign = examples(((2, 2),))
    with pytest.raises(ShapeError, match="another backbone"):
        replace(foreign, tokens=foreign.tokens + 5000).logits(vlm)


def test_training_mode_has_no_cache(backbone: Folders) -> None:
    vlm, given = load(backbone, "smolvlm").train(), examples(((5, 1),))
    with pytest.raises(SayactError, match=r"eval\(\)"):
        vlm.prefill(given.pixels, given.tokens, given.prompt, room=1)
