"""Is it right what a model answers about pictures that it has never learned from?

    answers/table/pointing   0.84    share of right answers, by kind of picture and of question

An answer is right if its words are, and every place in it: within 3 cm on our own board, within 5 %
of the picture's width elsewhere.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float

from sayact.codecs.images import ImageCodec
from sayact.codecs.text import TextProcessor
from sayact.data.examples import Example
from sayact.data.vision_language.source import VisionLanguage
from sayact.envs.language_table.camera import unproject
from sayact.policies.decoding import PromptBatch, decode_text
from sayact.policies.rt2 import RT2Policy

TABLE = "table"  # a picture of our own board, from where the camera always is
NEAR_BOARD, NEAR_PICTURE = 0.03, 0.05  # metres; share of the picture's width
AT_ONCE = 50  # questions
PREFIX = "answers"

# Examples, the most tokens of an answer → the answers' tokens.
Answer = Callable[[Sequence[Example], int], list[list[int]]]


def measure_answers(source: VisionLanguage, answer: Answer, most: int) -> dict[str, float]:
    """Name → share of right answers, of up to `most` held-out questions of each kind and scene."""
    return {
        f"{PREFIX}/{name}": float(np.mean(right))
        for name, right in right_answers(source, answer, most).items()
    }


def right_answers(source: VisionLanguage, answer: Answer, most: int) -> dict[str, list[bool]]:
    """The same, question by question: "table/pointing" → whether each was answered right."""
    found: dict[str, list[bool]] = {}
    for scene, kind in source.held_out_kinds():
        rows = source.held_out_rows(scene, kind, most)
        examples = [source.example(row) for row in rows]
        right: list[bool] = []
        for start in range(0, len(examples), AT_ONCE):
            some = examples[start : start + AT_ONCE]
            longest = max(len(example.answer) for example in some)
            right += [
                is_right(source.processor, told, example.answer, scene)
                for told, example in zip(answer(some, longest), some, strict=True)
            ]
        found[f"{scene}/{kind}"] = right
    return found


def answering(policy: RT2Policy) -> Answer:
    """How a policy answers: freely, the likeliest token each time."""
    vlm, tokenizer, device = policy.vlm, policy.processor.tokenizer, policy.device
    everything = torch.ones(vlm.vocabulary, dtype=torch.bool, device=device)

    def answer(examples: Sequence[Example], most_tokens: int) -> list[list[int]]:
        asked = [(example.pixels, example.prompt) for example in examples]
        spoken = decode_text(
            vlm,
            PromptBatch.of(asked, tokenizer.pad, device),
            everything,
            end=tokenizer.end,
            most_tokens=most_tokens,
        )
        return [list(one.tokens) for one in spoken]

    return answer


def is_right(
    processor: TextProcessor, told: Sequence[int], expected: Sequence[int], scene: str
) -> bool:
    """Whether the tokens say the same; the end token may be there or not."""
    said, meant = (_read(processor, tokens) for tokens in (told, expected))
    if said[0] != meant[0] or len(said[1]) != len(meant[1]):
        return False
    return all(
        are_near(processor.images, one, other, scene)
        for one, other in zip(said[1], meant[1], strict=True)
    )


def are_near(
    images: ImageCodec,
    one: Sequence[float],
    other: Sequence[float],
    scene: str,
) -> bool:
    """Two places in 0…1 of the model picture, as acting crops it."""
    pixels = in_camera(images, np.array([one, other], np.float64))
    if scene == TABLE:
        first, second = unproject(pixels)
        return bool(np.hypot(*(first - second)) <= NEAR_BOARD)
    first, second = pixels
    return bool(np.hypot(*(first - second)) <= NEAR_PICTURE * images.camera[1])


def in_camera(images: ImageCodec, points: Float[np.ndarray, "P 2"]) -> Float[np.ndarray, "P 2"]:
    """Places in 0…1 of the centred crop → (x, y) in pixels of the camera picture."""
    return images.to_picture_units(points) * images.camera[::-1]


def _read(processor: TextProcessor, tokens: Sequence[int]) -> tuple[str, list[tuple[float, float]]]:
    """The words of an answer in lower case, "@" where a place stands, and its places."""
    text = processor.tokenizer.decode([t for t in tokens if t != processor.tokenizer.end])
    words = processor.places.blank(text, " @ ").lower().split()
    return " ".join(words), processor.places.read(text)
