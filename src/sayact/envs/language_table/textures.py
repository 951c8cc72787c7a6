"""Patterns for board and floor, painted anew from a seed; all of them repeat without a seam."""

import numpy as np
from jaxtyping import Float64, UInt8

from sayact.envs.language_table.setting import TEXTURES, RGBColor
from sayact.schema.errors import UnknownNameError

TEXTURE_PIXELS = 256
TEXTURE_SIDE = 0.64  # metres that one repetition covers; 2.5 mm a pixel
CHECKS = (4, 6, 8, 10)  # squares a repetition; even, so that they fit
STRIPES = (8, 12, 16)
BOARDS, GRAIN = 4, 6.0  # planks a repetition; how often longer than wide their grain is
SPECKS = 0.18  # share of a speckled ground
THREADS = 64  # a repetition


def paint_texture(
    name: str, ground: RGBColor, ink: RGBColor, rng: np.random.Generator
) -> UInt8[np.ndarray, "256 256 3"]:
    """One of TEXTURES between two colours, each channel in 0…1."""
    if name not in TEXTURES:
        raise UnknownNameError("texture", name, TEXTURES)
    share = _PATTERNS[name](rng)[..., None]
    mixed = np.array(ground) * (1 - share) + np.array(ink) * share
    return np.round(255 * np.clip(mixed, 0, 1)).astype(np.uint8)


# A pattern says how much ink there is at each pixel, 0…1.
Pattern = Float64[np.ndarray, "256 256"]


def _checker(rng: np.random.Generator) -> Pattern:
    squares = (_steps() * rng.choice(CHECKS)).astype(int)
    return ((squares[:, None] + squares[None, :]) % 2).astype(float)


def _stripes(rng: np.random.Generator) -> Pattern:
    """Along x, along y, or slanting."""
    across, along = ((1, 0), (0, 1), (1, 1), (1, -1))[rng.integers(4)]
    phase = across * _steps()[:, None] + along * _steps()[None, :]
    return (np.floor(phase * rng.choice(STRIPES)) % 2).astype(float)


def _wood(rng: np.random.Generator) -> Pattern:
    """Planks along y, each of its own shade, with a dark seam."""
    plank = (_steps() * BOARDS).astype(int)
    shade = rng.uniform(0.0, 0.5, BOARDS)[plank][:, None]
    seam = np.diff(plank, prepend=-1) != 0
    grain = np.clip(0.25 * _noise(rng, fine=60.0, stretch=GRAIN), -0.4, 0.4)
    return np.where(seam[:, None], 1.0, np.clip(shade + 0.25 + grain, 0, 1))


def _speckle(rng: np.random.Generator) -> Pattern:
    noise = _noise(rng, fine=40.0)
    return (noise > np.quantile(noise, 1 - SPECKS)).astype(float)


def _cloth(rng: np.random.Generator) -> Pattern:
    """Woven threads, and folds that vary slowly."""
    wave = np.sin(2 * np.pi * THREADS * _steps())
    weave = 0.15 * (wave[:, None] * wave[None, :])
    return np.clip(0.45 + weave + 0.25 * _noise(rng, fine=3.0), 0, 1)


_PATTERNS = dict(zip(TEXTURES, (_checker, _stripes, _wood, _speckle, _cloth), strict=True))


def _steps() -> Float64[np.ndarray, "256"]:
    """Middles of the pixels, 0…1."""
    return (np.arange(TEXTURE_PIXELS) + 0.5) / TEXTURE_PIXELS


def _noise(rng: np.random.Generator, *, fine: float, stretch: float = 1.0) -> Pattern:
    """Smooth noise of unit variance that repeats: `fine` waves a repetition, longer along y."""
    waves = np.fft.fftfreq(TEXTURE_PIXELS, 1 / TEXTURE_PIXELS)
    squared = (waves[:, None] / fine) ** 2 + (waves[None, :] * stretch / fine) ** 2
    white = np.fft.fft2(rng.standard_normal((TEXTURE_PIXELS, TEXTURE_PIXELS)))
    noise = np.fft.ifft2(white * np.exp(-squared)).real
    return (noise - noise.mean()) / noise.std()
