"""What training pictures go through and pictures that are acted on do not.

ColourJitter   Language-Table's official colour changes, one draw a window: all its frames change
               alike, as a change of light would
PadThenCrop    RT-1's official shift: black around the picture, then a window of its own size
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor
from torch.nn import functional as F

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


@dataclass(frozen=True, kw_only=True)
class PadThenCrop:
    """Black on all sides, then a window of the old size at a uniform place within: a shift.

    As google-research/robotics_transformer does it for training (and not at all for acting): 20
    black pixels above and below and 50 on either side of a 256 × 320 picture, 40 and 100 at
    512 × 640. Other sizes, which raise there, are padded by the same shares of their own height
    and width, rounded. `shared`: one draw for the whole batch, as there; else one a window.
    """

    rows: int = 20
    columns: int = 50
    of: tuple[int, int] = (256, 320)  # height, width that rows and columns are meant for
    shared: bool = True

    def padding(self, size: tuple[int, int]) -> tuple[int, int]:
        """Black pixels above (and below), and to the left (and right), of a picture this large."""
        height, width = size
        return round(height * self.rows / self.of[0]), round(width * self.columns / self.of[1])

    def corners(
        self, size: tuple[int, int], windows: int, rng: np.random.Generator
    ) -> Int64[np.ndarray, "B 2"]:
        """Where in the padded picture each window is cut: 0 … twice the padding, both included."""
        ends = 2 * np.array(self.padding(size)) + 1
        drawn = rng.integers(0, ends, size=(1 if self.shared else windows, 2))
        return np.repeat(drawn, windows, 0) if self.shared else drawn

    def __call__(
        self, pixels: UInt8[Tensor, "B T 3 H W"], corners: Int64[np.ndarray, "B 2"]
    ) -> UInt8[Tensor, "B T 3 H W"]:
        """Bytes, before they are divided by 255: black is 0 on either side of that."""
        height, width = pixels.shape[3:]
        down, right = self.padding((height, width))
        padded = F.pad(pixels.flatten(1, 2), (right, right, down, down)).unflatten(1, (-1, 3))
        cut = [
            window[..., row : row + height, column : column + width]
            for window, (row, column) in zip(padded, corners.tolist(), strict=True)
        ]
        return torch.stack(cut)

    def move(
        self,
        points: Float[Tensor, "B T P 2"],
        corners: Int64[np.ndarray, "B 2"],
        size: tuple[int, int],
    ) -> Float[Tensor, "B T P 2"]:
        """Where (x, y) points in 0…1 of the picture's width and height have gone."""
        pixels = np.array(self.padding(size)) - corners
        shares = torch.from_numpy(pixels / np.array(size))[:, [1, 0]].to(points.dtype)
        return points + shares[:, None, None]
