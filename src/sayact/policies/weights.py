"""Weights: those that do not fit their network are refused by name, and all can be told apart."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from sayact.models.checkpoint import WEIGHTS
from sayact.schema.errors import CheckpointError

DIGEST_LENGTH = 16  # hexadecimal digits: enough to tell two trainings apart


def require_same_shapes(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Raises CheckpointError that names some of those missing, left over or of another shape."""
    expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in weights.items()}
    if expected == given:
        return
    wrong = sorted(n for n in {*expected, *given} if expected.get(n) != given.get(n))
    shown = ", ".join(f"{n} {given.get(n)} for {expected.get(n)}" for n in wrong[:3])
    raise CheckpointError(
        f"{len(wrong)} weights do not fit the architecture in config.json, for instance "
        f"(shape found for shape expected; None: there is none): {shown}"
    )


def weights_digest(folder: Path) -> str:
    """The first digits of the SHA-256 of a checkpoint's weights, as `sha256sum` shows them."""
    with (folder / WEIGHTS).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:DIGEST_LENGTH]
