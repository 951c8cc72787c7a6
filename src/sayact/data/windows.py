"""Frames on disk → training windows: which ones, cut how, as a pure function of the step.

Batch `step` of a run is drawn from a generator seeded with (seed, step) and depends on nothing
else, so a run that goes on after a kill sees the very pictures it would have seen.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Int, Int64

from sayact.codecs import Processor
from sayact.data.augmentation import ColourJitter, PadThenCrop
from sayact.data.drawing import draw_windows
from sayact.data.frames import FrameStore
from sayact.data.stream import Draw, ahead
from sayact.schema.batches import Batch

# Privileged truth of a store → (N, P, 2) places in the camera picture, pixels (x, y).
Locate = Callable[[FrameStore], Float32[np.ndarray, "N P 2"]]
# Rows of a store → how probable each bin of each action dimension should be there.
Targets = Callable[[Int64[np.ndarray, "B T"]], Float32[np.ndarray, "B T A V"]]


class WindowSampler:
    """Every frame of the store is equally likely to start a window.

    Random crops and colours are one draw a window: its frames are one scene under one camera. So
    is a shift, unless it is shared by the whole batch. `rephrased` of the windows have one of the
    `sayings` of their episode in the place of its sentence.
    """

    def __init__(
        self,
        store: FrameStore,
        processor: Processor,
        *,
        seed: int,
        jitter: ColourJitter | None = None,
        shift: PadThenCrop | None = None,
        locate: Locate | None = None,
        targets: Targets | None = None,
        sayings: Sequence[Sequence[str]] | None = None,
        rephrased: float = 0.0,
    ) -> None:
        self.store, self.processor, self.seed = store, processor, seed
        self.jitter, self.shift, self.targets = jitter, shift, targets
        self._action_ids = processor.actions.encode(store.actions)
        self._points = None if locate is None else locate(store)
        self.rephrased = rephrased
        # All ways to say each episode's task, the one of the store first.
        more = [()] * len(store.tasks) if sayings is None else sayings
        ways = [(task, *other) for task, other in zip(store.tasks, more, strict=True)]
        distinct = {sentence: i for i, sentence in enumerate(dict.fromkeys(chain(*ways)))}
        self._ways = np.array([[distinct[sentence] for sentence in way] for way in ways])
        self._sentences = torch.from_numpy(np.stack([processor.sentences(s) for s in distinct]))

    def stream(self, draws: Iterable[Draw]) -> Iterator[Batch]:
        """A batch for every draw."""
        return ahead(self, draws)

    def draw(self, batch: Batch, path: Path) -> None:
        draw_windows(batch, path)

    def __call__(self, draw: Draw) -> Batch:
        """Past the end of an episode its last frame is repeated, and is not valid."""
        step, windows, frames = draw
        rng = np.random.default_rng([self.seed, step])
        store, images = self.store, self.processor.images
        starts = np.sort(rng.integers(len(store), size=windows))
        episode = store.episode_index[starts]
        end = store.starts[episode + 1][:, None]
        index = starts[:, None] + np.arange(frames)
        valid, index = index < end, np.minimum(index, end - 1)

        corners = images.draw_corners(rng, windows)
        offsets = np.repeat(corners, frames, 0)
        flat = self.processor.pixels(store.frames[index.ravel()], offsets)
        pixels = torch.from_numpy(flat).unflatten(0, (windows, frames))
        points = None
        if self._points is not None:
            cut = images.to_crop_units(self._points[index.ravel()], offsets)
            points = torch.from_numpy(cut.astype(np.float32)).unflatten(0, (windows, frames))
        if self.jitter is not None:
            pixels = self.jitter(pixels, rng)
        if self.shift is not None:
            corners = self.shift.corners(images.crop, windows, rng)
            pixels = self.shift(pixels, corners)
            points = None if points is None else self.shift.move(points, corners, images.crop)
        return Batch(
            pixels=pixels,
            instruction=self._sentences[self._said(episode, rng)],
            action_ids=torch.from_numpy(self._action_ids[index]),
            valid=torch.from_numpy(valid),
            points=points,
            action_targets=None if self.targets is None else torch.from_numpy(self.targets(index)),
        )

    def _said(
        self, episode: Int[np.ndarray, "B"], rng: np.random.Generator
    ) -> Int64[np.ndarray, "B"]:
        """Which sentence vector each window has."""
        ways = self._ways[episode]
        if self.rephrased == 0:
            return ways[:, 0]
        other = ways[np.arange(len(ways)), rng.integers(1, ways.shape[1], len(ways))]
        return np.where(rng.random(len(ways)) < self.rephrased, other, ways[:, 0])
