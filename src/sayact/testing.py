"""Stand-ins for tests, ours and yours: a toy world, tiny networks, frames made of noise."""

import hashlib
from typing import Any

import gymnasium
import numpy as np
from jaxtyping import Float32

from sayact.codecs import ImageCodec, Processor, UniformBins
from sayact.data.frames import FrameStore, JoinedFrames
from sayact.models.layers.efficientnet import EfficientNetConfig, StageConfig
from sayact.models.rt1 import RT1Config
from sayact.policies.policy import Policy
from sayact.schema import LANGUAGE_TABLE, Action, ActionSpace, Observation

GOAL = 0.3  # metres; three full steps of 0.1


class ToyWorld(gymnasium.Env[dict[str, Any], Float32[np.ndarray, "2"]]):
    """Walk from x = 0 to the goal. To its caller it looks like Language-Table, without physics.

    The picture grows lighter by 10 with every step, so that frames can be told apart.
    """

    action_space_spec: ActionSpace = LANGUAGE_TABLE

    def __init__(self, max_steps: int = 10) -> None:
        self.max_steps = max_steps
        self.x, self.steps, self.instruction = 0.0, 0, ""

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        super().reset(seed=seed)
        self.x, self.steps = 0.0, 0
        self.instruction = f"go to {self.np_random.integers(1000)}"
        return self._raw(), self._info()

    def step(
        self, action: Float32[np.ndarray, "2"]
    ) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        self.x += float(action[0])
        self.steps += 1
        info = self._info()
        done = info["success"]
        return self._raw(), float(done), done, not done and self.steps >= self.max_steps, info

    def oracle(self) -> "ToyOracle":
        return ToyOracle()

    def _raw(self) -> dict[str, Any]:
        encoded = np.zeros(512, np.int32)
        encoded[: len(self.instruction)] = list(self.instruction.encode())
        place = np.array([self.x, 0], np.float32)
        return {
            "rgb": np.full((18, 32, 3), 40 + 10 * self.steps, np.uint8),
            "effector_translation": place,
            "effector_target_translation": place,
            "instruction": encoded,
        }

    def _info(self) -> dict[str, Any]:
        # A thousandth of a millimetre for the rounding of float32 steps.
        success = self.x >= GOAL - 1e-6
        return {"success": success, "family": "walk", "instruction": self.instruction}


class ToyOracle:
    """Walks straight on."""

    def reset(self) -> None:
        """Nothing to forget."""

    def act(self) -> Action:
        return Action(values=np.array([0.1, 0.0], np.float32))


class FixedPolicy(Policy):
    """Always answers the same, whatever the observation; counts its resets."""

    def __init__(self, *values: float, space: ActionSpace = LANGUAGE_TABLE) -> None:
        self._values = np.array(values, np.float32)
        self._space = space
        self.resets = 0

    @property
    def action_space(self) -> ActionSpace:
        return self._space

    def reset(self) -> None:
        self.resets += 1

    def act(self, observation: Observation) -> Action:
        return Action(values=self._values.copy())


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
