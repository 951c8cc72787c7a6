"""A checkpoint is a folder that acts alone: weights, shapes, action space, processor, model card.

    model.safetensors    config.json    action_space.json    processor.json    README.md

Written whole or not at all; read without unpickling anything.
"""

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from sayact.schema import ActionSpace
from sayact.schema.errors import CheckpointError

WEIGHTS, CONFIG, ACTION_SPACE, PROCESSOR, CARD = (
    "model.safetensors",
    "config.json",
    "action_space.json",
    "processor.json",
    "README.md",
)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """`config` holds "model" (which class), "architecture" (its config) and how it was made."""

    weights: dict[str, Tensor]
    config: dict[str, Any]
    action_space: ActionSpace
    processor: dict[str, Any]
    card: str = ""


def save_checkpoint(directory: Path, checkpoint: Checkpoint) -> None:
    """Write the folder beside its place, then move it there in one step."""
    directory = Path(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    new.chmod(0o755)
    save_file({k: v.contiguous() for k, v in checkpoint.weights.items()}, new / WEIGHTS)
    (new / WEIGHTS).chmod(0o644)  # safetensors writes for the owner alone
    files = {
        CONFIG: checkpoint.config,
        ACTION_SPACE: checkpoint.action_space.to_json(),
        PROCESSOR: checkpoint.processor,
    }
    for name, content in files.items():
        (new / name).write_text(json.dumps(content, indent=2) + "\n")
    (new / CARD).write_text(checkpoint.card)
    if directory.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{directory.name}-old-", dir=directory.parent))
        directory.rename(old / directory.name)
        new.rename(directory)
        shutil.rmtree(old)
    else:
        new.rename(directory)


def read_checkpoint(directory: Path) -> Checkpoint:
    """Raises CheckpointError with the name of the file that is missing or broken."""
    directory = Path(directory)
    missing = [
        n for n in (WEIGHTS, CONFIG, ACTION_SPACE, PROCESSOR) if not (directory / n).exists()
    ]
    if missing:
        raise CheckpointError(f"{directory} is not a checkpoint: it lacks {', '.join(missing)}")
    texts: dict[str, Any] = {}
    for name in (CONFIG, ACTION_SPACE, PROCESSOR):
        try:
            texts[name] = json.loads((directory / name).read_text())
        except ValueError as error:
            raise CheckpointError(f"{directory / name} is not valid JSON: {error}") from error
    try:
        weights = load_file(directory / WEIGHTS)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{directory / WEIGHTS} cannot be read: {error}") from error
    card = directory / CARD
    return Checkpoint(
        weights=weights,
        config=texts[CONFIG],
        action_space=ActionSpace.from_json(texts[ACTION_SPACE]),
        processor=texts[PROCESSOR],
        card=card.read_text() if card.exists() else "",
    )


def step_folder(run: Path, step: int) -> Path:
    """Where a training run keeps what it had after `step` steps; "checkpoint" in it acts alone."""
    return Path(run) / "steps" / f"{step:08d}"


def saved_steps(run: Path) -> list[int]:
    """Steps that a run has kept whole, oldest first."""
    return sorted(int(p.name) for p in (Path(run) / "steps").glob("*") if p.name.isdigit())


def latest_checkpoint(run: Path) -> Path | None:
    """A run's newest checkpoint, if it has one."""
    steps = saved_steps(run)
    return step_folder(run, steps[-1]) / "checkpoint" if steps else None
