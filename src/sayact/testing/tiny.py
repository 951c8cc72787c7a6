"""Networks and data that are small enough for a test."""

import hashlib
from typing import Literal

import numpy as np
from jaxtyping import Float32

from sayact.codecs import ImageCodec, Processor, UniformBins
from sayact.data.frames import FrameStore
from sayact.data.joined_frames import JoinedFrames
from sayact.models.layers.efficientnet import EfficientNetConfig, StageConfig
from sayact.models.rt1 import RT1Config
from sayact.models.vlms.nano_config import NanoConfig
from sayact.schema import LANGUAGE_TABLE, ActionSpace

TINY_IMAGES = ImageCodec(camera=(36, 64), shrink_by=2, crop=(16, 28))


def hashed_sentence(sentence: str) -> Float32[np.ndarray, "512"]:
    """A unit vector that depends on every letter; stands in for the sentence encoder."""
    seed = int.from_bytes(hashlib.sha256(sentence.encode()).digest()[:8], "big")
    vector = np.random.default_rng(seed).normal(size=512).astype(np.float32)
    return vector / np.linalg.norm(vector)


def tiny_processor(action_space: ActionSpace = LANGUAGE_TABLE, bins: int = 32) -> Processor:
    """Reads 36 × 64 pictures and needs no sentence encoder."""
    return Processor(
        images=TINY_IMAGES,
        actions=UniformBins(action_space=action_space, bins=bins),
        sentences=hashed_sentence,
    )


def tiny_rt1(action_dims: int = 2, *, frames: int = 4, bins: int = 32) -> RT1Config:
    """RT-1 with both kinds of block, pointing and soft targets; less than 100 000 parameters."""
    return RT1Config(
        action_dims=action_dims,
        bins=bins,
        frames=frames,
        picture=TINY_IMAGES.crop,
        backbone=EfficientNetConfig(
            stem=8,
            stages=(
                StageConfig(kind="fused", kernel=3, stride=2, channels=12, repeats=2, expansion=1),
                StageConfig(kind="mbconv", kernel=3, stride=1, channels=12, repeats=1, expansion=2),
            ),
            top=None,
            places=(4, 7),
            drop_path=0.0,
        ),
        token_width=16,
        image_tokens=3,
        width=24,
        layers=2,
        heads=2,
        head_dim=8,
        feed_forward="swiglu",
        dropout=0.0,
        points=3,
        soft_bins=1.0,
    )


def tiny_nano(vocabulary: int = 40, *, vision: Literal["film", "stem"] = "film") -> NanoConfig:
    """rt2-nano's backbone with pictures of 16 × 28; a few thousand parameters."""
    return NanoConfig(
        vocabulary=vocabulary,
        context=48,
        picture=TINY_IMAGES.crop,
        width=16,
        layers=2,
        heads=2,
        hidden=24,
        vision=vision,
        reader_layers=1,
        backbone=EfficientNetConfig(
            stem=8,
            stages=(
                StageConfig(kind="fused", kernel=3, stride=2, channels=8, repeats=2, expansion=1),
            ),
            top=None,
            places=(4, 7),
            drop_path=0.0,
        ),
        image_tokens=4,
        stem=(8, 8),
        stem_layers=1,
    )


def noise_store(rng: np.random.Generator, *, episodes: int = 6, length: int = 9) -> FrameStore:
    """Episodes of random pictures and actions, one sentence each, in the shape training reads."""
    rows = episodes * length
    height, width = TINY_IMAGES.shrunk
    pictures = rng.integers(0, 256, (rows, height, width, 3), dtype=np.uint8)
    return FrameStore(
        frames=JoinedFrames([pictures]),
        actions=rng.uniform(-0.1, 0.1, (rows, 2)).astype(np.float32),
        states=np.zeros((rows, 4), np.float32),
        privileged={
            name: rng.uniform((0.2, -0.2), (0.5, 0.2), (rows, 2)).astype(np.float32)
            for name in ("goal_xy", "pushed_xy")
        },
        episode_index=np.repeat(np.arange(episodes, dtype=np.int32), length),
        frame_index=np.tile(np.arange(length, dtype=np.int32), episodes),
        starts=np.arange(0, rows + 1, length),
        success=np.ones(episodes, bool),
        tasks=tuple(f"push block {i}" for i in range(episodes)),
        infos=({},) * episodes,
    )
