"""From a name or a path to something that acts."""

from collections.abc import Callable, Sequence
from pathlib import Path

from sayact.codecs import Processor
from sayact.config import from_json
from sayact.models.checkpoint import Checkpoint, latest_checkpoint, read_checkpoint, read_json
from sayact.models.device import require_device
from sayact.models.rt1 import RT1, RT1Config
from sayact.policies.baselines import OraclePolicy, RandomPolicy, ZeroPolicy
from sayact.policies.engines.exported import (
    MANIFEST,
    PRECISIONS,
    is_exported,
    make_engine,
    read_exported,
    require_known,
)
from sayact.policies.engines.graph_engine import Precision
from sayact.policies.policy import Policy
from sayact.policies.remote import load_remote
from sayact.policies.rt1 import RT1Policy
from sayact.policies.rt2 import RT2Policy
from sayact.policies.rt2_checkpoint import MODEL as RT2_MODEL
from sayact.policies.rt2_checkpoint import build_rt2
from sayact.policies.weights import require_same_shapes
from sayact.schema.errors import CheckpointError, SayactError, UnknownNameError
from sayact.serve.client import is_url

BASELINES: dict[str, Callable[[], Policy]] = {
    "oracle": OraclePolicy,
    "random": RandomPolicy,
    "zero": ZeroPolicy,
}
BOX = Path(__file__).parent / "box"


def boxed() -> tuple[str, ...]:
    """Names of the trained policies that ship in the package."""
    return tuple(sorted(p.name for p in BOX.glob("*") if (p / "config.json").exists()))


def load_policy(
    name_or_path: str | Path,
    device: str = "cpu",
    engine: str | None = None,
    precision: Precision | None = None,
    plan_every: int | None = None,
) -> Policy:
    """A policy by the name of a baseline, of one in the box, by a folder, or by a server's URL.

    The folder is a checkpoint, a training run, which stands for its newest one, or what
    `sayact export` wrote. `engine` is torch, openvino or onnx: what computes the network
    (docs/speed.md); an exported folder knows its own, and baselines have none. `plan_every` is
    after how many steps an RT-2 plans anew (docs/rt2.md), never if 0; None: as its checkpoint says.
    A server, ws://HOST:PORT, has settled all of that for itself.
    Raises UnknownNameError with the valid names, CheckpointError where the folder is broken, or
    SayactError where this machine has no such device.
    """
    name = str(name_or_path)
    require_device(device)
    if is_url(name):
        _require_unsettled(name, engine=engine, precision=precision, plan_every=plan_every)
        return load_remote(name)
    if name in BASELINES:
        require_known(engine or "torch", precision or "float32", PRECISIONS)
        _require_no_plans(plan_every)
        return BASELINES[name]()
    folder = _folder(name, [*BASELINES, *boxed()])
    if is_exported(folder):
        return _load_exported(folder, engine, precision)
    checkpoint = read_checkpoint(folder)
    return build_policy(checkpoint, device, engine or "torch", precision or "float32", plan_every)


def load_rt2(name: str | Path, wanted: str, device: str = "cpu") -> RT2Policy:
    """An RT-2, for what no other policy can do; `wanted` ends "a baseline cannot …".

    Raises SayactError for a policy that is no RT-2.
    """
    policy = load_policy(name, device)
    if isinstance(policy, RT2Policy):
        return policy
    kind = "an RT-1" if isinstance(policy, RT1Policy) else "a baseline"
    raise SayactError(
        f"{name} is {kind}, which cannot {wanted}; give an RT-2: rt2-nano, or the folder of a run "
        "of `sayact train rt2_language_table`"
    )


def checkpoint_folder(name: str) -> Path:
    """Where the weights lie that a name in the box, or a path, stands for."""
    if name in BASELINES:
        raise CheckpointError(
            f"{name!r} is a baseline and has no weights; give a checkpoint's folder, or one of the "
            f"policies in the box: {', '.join(boxed())}"
        )
    if is_url(name):
        raise CheckpointError(f"the weights of {name} are its server's; give a checkpoint's folder")
    folder = _folder(name, boxed())
    if is_exported(folder):
        engine = read_json(folder / MANIFEST).get("engine")
        raise CheckpointError(
            f"{folder} was exported for {engine} and has no weights; give the checkpoint that it "
            "came from"
        )
    return folder


def build_policy(
    checkpoint: Checkpoint,
    device: str = "cpu",
    engine: str = "torch",
    precision: Precision = "float32",
    plan_every: int | None = None,
) -> Policy:
    """The policy that a checkpoint's content describes."""
    if checkpoint.config.get("model") == RT2_MODEL:
        _require_torch(engine, precision)
        return build_rt2(checkpoint, device, plan_every)
    _require_no_plans(plan_every)
    return build_rt1(checkpoint, device, engine, precision)


def build_rt1(
    checkpoint: Checkpoint,
    device: str = "cpu",
    engine: str = "torch",
    precision: Precision = "float32",
) -> RT1Policy:
    """An RT-1. Raises CheckpointError where the checkpoint is another model's."""
    model = build_model(checkpoint)
    processor = build_processor(checkpoint)
    computed_by = make_engine(model, processor.images.crop, engine, precision, device)
    return RT1Policy(computed_by, processor)


def build_processor(checkpoint: Checkpoint) -> Processor:
    """The processor that the checkpoint's network learned with."""
    return Processor.from_json(checkpoint.processor, checkpoint.action_space, checkpoint.sentences)


def build_model(checkpoint: Checkpoint) -> RT1:
    """The network with the checkpoint's weights in it."""
    kind = checkpoint.config.get("model")
    if kind != "rt1":
        raise CheckpointError(
            f"config.json names the model {kind!r}; this can be done with an RT-1 alone"
            if kind == RT2_MODEL
            else f"config.json names the model {kind!r}; this version knows 'rt1' and 'rt2'"
        )
    model = RT1(from_json(RT1Config, checkpoint.config.get("architecture", {})))
    require_same_shapes(model, checkpoint.weights)
    model.load_state_dict(checkpoint.weights)
    return model


def _require_no_plans(plan_every: int | None) -> None:
    if plan_every:
        raise SayactError("only RT-2 can plan: this policy has no words; leave plan_every out")


def _require_torch(engine: str, precision: str) -> None:
    if (engine, precision) != ("torch", "float32"):
        raise SayactError(
            f"RT-2 is computed by torch in float32 on a CPU and by nothing else yet; got {engine}, "
            f"{precision}. Leave the engine out."
        )


def _load_exported(folder: Path, engine: str | None, precision: str | None) -> RT1Policy:
    exported = read_exported(folder)
    made_for = (exported.engine_name, exported.precision)
    if engine not in (None, made_for[0]) or precision not in (None, made_for[1]):
        raise CheckpointError(
            f"{folder} was exported for {made_for[0]}, {made_for[1]}; load it without naming an "
            "engine, or export its checkpoint again for the other one"
        )
    return RT1Policy(exported.engine, build_processor(exported.description))


def _require_unsettled(url: str, **settings: object) -> None:
    for name, given in settings.items():
        if given is not None:
            raise SayactError(
                f"{name} is settled where {url} is served; start the server so, and leave it out"
            )


def _folder(name: str, allowed: Sequence[str]) -> Path:
    if name in boxed():
        return BOX / name
    if Path(name).is_dir():
        return latest_checkpoint(Path(name)) or Path(name)
    raise UnknownNameError("policy (or checkpoint folder)", name, allowed)
