"""The one training loop. What differs between experiments comes in as an argument."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from sayact.models.checkpoint import Checkpoint, saved_steps, step_folder
from sayact.models.trainable import Trainable
from sayact.models.vlms.memory import memory_explained
from sayact.schema.batches import AnyBatch
from sayact.schema.errors import SayactError
from sayact.train.config import TrainConfig
from sayact.train.gradient import backward, compile_network
from sayact.train.log import GRADIENT, LOSS, Measurements, RunLog
from sayact.train.memory import keep_freed_memory
from sayact.train.state import restore_step, save_step


@runtime_checkable
class Batches(Protocol):
    """A batch for every (step, windows, frames), the same one whenever it is asked for."""

    def stream(self, draws: Iterable[tuple[int, int, int]]) -> Iterator[AnyBatch]: ...

    def draw(self, batch: Any, path: Path) -> None:
        """A picture of one of its batches, for people to look at."""
        ...


@runtime_checkable
class Evaluator(Protocol):
    """A measurement during training, handed a checkpoint's content: name → number."""

    def __call__(self, checkpoint: Checkpoint, step: int) -> dict[str, float]: ...


def train(
    config: TrainConfig,
    model: Trainable,
    batches: Batches,
    *,
    out: Path,
    describe: Callable[[dict[str, Tensor]], Checkpoint],
    evaluators: Sequence[Evaluator] = (),
    progress: Callable[[int, dict[str, float]], None] = lambda step, values: None,
    resume: bool = False,
    until: int | None = None,
    device: str = "cpu",
    notes: Sequence[str] = (),
) -> Path:
    """Train up to step `until` (all by default) and return the folder of the last checkpoint.

    `describe` turns weights into a checkpoint with everything else it must hold. With `resume` the
    newest step under `out` goes on exactly where it was; without, `out` must hold none. `notes`
    are written to the log of a run that begins.

    It changes two things for the whole process: how many threads PyTorch computes with and, on a
    CPU, that freed memory is kept (`keep_freed_memory`), for as long as the process lives.
    """
    threads = config.threads or torch.get_num_threads()
    torch.set_num_threads(threads)
    if torch.device(device).type == "cpu":
        keep_freed_memory()
    out.mkdir(parents=True, exist_ok=True)
    check_free(out, resume)
    config.check(model.history)
    model = model.channels_last(device).train()
    average = {k: v.clone() for k, v in model.state_dict().items()} if config.ema_decay else None
    optimizer = make_optimizer(config, model)
    torch.manual_seed(config.seed)
    step = restore_step(out, model, average, optimizer) if saved_steps(out) else 0
    end = config.steps if until is None else min(until, config.steps)
    log = RunLog(out, step)
    dtype = config.dtype(torch.device(device).type)
    if config.compile:
        compile_network(model, device)
    measured = Measurements(step)
    checkpoint = step_folder(out, step) / "checkpoint"
    for text in notes if step == 0 else ():
        log.note(0, text)

    for batch in batches.stream(config.draws(step, end, model.history)):
        if step == config.single_frame_steps and step > 0:
            _begin_windows(model, average)
        if config.holds_statistics(step):
            model.hold_statistics()
        if step == 0:
            batches.draw(batch, out / "first_batch.png")
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * schedule(config, step)

        optimizer.zero_grad()
        with memory_explained(batch.frames):
            losses = backward(model, batch, device=device, parts=config.accumulate, dtype=dtype)
            norm = clip(model, config.clip_norm)
            optimizer.step()
        step += 1
        if average is not None:
            # Early weights are worth little: the average starts short and grows to its full length.
            _average(average, model, min(config.ema_decay, (1 + step) / (10 + step)))

        values = {LOSS: losses.total, **losses.parts, GRADIENT: norm}
        measured.add(values, batch.frames, losses.weights)
        log_now = step % config.log_every == 0 or step == end
        evaluate_now = evaluators and (step % config.evaluate_every == 0 or step == config.steps)
        save_now = evaluate_now or step % config.checkpoint_every == 0 or step == end
        if log_now or save_now:
            measured.check()
        if log_now:
            line = {**measured.take(), "learning_rate": optimizer.param_groups[0]["lr"]}
            log.write(step, line)
            progress(step, line)
        if save_now:
            measured.stop_clock()
            content = describe(average if average is not None else model.state_dict())
            checkpoint = save_step(out, step, content, model, average, optimizer)
            for evaluator in evaluators if evaluate_now else ():
                # An evaluation must not move the random state that training goes on with.
                with torch.random.fork_rng():
                    line = evaluator(content, step)
                log.write(step, line)
                progress(step, line)
            torch.set_num_threads(threads)
            measured.start_clock()
    log.close()
    return checkpoint


def check_free(out: Path, resume: bool) -> None:
    """Refuse to begin a run where another one has left its steps."""
    if saved_steps(out) and not resume:
        raise SayactError(
            f"{out} holds a run already; add --resume to go on, or give another --out"
        )


def _begin_windows(model: Trainable, average: dict[str, Tensor] | None) -> None:
    """Go from single frames to windows, with the averaged weights where there are any."""
    if average is not None:
        model.load_state_dict(average)
    model.begin_windows()
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


def make_optimizer(config: TrainConfig, model: Trainable) -> torch.optim.Optimizer:
    """AdamW, which is Adam where nothing decays; vectors (biases, norms) never do."""
    trained = [p for p in model.parameters() if p.requires_grad]
    matrices = [p for p in trained if p.ndim > 1]
    vectors = [p for p in trained if p.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups, lr=config.learning_rate, betas=config.betas, eps=config.epsilon, fused=True
    )


def clip(model: nn.Module, most: float | None) -> Tensor:
    """The norm of the whole gradient, which is scaled down to `most` where it is longer."""
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    norm = torch.nn.utils.get_total_norm(gradients)
    if most is not None:
        torch.nn.utils.clip_grads_with_norm_(model.parameters(), most, norm)
    return norm


@torch.no_grad()
def _average(average: dict[str, Tensor], model: Trainable, decay: float) -> None:
    """Move the average towards the model; counters and the like are copied."""
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            average[name].lerp_(value, 1 - decay)
        else:
            average[name].copy_(value)
