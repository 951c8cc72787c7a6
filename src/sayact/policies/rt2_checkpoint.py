"""RT-2 ⇄ checkpoint: what a folder says of a language model that acts, and the policy from it.

config.json       "model": "rt2", "vlm": {"kind", "config"}, "acting": {"plan_every"}
model.safetensors the backbone's weights, each name after "vlm."; bfloat16 or float32
processor.json, tokenizer.json      the TextProcessor
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from sayact.codecs.text import TextProcessor
from sayact.config import from_json, to_json
from sayact.models.checkpoint import Checkpoint
from sayact.models.vlms.nano import NanoVLM
from sayact.models.vlms.nano_config import NanoConfig
from sayact.models.vlms.vlm import VLM
from sayact.policies.rt2 import RT2Policy
from sayact.policies.weights import require_same_shapes
from sayact.schema.errors import CheckpointError

MODEL, PREFIX, NANO = "rt2", "vlm.", "nano"


def describe_rt2(
    vlm: VLM,
    processor: TextProcessor,
    *,
    weights: Mapping[str, Tensor] | None = None,
    config: Mapping[str, Any] | None = None,
    plan_every: int = 0,
    card: str = "",
) -> Checkpoint:
    """The checkpoint of a backbone that was trained with this processor.

    `weights` are names and values as `RT2` has them, where they are not the backbone's own of this
    moment; `config` is what else config.json should tell.
    """
    own = {PREFIX + name: value.detach() for name, value in vlm.state_dict().items()}
    architecture: Any = vlm.config
    kind = NANO if isinstance(vlm, NanoVLM) else architecture.kind
    return Checkpoint(
        weights=dict(own if weights is None else weights),
        config={
            "model": MODEL,
            "vlm": {"kind": kind, "config": to_json(architecture)},
            "acting": {"plan_every": plan_every},
            **(config or {}),
        },
        action_space=processor.action_space,
        processor=processor.to_json(),
        card=card,
        tokenizer=processor.tokenizer.to_file(),
    )


def build_rt2(
    checkpoint: Checkpoint, device: str = "cpu", plan_every: int | None = None
) -> RT2Policy:
    """The policy that a checkpoint describes; `plan_every` None: as the checkpoint says."""
    acting: Mapping[str, Any] = checkpoint.config.get("acting", {})
    return RT2Policy(
        build_vlm(checkpoint, device),
        build_text_processor(checkpoint),
        device=device,
        plan_every=acting.get("plan_every", 0) if plan_every is None else plan_every,
    )


def build_text_processor(checkpoint: Checkpoint) -> TextProcessor:
    """The processor that the checkpoint's backbone learned with."""
    if checkpoint.tokenizer is None:
        raise CheckpointError(
            "the checkpoint lacks tokenizer.json; a language model is nothing without its words"
        )
    return TextProcessor.from_json(
        checkpoint.processor, checkpoint.action_space, checkpoint.tokenizer
    )


def build_vlm(checkpoint: Checkpoint, device: str = "cpu") -> VLM:
    """The backbone with the checkpoint's weights in it.

    A CPU computes in float32 whatever the weights are stored as; elsewhere a backbone of the hub
    computes in what is stored.
    """
    described: Mapping[str, Any] = checkpoint.config.get("vlm", {})
    kind, config = described.get("kind"), described.get("config", {})
    weights = {n.removeprefix(PREFIX): w for n, w in checkpoint.weights.items()}
    if kind == NANO:
        vlm: VLM = NanoVLM(from_json(NanoConfig, config))
    elif kind is not None:
        from sayact.models.vlms.loading import from_config

        stored = next((w.dtype for w in weights.values() if w.is_floating_point()), torch.float32)
        vlm = from_config(config, dtype=torch.float32 if device == "cpu" else stored)
    else:
        raise CheckpointError('config.json of an RT-2 names its backbone under "vlm"; it does not')
    require_same_shapes(vlm, weights)
    vlm.load_state_dict(weights)
    return vlm.eval()
