"""Tokens out of a language model: actions under constraint, text in freedom (RT-2 section 3.2).

    action    prefill ─▶ logits ─▶ only words of dimension 0 ─▶ step ─▶ … ─▶ only words of A-1
    text      prefill ─▶ logits ─▶ any word but those of actions ─▶ step ─▶ … ─▶ the end, or enough

An action is A tokens, never fewer or more, and each is one that its dimension has: what the model
would rather say does not matter, and is reported as the mass that fell on illegal tokens.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor

from sayact.models.vlms.vlm import VLM
from sayact.policies.policy import require_sound


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Draw tokens by their probability instead of taking the likeliest.

    temperature: what logits are divided by; under 1 the likely becomes likelier.
    """

    temperature: float
    generator: torch.Generator


@dataclass(frozen=True, kw_only=True)
class PromptBatch:
    """`B` pictures with the prompts about them, on the model's device."""

    pixels: UInt8[Tensor, "B 3 H W"]
    tokens: Int64[Tensor, "B N"]
    prompt: Bool[Tensor, "B N"]

    @classmethod
    def of(
        cls, asked: Sequence[tuple[np.ndarray, Sequence[int]]], pad: int, device: str = "cpu"
    ) -> "PromptBatch":
        """From pictures (3, H, W) and their tokens; shorter prompts are padded at the right."""
        longest = max(len(tokens) for _, tokens in asked)
        tokens = torch.full((len(asked), longest), pad)
        prompt = torch.zeros(len(asked), longest, dtype=torch.bool)
        for row, (_, given) in enumerate(asked):
            tokens[row, : len(given)] = torch.tensor(given)
            prompt[row, : len(given)] = True
        pixels = torch.as_tensor(np.stack([picture for picture, _ in asked]))
        return cls(pixels=pixels.to(device), tokens=tokens.to(device), prompt=prompt.to(device))


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One token a row. Probabilities are among legal tokens; `illegal` is what the others had."""

    tokens: Int64[Tensor, "B *A"]
    probabilities: Float[Tensor, "B *A"]
    illegal: Float[Tensor, "B *A"]


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """What one row said, its end token left off; `ended`: it came to an end by itself."""

    tokens: tuple[int, ...]
    probabilities: tuple[float, ...]
    ended: bool


def choose(
    logits: Float[Tensor, "B V"], legal: Bool[Tensor, "V"], sampling: Sampling | None = None
) -> Choice:
    """One legal token a row: the likeliest, or a drawn one.

    Raises BadActionError for logits that are not finite.
    """
    logits = logits.float()
    require_sound(bool(logits.isfinite().all()))
    allowed = logits.masked_fill(~legal, -torch.inf)
    if sampling is None:
        tokens = allowed.argmax(-1)
    else:
        # The largest after Gumbel noise is a draw from the softmax, and -inf is never the largest.
        waiting = torch.empty_like(allowed, device=sampling.generator.device)
        waiting.exponential_(generator=sampling.generator)
        noise = -waiting.clamp(min=torch.finfo(waiting.dtype).tiny).log()
        tokens = (allowed / sampling.temperature + noise.to(allowed.device)).argmax(-1)
    mass, whole = allowed.logsumexp(-1), logits.logsumexp(-1)
    chosen = allowed.gather(-1, tokens[:, None])[:, 0]
    return Choice(
        tokens=tokens,
        probabilities=(chosen - mass).exp(),
        illegal=(-(mass - whole).expm1()).clamp(0, 1),
    )


@torch.inference_mode()
def decode_actions(
    vlm: VLM,
    asked: PromptBatch,
    legal: Bool[Tensor, "A V"],
    sampling: Sampling | None = None,
    watch: Callable[[Float[Tensor, "B V"]], None] | None = None,
) -> Choice:
    """An action for every row: (B, A) tokens, with their probabilities and the illegal mass.

    `watch` is shown the logits of each dimension before its token is chosen.
    """
    logits, cache = vlm.prefill(asked.pixels, asked.tokens, asked.prompt, len(legal) - 1)
    choices: list[Choice] = []
    for dimension in legal:
        if choices:
            logits = vlm.step(choices[-1].tokens, cache)
        if watch is not None:
            watch(logits)
        choices.append(choose(logits, dimension, sampling))
    return Choice(
        tokens=torch.stack([c.tokens for c in choices], 1),
        probabilities=torch.stack([c.probabilities for c in choices], 1),
        illegal=torch.stack([c.illegal for c in choices], 1),
    )


@torch.inference_mode()
def decode_text(
    vlm: VLM,
    asked: PromptBatch,
    legal: Bool[Tensor, "V"],
    *,
    end: int,
    most_tokens: int,
    sampling: Sampling | None = None,
    enough: Callable[[Sequence[int]], bool] | None = None,
) -> list[Spoken]:
    """What every row says until its end token, `most_tokens`, or until what it said is `enough`.

    `end` must be legal. Rows that are done wait for the others.
    """
    rows = len(asked.tokens)
    said: list[list[int]] = [[] for _ in range(rows)]
    chances: list[list[float]] = [[] for _ in range(rows)]
    ended, done = [False] * rows, [False] * rows
    logits, cache = vlm.prefill(asked.pixels, asked.tokens, asked.prompt, most_tokens - 1)
    for left in range(most_tokens - 1, -1, -1):
        choice = choose(logits, legal, sampling)
        for row in range(rows):
            if done[row]:
                continue
            token, chance = int(choice.tokens[row]), float(choice.probabilities[row])
            if token == end:
                ended[row] = done[row] = True
                continue
            said[row].append(token)
            chances[row].append(chance)
            done[row] = enough is not None and enough(said[row])
        if all(done) or not left:
            break
        logits = vlm.step(choice.tokens, cache)
    return [
        Spoken(tokens=tuple(tokens), probabilities=tuple(probabilities), ended=end_said)
        for tokens, probabilities, end_said in zip(said, chances, ended, strict=True)
    ]
