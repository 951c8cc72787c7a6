"""Camera bytes as our own networks take them."""

from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional as F


def unit_pixels(
    pixels: UInt8[Tensor, "N 3 H W"], size: tuple[int, int]
) -> Float[Tensor, "N 3 h w"]:
    """0 … 1, resized to `size` (height, width) where they have another."""
    x = pixels.float() / 255
    if tuple(x.shape[2:]) != tuple(size):
        x = F.interpolate(x, size, mode="bilinear", align_corners=False)
    return x
