"""Small tokenizers of three families, in the files that models on the hub come with.

The words of robot sentences come first in each vocabulary and rare letters at its end, as in a
tokenizer that was trained on much text: a codec that overwrites the least frequent tokens can be
tried on them. All three write a number digit by digit, as the real ones do.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

TOKENS = 1200  # learned ones; each family adds its own special ones
PLACES, SEGMENTS = 1024, 128  # of PaliGemma's vocabulary

PALIGEMMA_SPECIAL = ("<pad>", "<eos>", "<bos>", "<unk>")
SMOLVLM_SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<fake_token_around_image>",
    "<image>",
    "<global-img>",
    "<end_of_utterance>",
)
QWEN_SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
# How Qwen's tokenizer cuts text before it merges letters: one digit at a time.
QWEN_PIECES = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)

WORDS = [
    "what",
    "action",
    "should",
    "the",
    "robot",
    "take",
    "to",
    "push",
    "slide",
    "move",
    "separate",
    "block",
    "red",
    "blue",
    "green",
    "yellow",
    "moon",
    "star",
    "heart",
    "cube",
    "cylinder",
    "pentagon",
    "hexagon",
    "arm",
    "left",
    "right",
    "top",
    "bottom",
    "side",
    "of",
    "board",
    "and",
    "then",
    "where",
    "is",
    "how",
    "many",
    "are",
    "there",
    "near",
    "far",
    "from",
    "between",
    "above",
    "below",
    "effector",
    "plan",
    "answer",
    "question",
    "point",
    "show",
    "picture",
    "name",
    "colour",
    "shape",
    "sum",
    "two",
    "plus",
    "one",
    "three",
    "user",
    "assistant",
    "system",
]


def corpus() -> list[str]:
    """Robot sentences, and rarely words that mean nothing: the tail of the vocabulary."""
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    nonsense = ["".join(rng.choice(letters, 9)) for _ in range(400)]
    sentences = [" ".join(rng.choice(WORDS, 8)) for _ in range(400)]
    digits = [f"{rng.integers(1000)} {rng.integers(1000)}" for _ in range(50)]
    spoken = [s.capitalize() + "?" for s in sentences] + sentences
    return spoken + digits + nonsense + ["Q: A: X Y Plan: Action: User: Assistant:"] * 50


def save_paligemma_tokenizer(folder: Path) -> None:
    """SentencePiece's BPE as Gemma has it: a blank is "▁", unknown letters fall back to bytes."""
    from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers
    from tokenizers.models import BPE
    from tokenizers.processors import TemplateProcessing
    from tokenizers.trainers import BpeTrainer

    byte_tokens = [f"<0x{byte:02X}>" for byte in range(256)]
    tokenizer = Tokenizer(BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    # Training sees no two digits at once; then none are ever merged, as in Gemma's own vocabulary.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split("▁", "merged_with_next"), pre_tokenizers.Digits(True)]
    )
    trainer = BpeTrainer(
        vocab_size=TOKENS,
        show_progress=False,
        special_tokens=[*PALIGEMMA_SPECIAL, *byte_tokens],
        initial_alphabet=["\n", "▁", *"0123456789"],
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    places = [f"<loc{place:04d}>" for place in range(PLACES)]
    segments = [f"<seg{segment:03d}>" for segment in range(SEGMENTS)]
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in [*places, *segments]])
    tokenizer.add_special_tokens([AddedToken("<image>", normalized=False)])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    tokenizer.post_processor = TemplateProcessing(
        single="<bos> $A", special_tokens=[("<bos>", tokenizer.token_to_id("<bos>"))]
    )
    save(tokenizer, folder, eos_token="<eos>", bos_token="<bos>", pad_token="<pad>")
    _unmark_bytes(folder / "tokenizer.json", byte_tokens)


def save_smolvlm_tokenizer(folder: Path) -> None:
    """Byte-level BPE as SmolLM2 has it: digits apart, then GPT-2's way of cutting words."""
    from tokenizers import pre_tokenizers

    pieces = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer = _byte_level(pieces, SMOLVLM_SPECIAL)
    save(tokenizer, folder, eos_token="<end_of_utterance>", pad_token="<|im_end|>")


def save_qwen_tokenizer(folder: Path) -> None:
    """Byte-level BPE as Qwen2 has it: its own way of cutting words, composed letters."""
    from tokenizers import Regex, normalizers, pre_tokenizers

    pieces = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN_PIECES), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer = _byte_level(pieces, QWEN_SPECIAL)
    tokenizer.normalizer = normalizers.NFC()
    save(tokenizer, folder, eos_token="<|im_end|>", pad_token="<|endoftext|>")


def save(tokenizer: Any, folder: Path, **special: str) -> None:
    """tokenizer.json, and which tokens end an answer, pad a batch and begin a text."""
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(special, indent=2) + "\n")


def _byte_level(pieces: Any, special: tuple[str, ...]) -> Any:
    """The special tokens come after the learned ones, as in the files of both models."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from tokenizers.trainers import BpeTrainer

    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pieces
    trainer = BpeTrainer(
        vocab_size=TOKENS,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(special))
    return tokenizer


def _unmark_bytes(file: Path, byte_tokens: list[str]) -> None:
    """In Gemma's file the byte tokens are plain words: text that spells one is not one byte."""
    content = json.loads(file.read_text())
    content["added_tokens"] = [
        token for token in content["added_tokens"] if token["content"] not in byte_tokens
    ]
    file.write_text(json.dumps(content, ensure_ascii=False))
