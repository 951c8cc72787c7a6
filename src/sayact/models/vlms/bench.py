"""What rounding a backbone's weights brings and costs: memory, time, and how far answers move.

The picture is noise and the text is drawn at random: what is in them costs nothing. How far logits
move in a network with drawn weights says how the rounding itself errs, and not how often a trained
policy then acts otherwise; measure that with `sayact eval`.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor

from sayact.models.device import require_device
from sayact.models.vlms.hub import HubConfig, HubVLM
from sayact.models.vlms.loading import from_config, load_vlm
from sayact.models.vlms.quantize import quantize_linears, stored_bytes

PROMPT, ANSWER = 24, 8  # tokens: a robot's prompt, and RT-2's eight numbers
EXAMPLES = 4  # whose answers are compared

# The shape of SmolVLM-256M (model card of HuggingFaceTB/SmolVLM-256M-Instruct), 256 M parameters,
# with the ids of its picture's neighbours made up: they do not matter here.
SMOLVLM_256M = HubConfig(
    network={
        "model_type": "smolvlm",
        "vision_config": {
            "hidden_size": 768,
            "intermediate_size": 3072,
            "num_hidden_layers": 12,
            "num_attention_heads": 12,
            "image_size": 512,
            "patch_size": 16,
        },
        "text_config": {
            "model_type": "llama",
            "hidden_size": 576,
            "intermediate_size": 1536,
            "num_hidden_layers": 30,
            "num_attention_heads": 9,
            "num_key_value_heads": 3,
            "max_position_embeddings": 8192,
            "vocab_size": 49280,
            "pad_token_id": 2,
            "tie_word_embeddings": False,
        },
        "scale_factor": 4,
        "image_token_id": 49190,
        "tie_word_embeddings": False,
    },
    before=(1, 11126, 42, 49189, 49152),
    after=(49189,),
    image_size=(512, 512),
    image_mean=(0.5, 0.5, 0.5),
    image_std=(0.5, 0.5, 0.5),
)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One row: what activations and other weights are in, and linear layers if in less."""

    dtype: Literal["float32", "bfloat16"]
    weights: Literal["int8", "int4"] | None = None


SETTINGS = (
    Setting(dtype="float32"),
    Setting(dtype="float32", weights="int8"),
    Setting(dtype="float32", weights="int4"),
    Setting(dtype="bfloat16"),
    Setting(dtype="bfloat16", weights="int8"),
    Setting(dtype="bfloat16", weights="int4"),
)


@dataclass(frozen=True)
class Task:
    """Examples that every setting is given."""

    pixels: UInt8[Tensor, "B 3 H W"]
    tokens: Int64[Tensor, "B N"]
    prompt: Bool[Tensor, "B N"]

    @classmethod
    def drawn(cls, vlm: HubVLM, device: str) -> "Task":
        random = torch.Generator().manual_seed(0)
        shape = EXAMPLES, PROMPT + ANSWER
        return cls(
            torch.randint(
                0, 256, (EXAMPLES, 3, *vlm.image_size), dtype=torch.uint8, generator=random
            ).to(device),
            torch.randint(0, vlm.vocabulary, shape, generator=random).to(device),
            (torch.arange(shape[1]) < PROMPT).expand(shape).to(device),
        )


def measure(
    backbone: str | None,
    *,
    device: str,
    steps: int,
    progress: Callable[[str], None],
    settings: Sequence[Setting] = SETTINGS,
) -> list[dict[str, Any]]:
    """A row for every setting; the first, which should be exact, is what the others are held to.

    backbone: a name or folder; None: drawn weights in the shape of SmolVLM-256M.
    """
    require_device(device)
    rows: list[dict[str, Any]] = []
    exact: Float[Tensor, "M V"] | None = None
    for setting in settings:
        progress(" ".join(filter(None, (setting.dtype, setting.weights))))
        vlm = prepared(backbone, setting, device)
        task = Task.drawn(vlm, device)
        with torch.no_grad():
            logits: Tensor = vlm(task.pixels, task.tokens, task.prompt, ~task.prompt).cpu()
        if exact is None:
            exact = logits
        rows.append(
            {
                **asdict(setting),
                "megabytes": stored_bytes(vlm) / 1e6,
                **act(vlm, task, device, steps),
                "error": float((logits - exact).norm() / exact.norm()),
                "same_choice": float((logits.argmax(-1) == exact.argmax(-1)).float().mean()),
            }
        )
    return rows


def prepared(backbone: str | None, setting: Setting, device: str) -> HubVLM:
    """A backbone of a setting, with the same weights before they are rounded."""
    dtype = getattr(torch, setting.dtype)
    if backbone is None:
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(0)
            vlm = from_config(asdict(SMOLVLM_256M)).to(dtype)
    else:
        vlm = load_vlm(backbone, dtype=dtype)
    if setting.weights is not None:
        quantize_linears(vlm, setting.weights)
    return vlm.to(device)


def act(vlm: HubVLM, task: Task, device: str, steps: int) -> dict[str, float]:
    """Milliseconds of one robot's prefill, and of every token after it; medians over some actions.

    The first action warms up and is not counted.
    """
    first: list[float] = []
    each: list[float] = []
    for _ in range(steps + 1):
        started = now(device)
        _, cache = vlm.prefill(
            task.pixels[:1], task.tokens[:1, :PROMPT], task.prompt[:1, :PROMPT], ANSWER
        )
        filled = now(device)
        for place in range(PROMPT, PROMPT + ANSWER):
            vlm.step(task.tokens[:1, place], cache)
        first.append(filled - started)
        each.append((now(device) - filled) / ANSWER)
    return {"prefill_ms": 1e3 * median(first[1:]), "step_ms": 1e3 * median(each[1:])}


def now(device: str) -> float:
    """Seconds, once the device has done what it was told."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter()
