"""Colour changes for training pictures, in Language-Table's official ranges.

One draw a window: all its frames change alike, as a change of light would.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

# Luma weights of Rec. 601; rotating the two chroma axes about luma turns the hue.
RGB_TO_YIQ = torch.tensor(
    [[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]], dtype=torch.float64
)


@dataclass(frozen=True, kw_only=True)
class ColourJitter:
    """Half-widths: brightness as a share of white, hue in turns, the others as factors about 1."""

    brightness: float = 0.1
    contrast: float = 0.2
    saturation: float = 0.2
    hue: float = 0.03

    def __call__(
        self, pixels: UInt8[Tensor, "B T 3 H W"], rng: np.random.Generator
    ) -> UInt8[Tensor, "B T 3 H W"]:
        """Brightness, contrast, saturation and hue as one affine map of RGB a window."""
        draws = rng.uniform(-1, 1, (4, len(pixels)))
        matrix = self._matrix(draws[2] * self.saturation, draws[3] * self.hue)
        contrast = torch.from_numpy(1 + draws[1] * self.contrast).float()
        brightness = torch.from_numpy(draws[0] * self.brightness * 255).float()
        flat = pixels.transpose(1, 2).flatten(2).float()
        mean = flat.mean(2, keepdim=True)
        linear = contrast[:, None, None] * matrix.float()
        offset = matrix.float() @ mean - linear @ mean + brightness[:, None, None]
        # Half is added so that the cut to whole numbers rounds.
        changed = torch.baddbmm(offset + 0.5, linear, flat).clamp_(0, 255).to(torch.uint8)
        frames, height, width = pixels.shape[1], *pixels.shape[3:]
        return changed.unflatten(2, (frames, height, width)).transpose(1, 2)

    @staticmethod
    def _matrix(saturation: np.ndarray, hue: np.ndarray) -> Float[Tensor, "B 3 3"]:
        """RGB → YIQ, scale and turn the chroma, and back."""
        scale, angle = torch.from_numpy(1 + saturation), torch.from_numpy(2 * np.pi * hue)
        turn = torch.zeros(len(scale), 3, 3, dtype=torch.float64)
        turn[:, 0, 0] = 1
        turn[:, 1, 1] = turn[:, 2, 2] = scale * angle.cos()
        turn[:, 2, 1] = scale * angle.sin()
        turn[:, 1, 2] = -turn[:, 2, 1]
        return torch.linalg.inv(RGB_TO_YIQ) @ turn @ RGB_TO_YIQ
