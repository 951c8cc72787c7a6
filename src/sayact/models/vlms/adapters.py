"""LoRA: the backbone stays as it is, and small matrices beside its linear layers learn.

    x ──▶ W (frozen) ──────────────┐
    └──▶ A (rank × in) ──▶ B ──▶ × alpha / rank ──▶ +      arXiv 2106.09685 section 4

Saved merged: a checkpoint has W + alpha / rank · BA, under the names that it has without LoRA.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from sayact.models.vlms.hub import HubVLM
from sayact.models.vlms.quantize import dense_weight, hush_bitsandbytes, is_quantized
from sayact.schema.errors import MissingExtraError, SayactError

ADAPTER = "default"  # peft's name for the only one
FROZEN = ".base_layer"  # where peft puts the layer that an adapter stands beside


@dataclass(frozen=True, kw_only=True)
class LoraConfig:
    """rank: rows of A. alpha: their weight times the rank, so that it need not follow the rank.

    modules: linear layers by the end of their name, such as "q_proj"; None takes all, in the
    vision tower too. embeddings: also train the table of word vectors, whole; a codec that gives
    rare tokens a new meaning may want that.
    """

    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.0
    modules: tuple[str, ...] | None = None
    embeddings: bool = False

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise SayactError(f"LoRA needs a rank of at least 1; got {self.rank}")
        if not 0 <= self.dropout < 1:
            raise SayactError(f"LoRA's dropout is a share from 0 to under 1; got {self.dropout}")


def add_lora(vlm: HubVLM, config: LoraConfig) -> None:
    """Freeze a backbone and put adapters beside its layers, in place; they start without effect."""
    hush_bitsandbytes()  # peft imports it where it is there
    try:
        import peft
    except ImportError as missing:
        raise MissingExtraError("peft", "vlm") from missing
    for parameter in vlm.parameters():
        parameter.requires_grad_(False)
    settings = peft.LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,  # pyright: ignore[reportArgumentType] a float works as well
        lora_dropout=config.dropout,
        target_modules=chosen_layers(vlm.body, config.modules),
    )
    peft.inject_adapter_in_model(settings, vlm.body, ADAPTER)
    if config.embeddings:
        vlm.token_embedding.weight.requires_grad_(True)
        if vlm.readout is not None:
            vlm.readout.weight.requires_grad_(True)


def chosen_layers(body: nn.Module, modules: tuple[str, ...] | None) -> list[str]:
    """Full names of the linear layers that `modules` means, which must mean something each."""
    linear = [name for name, layer in body.named_modules() if isinstance(layer, nn.Linear)]
    if modules is None:
        return linear
    unknown = [m for m in modules if not any(_ends(name, m) for name in linear)]
    if unknown or not modules:
        available = sorted({name.split(".")[-1] for name in linear})
        raise SayactError(
            f"LoRA was asked for {', '.join(unknown) or 'no modules'}; this backbone has linear "
            f"layers that end in: {', '.join(available)}. Leave `modules` out to take all."
        )
    return [name for name in linear if any(_ends(name, m) for m in modules)]


def _ends(name: str, end: str) -> bool:
    return name == end or name.endswith(f".{end}")


def merged_weights(
    model: nn.Module, weights: Mapping[str, Tensor] | None = None
) -> dict[str, Tensor]:
    """Weights by the names that the same model has without adapters and without quantisation.

    `model` may be anything with backbones in it. weights: by the model's own names, such as
    averaged ones; None: those in it. Without adapters they come back as they are.
    """
    weights = model.state_dict() if weights is None else weights
    layers: dict[str, Any] = dict(model.named_modules())
    adapted = [name for name, layer in layers.items() if hasattr(layer, "lora_A")]
    rounded = [name for name, layer in layers.items() if is_quantized(layer)]
    inside = tuple(f"{name}." for name in (*adapted, *rounded))
    merged = {name: value for name, value in weights.items() if not name.startswith(inside)}
    for name in (*adapted, *(n for n in rounded if not n.endswith(FROZEN))):
        base = f"{name}{FROZEN}" if name in adapted else name
        layer = layers[base]
        weight = dense_weight(layer) if base in rounded else weights[f"{base}.weight"]
        if name in adapted:
            down, up = (weights[f"{name}.lora_{part}.{ADAPTER}.weight"] for part in "AB")
            change = layers[name].scaling[ADAPTER] * up.float() @ down.float()
            weight = (weight.float() + change).to(weight.dtype)
        merged[f"{name}.weight"] = weight.detach()
        if layer.bias is not None:
            merged[f"{name}.bias"] = weights[f"{base}.bias"].detach()
    return merged
