"""How long, how fast and how often: the numbers of a training run that are not the model's."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One optimiser step sees `frames_a_step` frames: that many windows of one frame for the first
    `single_frame_steps`, then windows of the model's full history.
    """

    steps: int
    single_frame_steps: int = 0
    window_share: float = 0.5  # of the learning rate, at which windows begin after single frames
    frames_a_step: int = 96
    learning_rate: float = 1e-3
    warmup_steps: int = 200
    final_share: float = 0.02  # of the learning rate, reached on a cosine, once in each phase
    weight_decay: float = 0.05
    betas: tuple[float, float] = (0.9, 0.98)
    clip_norm: float = 1.0
    ema_decay: float = 0.0  # 0: act with the plain weights
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    threads: int = 2
    seed: int = 0
    log_every: int = 20
    evaluate_every: int = 2000
    checkpoint_every: int = 1000

    def draws(self, start: int, end: int, history: int) -> Iterator[tuple[int, int, int]]:
        """(step, windows, frames in each) of every step from `start` to before `end`."""
        for step in range(start, end):
            frames = 1 if step < self.single_frame_steps else history
            yield step, max(1, self.frames_a_step // frames), frames

    def dtype(self, kind: str) -> torch.dtype:
        """What to compute in on a device of this kind ("cpu", "cuda").

        "auto" takes bfloat16 only where the processor has instructions for it.
        """
        if self.precision == "auto":
            on_gpu, on_cpu = torch.cuda.is_bf16_supported, torch.cpu._is_avx512_bf16_supported
            fast = on_gpu() if kind == "cuda" else on_cpu()
            return torch.bfloat16 if fast else torch.float32
        return getattr(torch, self.precision)
