"""One tokenizer of every family that backbones come with, and how it can write actions."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sayact.codecs.nano_tokenizer import nano_tokenizer
from sayact.codecs.tokens import JsonTokenizer, load_tokenizer
from sayact.testing.tiny_tokenizers import (
    save_paligemma_tokenizer,
    save_qwen_tokenizer,
    save_smolvlm_tokenizer,
)
from sayact.testing.tiny_vlm import byte_tokenizer


def _saved(save: Callable[[Path], None]) -> JsonTokenizer:
    with TemporaryDirectory() as folder:
        save(Path(folder))
        return load_tokenizer(folder)


MAKERS: dict[str, Callable[[], JsonTokenizer]] = {
    "bytes": byte_tokenizer,
    "nano": nano_tokenizer,
    "paligemma": lambda: _saved(save_paligemma_tokenizer),
    "smolvlm": lambda: _saved(save_smolvlm_tokenizer),
    "qwen": lambda: _saved(save_qwen_tokenizer),
}
FAMILIES = tuple(MAKERS)
NUMERIC, SYMBOLIC = ("bytes", "nano"), ("nano", "paligemma", "smolvlm", "qwen")
# What a backbone of the family puts between prompt and answer.
CLOSINGS = {
    "bytes": "",
    "nano": "",
    "paligemma": "\n",
    "smolvlm": "<end_of_utterance>\nAssistant:",
    "qwen": "<|im_end|>\n<|im_start|>assistant\n",
}


@cache
def tokenizer_of(family: str) -> JsonTokenizer:
    return MAKERS[family]()
