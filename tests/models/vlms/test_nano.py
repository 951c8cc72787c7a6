"""rt2-nano's backbone: who sees whom, and that a cache changes nothing."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sayact.models.layers.attention import Layer
from sayact.models.vlms.nano import NanoVLM
from sayact.testing.tiny import tiny_nano

VISIONS = ("film", "stem")
PROMPTS, ANSWERS = (5, 9, 3), (4, 2, 6)


@pytest.fixture(params=VISIONS)
def model(request: pytest.FixtureRequest) -> NanoVLM:
    torch.manual_seed(0)
    return NanoVLM(tiny_nano(vision=request.param)).eval()


def batch() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randint(0, 256, (3, 3, 16, 28), dtype=torch.uint8, generator=generator)
    tokens = torch.randint(0, 40, (3, 12), generator=generator)
    index = torch.arange(12)
    ends = torch.tensor(PROMPTS)[:, None]
    prompt = index[None] < ends
    answer = ~prompt & (index[None] < ends + torch.tensor(ANSWERS)[:, None])
    return pixels, tokens, prompt, answer


@torch.no_grad()
def test_cache_gives_what_the_whole_sequence_gives(model: NanoVLM) -> None:
    """Prompts of three lengths in one batch, answers one token at a time."""
    pixels, tokens, prompt, answer = batch()
    whole = model(pixels, tokens, prompt, answer)
    rows = torch.split(whole, list(ANSWERS))
    logits, cache = model.prefill(pixels, tokens, prompt, max(ANSWERS) - 1)
    for place in range(max(ANSWERS)):
        for example, row in enumerate(rows):
            if place < len(row):
                torch.testing.assert_close(logits[example], row[place], atol=1e-5, rtol=1e-4)
        if place < max(ANSWERS) - 1:
            at = (torch.tensor(PROMPTS) + place).clamp(max=11)
            logits = model.step(tokens[torch.arange(3), at], cache)


@torch.no_grad()
def test_cache_that_is_full_says_so(model: NanoVLM) -> None:
    pixels, tokens, prompt, _ = batch()
    _, cache = model.prefill(pixels, tokens, prompt, 1)
    model.step(torch.zeros(3, dtype=torch.int64), cache)
    with pytest.raises(IndexError, match="room"):
        model.step(torch.zeros(3, dtype=torch.int64), cache)


@torch.no_grad()
def test_batch_gives_what_each_alone_gives(model: NanoVLM) -> None:
    pixels, tokens, prompt, answer = batch()
    rows = torch.split(model(pixels, tokens, prompt, answer), list(ANSWERS))
    for one, (row, length) in enumerate(zip(rows, PROMPTS, strict=True)):
        end = length + ANSWERS[one]
        part = slice(one, one + 1), slice(0, end)
        alone = model(pixels[part[0]], tokens[part], prompt[part], answer[part])
        torch.testing.assert_close(alone, row, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_an_answer_depends_on_picture_prompt_and_what_came_before(model: NanoVLM) -> None:
    pixels, tokens, prompt, answer = batch()
    before = torch.split(model(pixels, tokens, prompt, answer), list(ANSWERS))[0]

    def changed(place: int) -> Tensor:
        other = tokens.clone()
        other[0, place] = (other[0, place] + 1) % 40
        return torch.split(model(pixels, other, prompt, answer), list(ANSWERS))[0]

    third = PROMPTS[0] + 2
    after = changed(third)
    torch.testing.assert_close(after[:3], before[:3])
    assert not torch.allclose(after[3], before[3])
    assert not torch.allclose(changed(0), before)
    torch.testing.assert_close(changed(11), before)  # padding
    other = model(255 - pixels, tokens, prompt, answer)
    assert not torch.allclose(torch.split(other, list(ANSWERS))[0], before)


@torch.no_grad()
def test_prompt_is_read_both_ways(model: NanoVLM) -> None:
    """What the first word means depends on the last: a prefix, not a past."""
    pixels, tokens, prompt, answer = batch()
    seen: list[Tensor] = []

    def note(module: nn.Module, given: Any, found: Tensor) -> None:
        seen.append(found)

    layer = model.layers[0]
    assert isinstance(layer, Layer)
    hook = layer.norm_forward.register_forward_hook(note)  # it has seen all tokens, in rows
    model(pixels, tokens, prompt, answer)
    other = tokens.clone()
    other[0, PROMPTS[0] - 1] = (other[0, PROMPTS[0] - 1] + 1) % 40
    model(pixels, other, prompt, answer)
    hook.remove()
    first_word = model.image_tokens  # the image tokens stand before it
    assert not torch.allclose(seen[0][first_word], seen[1][first_word])


def test_input_and_output_words_are_one_table(model: NanoVLM) -> None:
    names = [name for name, value in model.named_parameters() if value.shape == (40, 16)]
    assert names == ["words.weight"]


def test_film_eyes_see_with_the_question() -> None:
    """Once FiLM is not the identity, another question gives other image tokens; a stem's do not."""
    for vision in VISIONS:
        torch.manual_seed(0)
        model = NanoVLM(tiny_nano(vision=vision)).eval()
        for name, value in model.named_parameters():
            if "film" in name:
                torch.nn.init.normal_(value, std=0.5)
        pixels, tokens, prompt, _ = batch()
        words = model.embed(tokens, torch.arange(12))
        with torch.no_grad():
            one = model.see(pixels, words, prompt)[0]
            two = model.see(pixels, words.flip(2), prompt)[0]
        assert torch.allclose(one, two) == (vision == "stem")
