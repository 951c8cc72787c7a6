"""From a backbone's folder to a policy that acts: every part there is, on tiny networks."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from sayact.codecs.text import TextProcessor, text_processor
from sayact.codecs.tokens import load_tokenizer
from sayact.models.checkpoint import read_checkpoint, save_checkpoint
from sayact.models.rt2 import RT2
from sayact.models.vlms.adapters import LoraConfig, merged_weights
from sayact.models.vlms.loading import load_vlm
from sayact.policies.rt2_checkpoint import build_rt2, describe_rt2
from sayact.schema import LANGUAGE_TABLE, Observation
from sayact.schema.batches import TextBatch
from sayact.testing.tiny import TINY_IMAGES

SENTENCES = "push the red moon", "move the blue cube to the left of the star"


def batch(
    processor: TextProcessor, rng: np.random.Generator
) -> tuple[TextBatch, list[Observation]]:
    """Two robot examples of different lengths, padded."""
    seen = [
        Observation(image=rng.integers(0, 256, (36, 64, 3), dtype=np.uint8), instruction=sentence)
        for sentence in SENTENCES
    ]
    answer = processor.answer_action(np.array([0.01, -0.05], np.float32))
    pictures, prompts = zip(*map(processor.observe, seen), strict=True)
    rows = [torch.tensor([*prompt, *answer]) for prompt in prompts]
    tokens = torch.nn.utils.rnn.pad_sequence(rows, True, processor.tokenizer.pad)
    place, starts = torch.arange(tokens.shape[1]), torch.tensor([[len(p)] for p in prompts])
    prompt = place < starts
    return TextBatch(
        pixels=torch.from_numpy(np.stack(pictures)),
        tokens=tokens,
        prompt=prompt,
        answer=(place < starts + len(answer)) & ~prompt,
        source=torch.zeros(2, dtype=torch.long),
        sources=("robot",),
    ), seen


@pytest.mark.parametrize("kind", ["paligemma2", "smolvlm", "qwen2.5-vl"])
def test_train_with_lora_save_and_act(
    backbone: Callable[[str], Path], kind: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    torch.manual_seed(0)  # peft draws the adapters
    tokenizer = load_tokenizer(backbone(kind))
    vlm = load_vlm(backbone(kind), lora=LoraConfig(rank=8, embeddings=True))
    processor = text_processor(
        tokenizer, LANGUAGE_TABLE, TINY_IMAGES, vocabulary="symbols", closing=vlm.closing
    )
    examples, seen = batch(processor, rng)
    model = RT2(vlm).channels_last("cpu").train()
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], 1e-2)
    losses: list[float] = []
    for _ in range(60):
        loss = model.loss(examples).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 4

    described = describe_rt2(model.eval().vlm, processor, weights=merged_weights(model))
    save_checkpoint(tmp_path / "checkpoint", described)
    policy = build_rt2(read_checkpoint(tmp_path / "checkpoint"))  # neither peft nor the folder
    policy.reset()
    action = policy.act(seen[1])
    half_a_bin = 0.2 / 256 / 2
    np.testing.assert_allclose(action.values, [0.01, -0.05], atol=half_a_bin)
    assert policy.ask(seen[0].image, "what is this?", most_tokens=3).tokens.shape <= (3,)
