"""RT-2 that is small enough for a test: its processor, its backbone, and its checkpoint."""

from dataclasses import replace
from pathlib import Path

import torch

from sayact.codecs.text import TextProcessor, text_processor
from sayact.models.checkpoint import save_checkpoint
from sayact.models.vlms.nano import NanoVLM
from sayact.policies.rt2_checkpoint import describe_rt2
from sayact.schema import LANGUAGE_TABLE, ActionSpace
from sayact.testing.tiny import TINY_IMAGES, tiny_nano
from sayact.testing.tiny_vlm import byte_tokenizer


def tiny_text_processor(action_space: ActionSpace = LANGUAGE_TABLE) -> TextProcessor:
    """Reads 36 × 64 pictures and writes bytes; actions are integers."""
    return text_processor(byte_tokenizer(), action_space, TINY_IMAGES)


def tiny_nano_vlm(processor: TextProcessor, seed: int = 0) -> NanoVLM:
    """An untrained backbone of rt2-nano's kind for a processor's words."""
    config = replace(
        tiny_nano(processor.tokenizer.size, vision="stem"),
        context=256,  # a token a letter
        picture=processor.images.crop,
    )
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        return NanoVLM(config).eval()


def save_tiny_rt2(folder: str | Path, processor: TextProcessor | None = None) -> Path:
    """A checkpoint that acts, asks and answers, all of it badly."""
    processor = processor or tiny_text_processor()
    save_checkpoint(Path(folder), describe_rt2(tiny_nano_vlm(processor), processor))
    return Path(folder)
