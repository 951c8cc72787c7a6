"""How fast could it be? The arithmetic of one control step over what this machine can multiply."""

import time
from collections.abc import Callable, Iterable, Mapping

import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from sayact.models.rt1 import RT1, RT1Config
from sayact.policies.engines.streamlined import Frame, Window

SIZES = (1024, 2048)  # of square matrices; the faster of the two counts
# Both networks can be computed in these. int8 is for the transformer's matrices only.
BOTH_NETWORKS = ("float32", "bfloat16")


def step_flops(
    config: RT1Config, picture: tuple[int, int], cache: bool = True
) -> tuple[float, float]:
    """Operations of one control step, a multiplication and an addition being two.

    Of the image network for the new frame (for all frames of the window without the cache), and of
    one pass of the transformer over the window. Counted is what must run: not the sentence's scales
    and shifts, which are the same until the next instruction, and of the last layer only the rows
    that are read.
    """
    with torch.device("meta"), torch.no_grad():
        model = RT1(config).eval()
        frame, window = Frame(model.tokenizer), Window(model)
        pixels = torch.zeros(1, 3, *picture, dtype=torch.uint8)
        steering = torch.zeros(1, frame.steering)
        tokens = torch.zeros(1, config.frames, config.image_tokens, config.token_width)
        with FlopCounterMode(display=False) as image:
            frame(pixels, steering)
        with FlopCounterMode(display=False) as transformer:
            window(tokens, torch.zeros(1, dtype=torch.int64))
    seen = 1 if cache else config.frames
    return float(seen * image.get_total_flops()), float(transformer.get_total_flops())


def roofline_ms(flops: tuple[float, float], rates: Mapping[str, float]) -> float:
    """The least milliseconds of a step: its operations at the fastest rate for both networks."""
    return 1e3 * sum(flops) / max(rates[precision] for precision in BOTH_NETWORKS)


def fastest(measured: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The highest rate of each precision: the other measurements were disturbed."""
    best: dict[str, float] = {}
    for rates in measured:
        best |= {name: max(rate, best.get(name, 0.0)) for name, rate in rates.items()}
    return best


def matmul_rates(seconds: float) -> dict[str, float]:
    """Operations a second of large matrix products, by precision, on the threads PyTorch uses.

    seconds: how long each product is repeated; the best time counts.
    """
    return {
        name: max(_rate(make(size), size, seconds) for size in SIZES for make in products)
        for name, products in {
            "float32": (_linear(torch.float32), _convolution(torch.float32)),
            "bfloat16": (_linear(torch.bfloat16), _convolution(torch.bfloat16)),
            "int8": (_integers,),
        }.items()
    }


def _linear(dtype: torch.dtype) -> Callable[[int], Callable[[], object]]:
    def make(size: int) -> Callable[[], object]:
        a, b = torch.ones(size, size, dtype=dtype), torch.ones(size, size, dtype=dtype)
        return lambda: F.linear(a, b)

    return make


def _convolution(dtype: torch.dtype) -> Callable[[int], Callable[[], object]]:
    """The same product as a 1 × 1 convolution: another library, in float32 a faster one on AMD."""

    def make(size: int) -> Callable[[], object]:
        picture = torch.ones(1, size, 32, size // 32, dtype=dtype)
        picture = picture.to(memory_format=torch.channels_last)
        weights = torch.ones(size, size, 1, 1, dtype=dtype)
        return lambda: F.conv2d(picture, weights)

    return make


def _integers(size: int) -> Callable[[], object]:
    a, b = (torch.ones(size, size, dtype=torch.int8) for _ in range(2))
    return lambda: torch._int_mm(a, b)  # pyright: ignore


@torch.inference_mode()
def _rate(product: Callable[[], object], size: int, seconds: float) -> float:
    """Of the best run: on a busy machine the others measure the neighbours."""
    product()
    best, end = float("inf"), time.perf_counter() + seconds
    while best == float("inf") or time.perf_counter() < end:
        began = time.perf_counter()
        product()
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best
