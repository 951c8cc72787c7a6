"""A checkpoint is a folder that acts alone: weights, shapes, action space, processor, model card.

    model.safetensors    config.json    action_space.json    processor.json    README.md
    sentences.safetensors    only where sentences come with vectors that Sayact cannot compute
    tokenizer.json           only of language models

Written whole or not at all; read without unpickling anything.
"""

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32
from safetensors import SafetensorError
from safetensors import numpy as numpy_files
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
SENTENCES = "sentences.safetensors"
TOKENIZER = "tokenizer.json"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """`config` holds "model" (which class), "architecture" (its config) and how it was made.

    `sentences` are vectors by sentence, for a network that learned from another encoder than ours.
    `tokenizer` is the content of a language model's tokenizer.json.
    """

    weights: dict[str, Tensor]
    config: dict[str, Any]
    action_space: ActionSpace
    processor: dict[str, Any]
    card: str = ""
    sentences: dict[str, Float32[np.ndarray, "E"]] = field(default_factory=dict)
    tokenizer: bytes | None = None


def save_checkpoint(directory: Path, checkpoint: Checkpoint) -> None:
    """Write the folder beside its place, then move it there in one step."""
    directory = Path(directory)
    directory.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    new.chmod(0o755)
    save_file({k: v.contiguous() for k, v in checkpoint.weights.items()}, new / WEIGHTS)
    (new / WEIGHTS).chmod(0o644)  # safetensors writes for the owner alone
    write_description(new, checkpoint)
    if directory.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{directory.name}-old-", dir=directory.parent))
        directory.rename(old / directory.name)
        new.rename(directory)
        shutil.rmtree(old)
    else:
        new.rename(directory)


def write_description(directory: Path, checkpoint: Checkpoint) -> None:
    """All but the weights, into a folder that is there."""
    files = {
        CONFIG: checkpoint.config,
        ACTION_SPACE: checkpoint.action_space.to_json(),
        PROCESSOR: checkpoint.processor,
    }
    for name, content in files.items():
        (directory / name).write_text(json.dumps(content, indent=2) + "\n")
    (directory / CARD).write_text(checkpoint.card)
    if checkpoint.sentences:
        numpy_files.save_file(checkpoint.sentences, directory / SENTENCES)
        (directory / SENTENCES).chmod(0o644)
    if checkpoint.tokenizer is not None:
        (directory / TOKENIZER).write_bytes(checkpoint.tokenizer)


def read_checkpoint(directory: Path) -> Checkpoint:
    """Raises CheckpointError with the name of the file that is missing or broken."""
    directory = Path(directory)
    description = read_description(directory, needed=(WEIGHTS, CONFIG, ACTION_SPACE, PROCESSOR))
    try:
        weights = load_file(directory / WEIGHTS)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{directory / WEIGHTS} cannot be read: {error}") from error
    return replace(description, weights=weights)


def read_description(
    directory: Path, needed: Sequence[str] = (CONFIG, ACTION_SPACE, PROCESSOR)
) -> Checkpoint:
    """All but the weights, which stay empty; `needed` are the files that must be there."""
    missing = [n for n in needed if not (directory / n).exists()]
    if missing:
        raise CheckpointError(f"{directory} is not a checkpoint: it lacks {', '.join(missing)}")
    card, sentences, tokenizer = (directory / name for name in (CARD, SENTENCES, TOKENIZER))
    return Checkpoint(
        weights={},
        config=read_json(directory / CONFIG),
        action_space=_read_action_space(directory / ACTION_SPACE),
        processor=read_json(directory / PROCESSOR),
        card=card.read_text() if card.exists() else "",
        sentences=_read_sentences(sentences) if sentences.exists() else {},
        tokenizer=tokenizer.read_bytes() if tokenizer.exists() else None,
    )


def _read_action_space(file: Path) -> ActionSpace:
    try:
        return ActionSpace.from_json(read_json(file))
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{file} does not describe an action space: {error}") from error


def _read_sentences(file: Path) -> dict[str, np.ndarray]:
    try:
        return numpy_files.load_file(file)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{file} cannot be read: {error}") from error


def read_json(file: Path) -> dict[str, Any]:
    """A file's content by name; what cannot be read is a CheckpointError that names the file."""
    try:
        content = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{file} is not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{file} must hold an object of names and values")
    return content


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
