"""Weights that do not fit their network are refused by name."""

from collections.abc import Mapping

from torch import Tensor, nn

from sayact.schema.errors import CheckpointError


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
