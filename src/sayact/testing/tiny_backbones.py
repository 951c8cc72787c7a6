"""Tiny backbones with random weights, as folders in the format of the models on the hub.

    folder = save_tiny_backbone("paligemma", tmp_path)
    vlm = load_vlm(folder)

Each folder has config.json, model.safetensors, preprocessor_config.json and the files of a real
tokenizer of its family with a small vocabulary (testing/tiny_tokenizers.py).
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sayact.schema.errors import UnknownNameError
from sayact.testing import tiny_tokenizers

# Widths are as small as rotary embeddings and grouped heads allow.
TEXT = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}
SIGLIP = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
HALF = [0.5, 0.5, 0.5]
CLIP_MEAN, CLIP_STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]


def save_tiny_backbone(kind: str, folder: str | Path, seed: int = 0) -> Path:
    """Write a backbone of the kind (see `TINY_BACKBONES`) into a folder, and return that."""
    if kind not in TINY_BACKBONES:
        raise UnknownNameError("tiny backbone", kind, TINY_BACKBONES)
    import torch

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        network = TINY_BACKBONES[kind](folder)
        for parameter in network.parameters():  # zero biases and unit norms hide mistakes
            parameter.data.add_(torch.randn_like(parameter) * 0.02)
    network.save_pretrained(folder)
    return folder


def _paligemma(folder: Path) -> Any:
    return _paligemma_with(folder, model_type="gemma")


def _paligemma2(folder: Path) -> Any:
    # A window shorter than the sequences of the tests, so that half of the layers feel it.
    text = {"sliding_window": 24, "query_pre_attn_scalar": 8, "final_logit_softcapping": 30.0}
    return _paligemma_with(folder, model_type="gemma2", **text)


def _paligemma_with(folder: Path, **text: Any) -> Any:
    from transformers import PaliGemmaConfig, PaliGemmaForConditionalGeneration

    tiny_tokenizers.save_paligemma_tokenizer(folder)
    _save_preprocessor(folder, "SiglipImageProcessor", {"height": 56, "width": 56}, HALF, HALF)
    ids = _ids(folder)
    config = PaliGemmaConfig(
        vision_config={
            "model_type": "siglip_vision_model",
            **SIGLIP,
            "image_size": 56,
            "patch_size": 14,
            "vision_use_head": False,
        },
        text_config={**TEXT, "head_dim": 8, "vocab_size": len(ids), **text},
        image_token_index=ids["<image>"],
        projection_dim=TEXT["hidden_size"],
        hidden_size=TEXT["hidden_size"],
    )
    return PaliGemmaForConditionalGeneration(config)


def _smolvlm(folder: Path) -> Any:
    from transformers import SmolVLMConfig, SmolVLMForConditionalGeneration

    return SmolVLMForConditionalGeneration(SmolVLMConfig(**_idefics3_config(folder)))


def _idefics3(folder: Path) -> Any:
    from transformers import Idefics3Config, Idefics3ForConditionalGeneration

    return Idefics3ForConditionalGeneration(Idefics3Config(**_idefics3_config(folder)))


def _idefics3_config(folder: Path) -> Any:
    tiny_tokenizers.save_smolvlm_tokenizer(folder)
    _save_preprocessor(folder, "Idefics3ImageProcessor", {"longest_edge": 2048}, HALF, HALF)
    ids = _ids(folder)
    return {
        "vision_config": {**SIGLIP, "image_size": 64, "patch_size": 8},
        "text_config": {
            "model_type": "llama",
            **TEXT,
            "vocab_size": len(ids),
            "pad_token_id": ids["<|im_end|>"],
            "tie_word_embeddings": True,
        },
        "scale_factor": 2,
        "image_token_id": ids["<image>"],
        "tie_word_embeddings": True,
    }


def _qwen2_5_vl(folder: Path) -> Any:
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    tiny_tokenizers.save_qwen_tokenizer(folder)
    size = {"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 1280}
    _save_preprocessor(folder, "Qwen2VLImageProcessor", size, CLIP_MEAN, CLIP_STD)
    config = Qwen2_5_VLConfig(
        text_config=_qwen_text(folder, model_type="qwen2_5_vl_text"),
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "num_heads": 2,
            "intermediate_size": 48,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "window_size": 56,
            "fullatt_block_indexes": [1],
            "out_hidden_size": TEXT["hidden_size"],
        },
        **_qwen_tokens(folder),
        tie_word_embeddings=True,
    )
    return Qwen2_5_VLForConditionalGeneration(config)


def _qwen3_vl(folder: Path) -> Any:
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    tiny_tokenizers.save_qwen_tokenizer(folder)
    size = {"shortest_edge": 65536, "longest_edge": 16777216}
    _save_preprocessor(folder, "Qwen2VLImageProcessorFast", size, HALF, HALF)
    config = Qwen3VLConfig(
        text_config=_qwen_text(folder, model_type="qwen3_vl_text") | {"head_dim": 8},
        vision_config={
            "depth": 2,
            "hidden_size": 32,
            "num_heads": 2,
            "intermediate_size": 48,
            "patch_size": 16,
            "spatial_merge_size": 2,
            "num_position_embeddings": 64,
            "deepstack_visual_indexes": [0],
            "out_hidden_size": TEXT["hidden_size"],
        },
        **_qwen_tokens(folder),
        tie_word_embeddings=False,
    )
    return Qwen3VLForConditionalGeneration(config)


def _qwen_text(folder: Path, **more: Any) -> dict[str, Any]:
    # A head of 8 has 4 rotated pairs: 2 tell time, 1 the row and 1 the column.
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 1, 1]}
    ids = _ids(folder)
    ends = {"bos_token_id": ids["<|endoftext|>"], "eos_token_id": ids["<|im_end|>"]}
    return {**TEXT, **ends, "vocab_size": len(ids), "rope_parameters": rope, **more}


def _qwen_tokens(folder: Path) -> Any:
    ids = _ids(folder)
    return {
        "image_token_id": ids["<|image_pad|>"],
        "video_token_id": ids["<|video_pad|>"],
        "vision_start_token_id": ids["<|vision_start|>"],
        "vision_end_token_id": ids["<|vision_end|>"],
    }


def _ids(folder: Path) -> dict[str, int]:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab()


def _save_preprocessor(
    folder: Path, kind: str, size: dict[str, int], mean: list[float], std: list[float]
) -> None:
    content = {
        "image_processor_type": kind,
        "size": size,
        "image_mean": mean,
        "image_std": std,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(content, indent=2) + "\n")


# By name, how each is made: all the kinds that `load_vlm` knows.
TINY_BACKBONES: dict[str, Callable[[Path], Any]] = {
    "paligemma": _paligemma,
    "paligemma2": _paligemma2,
    "smolvlm": _smolvlm,
    "idefics3": _idefics3,
    "qwen2.5-vl": _qwen2_5_vl,
    "qwen3-vl": _qwen3_vl,
}
