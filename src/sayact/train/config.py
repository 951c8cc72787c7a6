"""How long, how fast and how often: the numbers of a training run that are not the model's."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch

from sayact.schema.errors import SayactError


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """One optimiser step sees `frames_a_step` frames: that many windows of one frame for the first
    `single_frame_steps`, then windows of the model's full history.

    batch_norm: what the backbone normalises by in training. "batch": the statistics of the frames
    of the step (of each part of it, see `accumulate`), as the published code does; "running": the
    ones gathered before, for a pretrained backbone; "switch": "batch" for single frames, "running"
    once windows follow them, since few windows hold too few scenes.
    accumulate: parts that a step is computed in, one after the other, for less memory. Dropout is
    drawn for each part. With running statistics the gradient is that of the undivided batch. With
    "batch" every part has its own, and the running averages move once a part, not once a step.
    threads: of PyTorch on the CPU, where the next batch is cut whatever the device. None: PyTorch's
    own choice, one a core.

    The paper's constant rate is warmup_steps=0 and final_share=1; weight_decay=0 makes AdamW Adam.
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
    epsilon: float = 1e-8  # of Adam; Keras', and so the released code's, is 1e-7
    clip_norm: float | None = 1.0  # None: gradients are measured and left as they are
    ema_decay: float = 0.0  # 0: act with the plain weights
    batch_norm: Literal["batch", "running", "switch"] = "switch"
    accumulate: int = 1
    compile: bool = False  # the network by torch.compile: minutes at the start for faster steps
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    threads: int | None = 2
    seed: int = 0
    log_every: int = 20
    evaluate_every: int = 2000
    checkpoint_every: int = 1000

    def holds_statistics(self, step: int) -> bool:
        """Is batch norm held at its running statistics in this step?"""
        if self.batch_norm == "switch":
            return 0 < self.single_frame_steps <= step
        return self.batch_norm == "running"

    def draws(self, start: int, end: int, history: int) -> Iterator[tuple[int, int, int]]:
        """(step, windows, frames in each) of every step from `start` to before `end`."""
        for step in range(start, end):
            frames = 1 if step < self.single_frame_steps else history
            yield step, max(1, self.frames_a_step // frames), frames

    def check(self, history: int) -> None:
        """Refuse numbers that no step can be computed with, before hours of collecting."""
        if self.threads is not None and self.threads < 1:
            raise SayactError(f"at least 1 thread must compute; got {self.threads}")
        last = self.steps - 1
        ((_, windows, _),) = self.draws(last, last + 1, history)  # no step has fewer than the last
        if not 1 <= self.accumulate <= windows:
            raise SayactError(
                f"a step of {windows} windows cannot be computed in {self.accumulate} parts; "
                f"`accumulate` goes from 1 to {windows} here"
            )

    def dtype(self, kind: str) -> torch.dtype:
        """What to compute in on a device of this kind ("cpu", "cuda").

        "auto" takes bfloat16 only where the processor has instructions for it; older GPUs only
        emulate it.
        """
        if self.precision == "auto":
            fast = (
                torch.cuda.is_bf16_supported(including_emulation=False)
                if kind == "cuda"
                else torch.cpu._is_avx512_bf16_supported()
            )
            return torch.bfloat16 if fast else torch.float32
        return getattr(torch, self.precision)
