"""From a name or a path to something that acts."""

from collections.abc import Callable
from pathlib import Path

from sayact.codecs import Processor
from sayact.config import from_json
from sayact.models.checkpoint import Checkpoint, latest_checkpoint, read_checkpoint
from sayact.models.rt1 import RT1, RT1Config
from sayact.policies.baselines import OraclePolicy, RandomPolicy, ZeroPolicy
from sayact.policies.policy import Policy
from sayact.policies.rt1 import RT1Policy
from sayact.schema.errors import CheckpointError, UnknownNameError

BASELINES: dict[str, Callable[[], Policy]] = {
    "oracle": OraclePolicy,
    "random": RandomPolicy,
    "zero": ZeroPolicy,
}
BOX = Path(__file__).parent / "box"


def boxed() -> tuple[str, ...]:
    """Names of the trained policies that ship in the package."""
    return tuple(sorted(p.name for p in BOX.glob("*") if (p / "config.json").exists()))


def load_policy(name_or_path: str | Path, device: str = "cpu") -> Policy:
    """A policy by the name of a baseline, of one in the box, or by a folder.

    The folder is a checkpoint, or a training run, which stands for its newest one.
    Raises UnknownNameError with the valid names, or CheckpointError where the folder is broken.
    """
    name = str(name_or_path)
    if name in BASELINES:
        return BASELINES[name]()
    if name in boxed():
        return build_policy(read_checkpoint(BOX / name), device)
    if Path(name).is_dir():
        folder = latest_checkpoint(Path(name)) or Path(name)
        return build_policy(read_checkpoint(folder), device)
    raise UnknownNameError("policy (or checkpoint folder)", name, [*BASELINES, *boxed()])


def build_policy(checkpoint: Checkpoint, device: str = "cpu") -> RT1Policy:
    """The policy that a checkpoint's content describes."""
    kind = checkpoint.config.get("model")
    if kind != "rt1":
        raise CheckpointError(f"config.json names the model {kind!r}; this version knows 'rt1'")
    model = RT1(from_json(RT1Config, checkpoint.config.get("architecture", {})))
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in checkpoint.weights.items()}
    if expected != given:
        wrong = sorted(n for n in {*expected, *given} if expected.get(n) != given.get(n))
        shown = ", ".join(f"{n} {given.get(n)} for {expected.get(n)}" for n in wrong[:3])
        raise CheckpointError(
            f"{len(wrong)} weights do not fit the architecture in config.json, for instance "
            f"(shape found for shape expected; None: there is none): {shown}"
        )
    model.load_state_dict(checkpoint.weights)
    processor = Processor.from_json(checkpoint.processor, checkpoint.action_space)
    return RT1Policy(model, processor, device)
