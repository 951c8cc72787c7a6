"""Everything a killed run needs to go on to the last digit, in folders that are whole or absent.

OUT/steps/00001000/checkpoint/…          acts alone (averaged weights where they are kept)
OUT/steps/00001000/state.safetensors     weights, optimiser moments, average, random states
"""

import shutil
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from sayact.models.checkpoint import Checkpoint, save_checkpoint, saved_steps, step_folder
from sayact.schema.errors import CheckpointError

STATE = "state.safetensors"


def save_step(
    out: Path,
    step: int,
    checkpoint: Checkpoint,
    model: nn.Module,
    average: dict[str, Tensor] | None,
    optimizer: torch.optim.Optimizer,
    keep: int = 2,
) -> Path:
    """Write the folder of this step, then drop all but the newest `keep`."""
    folder = step_folder(out, step)
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    save_checkpoint(part / "checkpoint", checkpoint)
    tensors = {f"model.{k}": v for k, v in model.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in (average or {}).items()}
    for index, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{k}": torch.as_tensor(v) for k, v in moments.items()}
    tensors["random"] = torch.get_rng_state()
    if gpu := _gpu(model):
        tensors["random_gpu"] = torch.cuda.get_rng_state(gpu)
    save_file({k: v.contiguous().clone() for k, v in tensors.items()}, part / STATE)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    for old in saved_steps(out)[:-keep]:
        shutil.rmtree(step_folder(out, old))
    return folder / "checkpoint"


def restore_step(
    out: Path,
    model: nn.Module,
    average: dict[str, Tensor] | None,
    optimizer: torch.optim.Optimizer,
) -> int:
    """Load the newest step into everything given; returns the number of steps done."""
    step = saved_steps(out)[-1]
    path = step_folder(out, step) / STATE
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} cannot be read ({error}); delete its folder") from error
    model.load_state_dict(_below(tensors, "model"))
    if average is not None:
        for name, value in _below(tensors, "average").items():
            average[name].copy_(value)
    state = optimizer.state_dict()
    state["state"] = {}
    parameters = [p.detach() for group in optimizer.param_groups for p in group["params"]]
    for name, value in _below(tensors, "optimizer").items():
        index, moment = name.split(".", 1)
        parameter = parameters[int(index)]
        if value.shape == parameter.shape:
            # The fused kernel walks memory, so moments must lie as their parameter does.
            value = torch.empty_like(parameter).copy_(value)
        state["state"].setdefault(int(index), {})[moment] = value
    optimizer.load_state_dict(state)
    torch.set_rng_state(tensors["random"])
    if (gpu := _gpu(model)) and "random_gpu" in tensors:  # not if it was trained on a CPU so far
        torch.cuda.set_rng_state(tensors["random_gpu"], gpu)
    return step


def _gpu(model: nn.Module) -> torch.device | None:
    """Where the network lies, if that is a GPU: dropout is drawn there."""
    device = next(model.parameters()).device
    return device if device.type == "cuda" else None


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}
