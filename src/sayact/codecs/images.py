"""Camera pictures → model pixels, in two steps that training and acting share.

    camera (H, W) ── shrink: mean of s×s pixels ──▶ (H/s, W/s) ── crop ──▶ model picture (h, w)
                     once, kept in the frame cache                 centred when acting,
                                                                   anywhere when training

Averaging whole blocks of pixels keeps a star a star at half the size, where picking every second
pixel would not. The random crop shifts and never rescales, as in RT-1's own augmentation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int64, UInt8

from sayact.schema.errors import ShapeError


@dataclass(frozen=True, kw_only=True)
class ImageCodec:
    """Sizes are (height, width) in pixels. `crop` is what remains of the shrunk picture."""

    camera: tuple[int, int]
    shrink_by: int
    crop: tuple[int, int]

    def __post_init__(self) -> None:
        if any(side % self.shrink_by for side in self.camera):
            raise ValueError(f"a {self.camera} picture cannot be shrunk by {self.shrink_by} evenly")
        if any(c > s for c, s in zip(self.crop, self.shrunk, strict=True)):
            raise ValueError(f"crop {self.crop} is larger than the shrunk picture {self.shrunk}")

    @property
    def shrunk(self) -> tuple[int, int]:
        return self.camera[0] // self.shrink_by, self.camera[1] // self.shrink_by

    @property
    def slack(self) -> tuple[int, int]:
        """How far the crop can move down and right."""
        return self.shrunk[0] - self.crop[0], self.shrunk[1] - self.crop[1]

    @property
    def centre(self) -> tuple[int, int]:
        return self.slack[0] // 2, self.slack[1] // 2

    def draw_corners(self, rng: np.random.Generator, count: int) -> Int64[np.ndarray, "N 2"]:
        """Corners (row, column) of random crops, any place alike."""
        return rng.integers(0, np.array(self.slack) + 1, size=(count, 2))

    def require_picture(self, picture: np.ndarray) -> None:
        """Raises ShapeError where one picture is not the camera's."""
        wanted = (*self.camera, 3)
        if picture.shape != wanted or picture.dtype != np.uint8:
            raise ShapeError(
                f"the picture must be uint8 of shape {wanted}; got {picture.dtype} of shape "
                f"{picture.shape}. Resize it to what this policy's camera sees."
            )

    def shrink(self, images: np.ndarray) -> UInt8[np.ndarray, "L h w 3"]:
        """Average `shrink_by` × `shrink_by` pixels of (L, H, W, 3) bytes, rounding half up.

        Raises ShapeError for anything else: cameras are where wrong pictures come from.
        """
        if images.ndim != 4 or images.shape[1:] != (*self.camera, 3) or images.dtype != np.uint8:
            raise ShapeError(
                f"pictures must be uint8 of shape (n, {self.camera[0]}, {self.camera[1]}, 3); got "
                f"{images.dtype} of shape {tuple(images.shape)}"
            )
        s = self.shrink_by
        if s == 1:
            return images
        total = np.zeros((len(images), *self.shrunk, 3), np.uint16)
        for row in range(s):
            for column in range(s):
                total += images[:, row::s, column::s]
        return ((total + s * s // 2) // (s * s)).astype(np.uint8)

    def crop_at(
        self, images: UInt8[np.ndarray, "N h w 3"], offsets: Int64[np.ndarray, "N 2"]
    ) -> UInt8[np.ndarray, "N c d 3"]:
        """Cut the model picture out of each shrunk one, its corner at (row, column)."""
        height, width = self.crop
        out = np.empty((len(images), height, width, 3), np.uint8)
        for i, (row, column) in enumerate(offsets):
            out[i] = images[i, row : row + height, column : column + width]
        return out

    def model_pixels(
        self,
        shrunk: UInt8[np.ndarray, "N h w 3"],
        offsets: Int64[np.ndarray, "N 2"] | None = None,
    ) -> UInt8[np.ndarray, "N 3 c d"]:
        """Step two: crop (centred unless told otherwise), channels first."""
        if offsets is None:
            offsets = np.tile(np.array(self.centre, np.int64), (len(shrunk), 1))
        return self.crop_at(shrunk, offsets).transpose(0, 3, 1, 2)

    def look(self, picture: np.ndarray) -> UInt8[np.ndarray, "3 c d"]:
        """Both steps for one camera picture (H, W, 3). Raises ShapeError for anything else."""
        self.require_picture(picture)
        return np.ascontiguousarray(self.model_pixels(self.shrink(picture[None]))[0])

    def to_picture_units(self, points: np.ndarray) -> np.ndarray:
        """(…, 2) points in 0…1 of the centred model picture → 0…1 of the camera's."""
        corner, crop, shrunk = (
            np.array(size[::-1], float) for size in (self.centre, self.crop, self.shrunk)
        )
        return (points * crop + corner) / shrunk

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ImageCodec":
        return cls(
            camera=tuple(data["camera"]), shrink_by=data["shrink_by"], crop=tuple(data["crop"])
        )

    def to_crop_units(self, points: np.ndarray, offsets: Int64[np.ndarray, "N 2"]) -> np.ndarray:
        """(N, P, 2) points as (x, y) in camera pixels → 0…1 of each cropped picture."""
        corner = offsets[:, None, ::-1]
        return (points / self.shrink_by - corner) / np.array(self.crop[::-1])
