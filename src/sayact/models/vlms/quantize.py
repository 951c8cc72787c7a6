"""Weights of the linear layers in 8 or 4 bits, by bitsandbytes: smaller memory, some error.

    int8   LLM.int8() (arXiv 2208.07339 section 3): one scale a row, and when acting one for what
           goes in, so that whole numbers are multiplied; columns with large values stay as they are
    int4   NF4 (arXiv 2305.14314 section 3): 16 levels spaced as normal numbers are, one scale for
           64 weights; multiplied in the precision of the activations

Word vectors, norms and convolutions keep their precision. Quantise after the weights are loaded.
What that costs in accuracy and brings in size and speed: results/vlm-quantisation.md.
"""

import logging
from typing import Any

from torch import Tensor, nn

from sayact.schema.errors import MissingExtraError, SayactError

BITS = "int8", "int4"
LARGE = 6.0  # arXiv 2208.07339 section 3.2: activations that are not rounded


def quantize_linears(model: nn.Module, bits: str) -> None:
    """Replace every linear layer inside, in place. A readout of its own keeps its precision.

    Weights are rounded where they are: at once on a CPU or GPU. They cannot be trained afterwards;
    adapters beside them can.
    """
    if bits not in BITS:
        raise SayactError(f"weights are kept in int8 or int4; got {bits!r}")
    bitsandbytes = _import_bitsandbytes()
    for name, layer in list(model.named_modules()):
        if not isinstance(layer, nn.Linear) or is_quantized(layer) or name.endswith("readout"):
            continue
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, _rounded(layer, bits, bitsandbytes))


def _rounded(layer: nn.Linear, bits: str, bitsandbytes: Any) -> nn.Module:
    weight, new = layer.weight.detach(), bitsandbytes.nn
    shape: dict[str, Any] = {"bias": layer.bias is not None, "device": "meta"}
    if bits == "int8":
        small = new.Linear8bitLt(
            layer.in_features,
            layer.out_features,
            has_fp16_weights=False,
            threshold=LARGE,
            **shape,
        )
        small.weight = new.Int8Params(weight.cpu(), requires_grad=False, has_fp16_weights=False)
    else:
        small = new.Linear4bit(
            layer.in_features,
            layer.out_features,
            compute_dtype=weight.dtype,
            quant_type="nf4",
            **shape,
        )
        small.weight = new.Params4bit(weight.cpu(), requires_grad=False, quant_type="nf4")
        # On some CPUs it would rearrange the weights at the first use, for widths in steps of 64
        # alone, and with code that it downloads.
        small.support_avx512bf16_for_cpu = False
    small.bias = layer.bias
    # The library rounds when the weight is moved, also to where it is.
    return small.to(weight.device).requires_grad_(False)


def is_quantized(layer: nn.Module) -> bool:
    """Whether `quantize_linears` made this layer."""
    return type(layer).__name__ in ("Linear8bitLt", "Linear4bit")


def dense_weight(layer: Any) -> Tensor:
    """The weight of a linear layer as it acts; rounded weights come in the precision they had."""
    if not is_quantized(layer):
        return layer.weight
    functional = _import_bitsandbytes().functional
    if type(layer).__name__ == "Linear4bit":
        return functional.dequantize_4bit(layer.weight.data, layer.weight.quant_state)
    return functional.int8_vectorwise_dequant(layer.weight.data, _row_scales(layer))


def stored_bytes(model: nn.Module) -> int:
    """Memory of all weights and buffers, scales of rounded ones included."""
    tensors: list[Tensor] = [*model.parameters(), *model.buffers()]
    for layer in model.modules():
        if is_quantized(layer):
            tensors += _scales(layer)
    return sum(t.numel() * t.element_size() for t in {id(t): t for t in tensors}.values())


def _scales(layer: Any) -> list[Tensor]:
    if type(layer).__name__ == "Linear8bitLt":
        return [_row_scales(layer)]
    return list(layer.weight.quant_state.as_dict(packed=True).values())


def _row_scales(layer: Any) -> Tensor:
    """They move from the weight to the layer at its first use."""
    return layer.state.SCB if layer.weight.SCB is None else layer.weight.SCB


def hush_bitsandbytes() -> None:
    """It would tell which kernels it lacks, and at every call that int8 goes through float16."""
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


def _import_bitsandbytes() -> Any:
    hush_bitsandbytes()
    try:
        import bitsandbytes
    except ImportError as missing:
        raise MissingExtraError("bitsandbytes", "quantize") from missing
    return bitsandbytes
