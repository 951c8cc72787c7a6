"""The oracle's episodes in the toy mobile manipulator, and a network small enough to learn them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from sayact.codecs import ImageCodec, Processor, UniformBins
from sayact.data.frames import FrameStore
from sayact.data.joined_frames import JoinedFrames
from sayact.data.layout import DatasetSpec
from sayact.models.layers.efficientnet import EfficientNetConfig, StageConfig
from sayact.models.rt1 import RT1Config
from sayact.policies.controller import Controller
from sayact.schema import RT1, Action, Episode
from sayact.testing.mobile import PICTURE, MobileToyWorld, to_pixels
from sayact.testing.tiny import hashed_sentence

KICKS = 0.3  # share of steps at which the robot does something else than the oracle said
KICK = 0.4  # standard deviation of that, as a share of each dimension's bounds
POINTED_AT = ("named_xy", "hand_xy")

MOBILE_SPEC = DatasetSpec(
    action_space=RT1,
    fps=round(RT1.rate_hz),
    image_shape=PICTURE,
    robot_type="mobile_toy",
    state_names=("hand_x", "hand_y"),
    privileged=dict.fromkeys(POINTED_AT, 2),
)


@dataclass(frozen=True, kw_only=True)
class MobileToyPlayer:
    """A `Player` for `sayact.evals.collect.collect_with`: the oracle, kicked now and then.

    Labels stay what the oracle said; what was done stands in `executed`.
    """

    seed: int = 0
    kicks: float = KICKS

    def play(self, index: int) -> tuple[Episode, int]:
        """The episode of an index, at the first attempt: failures are kept."""
        rng = np.random.default_rng([self.seed, index])
        world, controller = MobileToyWorld(), Controller(RT1)
        raw, info = world.reset(seed=int(rng.integers(2**31)))
        oracle, rows, ended = world.oracle(), [], False
        while not ended:
            label = oracle.act().values
            executed = label
            if rng.random() < self.kicks and label[0] > 0:
                kick = rng.normal(0, KICK, len(label)) * RT1.high * ~RT1.discrete
                executed = np.clip(label + kick, RT1.low, RT1.high).astype(np.float32)
                executed = controller(Action(values=executed)).values
            places = {"named_xy": world.seen(world.named), "hand_xy": world.hand}
            rows.append({"image": raw["rgb"], "action": label, "executed": executed, **places})
            raw, _, terminated, truncated, info = world.step(executed)
            ended = terminated or truncated
        columns = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
        hand = columns["hand_xy"].astype(np.float32)
        episode = Episode(
            images=columns["image"],
            states=hand,
            actions=columns["action"],
            executed=columns["executed"],
            instruction=world.instruction,
            success=bool(info["success"]),
            privileged={name: columns[name].astype(np.float32) for name in POINTED_AT},
        )
        return episode, 1


def mobile_store(episodes: int, *, seed: int = 0) -> FrameStore:
    """Episodes as training reads them, without the way over the disk."""
    played = [MobileToyPlayer(seed=seed).play(index)[0] for index in range(episodes)]
    lengths = np.array([len(episode) for episode in played])
    return FrameStore(
        frames=JoinedFrames([np.concatenate([episode.images for episode in played])]),
        actions=np.concatenate([episode.actions for episode in played]),
        states=np.concatenate([episode.states for episode in played]),
        privileged={
            name: np.concatenate([episode.privileged[name] for episode in played])
            for name in POINTED_AT
        },
        episode_index=np.repeat(np.arange(episodes, dtype=np.int32), lengths),
        frame_index=np.concatenate([np.arange(n, dtype=np.int32) for n in lengths]),
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        success=np.array([episode.success for episode in played]),
        tasks=tuple(episode.instruction for episode in played),
        infos=({},) * episodes,
    )


def locate_mobile(store: FrameStore) -> Float32[np.ndarray, "N 2 2"]:
    """Where the named object and the hand are in the picture: what image tokens are pointed at."""
    places = [to_pixels(store.privileged[name].astype(np.float64)) for name in POINTED_AT]
    return np.stack(places, 1).astype(np.float32)


def mobile_processor(bins: int = 64) -> Processor:
    """The whole picture, eleven numbers in 64 bins, no sentence encoder."""
    return Processor(
        images=ImageCodec(camera=PICTURE, shrink_by=1, crop=PICTURE),
        actions=UniformBins(action_space=RT1, bins=bins),
        sentences=hashed_sentence,
    )


# Eleven action slots, windows of two frames, 0.23 M parameters.
MOBILE_RT1 = RT1Config(
    action_dims=len(RT1),
    bins=64,
    frames=2,
    picture=PICTURE,
    backbone=EfficientNetConfig(
        stem=16,
        stem_stride=1,
        stages=(
            StageConfig(kind="fused", kernel=3, stride=2, channels=32, repeats=2, expansion=1),
        ),
        top=None,
        places=(16, 16),
        drop_path=0.0,
    ),
    token_width=48,
    image_tokens=4,
    width=64,
    layers=2,
    heads=4,
    head_dim=16,
    feed_forward="swiglu",
    dropout=0.0,
    sentence_scale=16.0,
    points=len(POINTED_AT),
    soft_bins=1.5,
)
