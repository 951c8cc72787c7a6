"""The stand-in backbone keeps what `VLM` promises: prefix mask, and a cache that is no change."""

import pytest
import torch

from sayact.testing.tiny_vlm import TinyVLM, byte_tokenizer

LENGTHS, ANSWER = (4, 7, 5), 3  # tokens


@pytest.fixture
def texts() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Pictures, tokens, and where prompts and answers stand; prompts of three lengths."""
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randint(0, 256, (3, 3, 20, 30), generator=generator, dtype=torch.uint8)
    tokens = torch.randint(0, 500, (3, 12), generator=generator)
    prompt, answer = torch.zeros(2, 3, 12, dtype=torch.bool)
    for row, length in enumerate(LENGTHS):
        prompt[row, :length] = True
        answer[row, length : length + ANSWER] = True
    return pixels, tokens, prompt, answer


@pytest.fixture
def vlm() -> TinyVLM:
    torch.manual_seed(0)
    return TinyVLM().eval()


@torch.no_grad()
def test_token_by_token_is_all_at_once(vlm: TinyVLM, texts: tuple[torch.Tensor, ...]) -> None:
    pixels, tokens, prompt, answer = texts
    whole = vlm(pixels, tokens, prompt, answer).unflatten(0, (3, ANSWER))
    longest = max(LENGTHS)
    logits, cache = vlm.prefill(pixels, tokens[:, :longest], prompt[:, :longest], ANSWER - 1)
    rows = [logits]
    for place in range(ANSWER - 1):
        given = torch.stack([tokens[b, n + place] for b, n in enumerate(LENGTHS)])
        rows.append(vlm.step(given, cache))
    torch.testing.assert_close(torch.stack(rows, 1), whole, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_answers_look_back_and_prompts_look_both_ways(
    vlm: TinyVLM, texts: tuple[torch.Tensor, ...]
) -> None:
    pixels, tokens, prompt, answer = texts
    before = vlm(pixels, tokens, prompt, answer).unflatten(0, (3, ANSWER))
    later = tokens.clone()
    later[0, LENGTHS[0] + ANSWER - 1] += 1  # the last answer token of row 0: nobody looks at it
    torch.testing.assert_close(vlm(pixels, later, prompt, answer).unflatten(0, (3, ANSWER)), before)
    padding = tokens.clone()
    padding[0, LENGTHS[0] + ANSWER :] += 1
    torch.testing.assert_close(
        vlm(pixels, padding, prompt, answer).unflatten(0, (3, ANSWER)), before
    )
    asked = tokens.clone()
    asked[0, 0] += 1
    changed = vlm(pixels, asked, prompt, answer).unflatten(0, (3, ANSWER))
    assert (changed[0] != before[0]).any(-1).all()
    torch.testing.assert_close(changed[1:], before[1:])


def test_bytes_words_and_places_are_tokens() -> None:
    tokenizer = byte_tokenizer()
    text = "push to 12 or<end> <loc03> é"
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert len(tokenizer.encode(" 255")) == 1
    assert len(tokenizer.encode("<loc63>")) == 1
    assert tokenizer.encode("<end>") == [tokenizer.end]
