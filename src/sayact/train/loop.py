"""The one training loop. What differs between experiments comes in as an argument."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from sayact.models.checkpoint import Checkpoint, saved_steps, step_folder
from sayact.models.rt1 import RT1
from sayact.schema.batches import Batch
from sayact.schema.errors import SayactError
from sayact.train.config import TrainConfig
from sayact.train.log import RunLog, draw_batch
from sayact.train.state import restore_step, save_step


@runtime_checkable
class Batches(Protocol):
    """A batch for every (step, windows, frames), the same one whenever it is asked for."""

    def stream(self, draws: Iterable[tuple[int, int, int]]) -> Iterator[Batch]: ...


@runtime_checkable
class Evaluator(Protocol):
    """A measurement during training, handed a checkpoint's content: name → number."""

    def __call__(self, checkpoint: Checkpoint, step: int) -> dict[str, float]: ...


class DivergedError(SayactError):
    """The loss is not a number any more."""


def train(
    config: TrainConfig,
    model: RT1,
    batches: Batches,
    *,
    out: Path,
    describe: Callable[[dict[str, Tensor]], Checkpoint],
    evaluators: Sequence[Evaluator] = (),
    progress: Callable[[int, dict[str, float]], None] = lambda step, values: None,
    resume: bool = False,
    until: int | None = None,
    device: str = "cpu",
) -> Path:
    """Train up to step `until` (all by default) and return the folder of the last checkpoint.

    `describe` turns weights into a checkpoint with everything else it must hold. With `resume` the
    newest step under `out` goes on exactly where it was; without, `out` must hold none.
    """
    torch.set_num_threads(config.threads)
    out.mkdir(parents=True, exist_ok=True)
    check_free(out, resume)
    model = model.channels_last(device).train()
    average = {k: v.clone() for k, v in model.state_dict().items()} if config.ema_decay else None
    optimizer = _optimizer(config, model)
    torch.manual_seed(config.seed)
    step = restore_step(out, model, average, optimizer) if saved_steps(out) else 0
    end = config.steps if until is None else min(until, config.steps)
    log = RunLog(out, step)
    kind = torch.device(device).type  # cuda of cuda:1
    bfloat16 = config.dtype(kind) == torch.bfloat16
    if 0 < config.single_frame_steps < step:
        model.hold_statistics()
    sums: dict[str, float] = {}
    since, clock = step, time.perf_counter()
    checkpoint = step_folder(out, step) / "checkpoint"

    for batch in batches.stream(config.draws(step, end, model.config.frames)):
        if step == config.single_frame_steps and step > 0:
            _begin_windows(model, average)
        if step == 0:
            draw_batch(batch, out / "first_batch.png")
        batch = batch.to(device)
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * schedule(config, step)

        with torch.autocast(kind, torch.bfloat16) if bfloat16 else nullcontext():
            losses = model.loss(batch)
        optimizer.zero_grad()
        losses.total.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
        if not torch.isfinite(norm):
            raise DivergedError(
                f"step {step}: the gradient is {norm.item()} (loss {losses.total.item():.4g}); "
                f"lower the learning rate ({config.learning_rate}). {out} has the last checkpoint."
            )
        optimizer.step()
        step += 1
        if average is not None:
            # Early weights are worth little: the average starts short and grows to its full length.
            _average(average, model, min(config.ema_decay, (1 + step) / (10 + step)))

        measured = {"loss": losses.total, "action": losses.action, "accuracy": losses.accuracy}
        if losses.points is not None:
            measured["points"] = losses.points
        for name, value in (measured | {"gradient": norm}).items():
            sums[name] = sums.get(name, 0.0) + value.item()
        if step % config.log_every == 0 or step == end:
            seconds, count = time.perf_counter() - clock, step - since
            means = {name: total / count for name, total in sums.items()}
            rate = count * batch.valid.numel() / seconds
            values = {**means, "learning_rate": optimizer.param_groups[0]["lr"]}
            log.write(step, {**values, "frames_per_second": rate})
            progress(step, {**values, "frames_per_second": rate})
            sums, since, clock = {}, step, time.perf_counter()
        evaluate_now = evaluators and (step % config.evaluate_every == 0 or step == config.steps)
        if evaluate_now or step % config.checkpoint_every == 0 or step == end:
            content = describe(average if average is not None else model.state_dict())
            checkpoint = save_step(out, step, content, model, average, optimizer)
            for evaluator in evaluators if evaluate_now else ():
                # An evaluation must not move the random state that training goes on with.
                with torch.random.fork_rng():
                    values = evaluator(content, step)
                log.write(step, values)
                progress(step, values)
            torch.set_num_threads(config.threads)
            clock = time.perf_counter()
    log.close()
    return checkpoint


def check_free(out: Path, resume: bool) -> None:
    """Refuse to begin a run where another one has left its steps."""
    if saved_steps(out) and not resume:
        raise SayactError(
            f"{out} holds a run already; add --resume to go on, or give another --out"
        )


def _begin_windows(model: RT1, average: dict[str, Tensor] | None) -> None:
    """Go from single frames to windows, with the averaged weights where there are any."""
    if average is not None:
        model.load_state_dict(average)
    model.spread_positions()
    model.hold_statistics()
    if average is not None:
        _average(average, model, 0.0)


def schedule(config: TrainConfig, step: int) -> float:
    """Linear warm-up, then a cosine to `final_share`; once for single frames, once for windows.

    Windows need a rate of their own: the network has to learn what the older frames are for, and
    at the end of the first cosine it is too slow to.
    """
    single = min(config.single_frame_steps, config.steps)
    if step < single or single == 0:
        start, end, peak = 0, single or config.steps, 1.0
    else:
        start, end, peak = single, config.steps, config.window_share
    if step - start < config.warmup_steps:
        return peak * (step - start + 1) / config.warmup_steps
    done = (step - start - config.warmup_steps) / max(1, end - start - config.warmup_steps)
    return config.final_share + (peak - config.final_share) * 0.5 * (1 + math.cos(math.pi * done))


def _optimizer(config: TrainConfig, model: RT1) -> torch.optim.Optimizer:
    """AdamW; vectors (biases, norms) are not decayed."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=config.betas, fused=True)


@torch.no_grad()
def _average(average: dict[str, Tensor], model: RT1, decay: float) -> None:
    """Move the average towards the model; counters and the like are copied."""
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value, 1 - decay)
        else:
            average[name].copy_(value)
