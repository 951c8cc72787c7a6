"""A policy exported for one engine: a folder that acts alone, without the weights it came from.

steering, frame, window (.xml and .bin, or .onnx)    engine.json    and of the checkpoint:
config.json    action_space.json    processor.json    README.md
"""

import json
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from sayact.config import from_json
from sayact.models.checkpoint import (
    Checkpoint,
    read_description,
    read_json,
    write_description,
)
from sayact.models.rt1 import RT1, RT1Config
from sayact.policies.engines.engine import Engine
from sayact.policies.engines.graph_engine import Precision, require_shapes
from sayact.policies.engines.onnx_engine import OnnxEngine
from sayact.policies.engines.openvino_engine import OpenVinoEngine
from sayact.policies.engines.pytorch import StreamlinedEngine, TorchEngine
from sayact.schema.errors import (
    CheckpointError,
    MissingExtraError,
    SayactError,
    UnknownNameError,
)

MANIFEST = "engine.json"
EXPORTED = {"openvino": OpenVinoEngine, "onnx": OnnxEngine}
PRECISIONS = {
    "torch": StreamlinedEngine.PRECISIONS,
    **{name: engine.PRECISIONS for name, engine in EXPORTED.items()},
}


def make_engine(
    model: RT1,
    picture: tuple[int, int],
    engine: str = "torch",
    precision: Precision = "float32",
    device: str = "cpu",
) -> Engine:
    """What computes a network in memory; `picture` is height and width of what comes in."""
    require_known(engine, precision, PRECISIONS)
    if engine == "torch":
        if precision == "float32":
            return TorchEngine(model, device)
        return StreamlinedEngine(model, precision, device)
    with _graphs(model, picture, engine, precision) as folder:
        return EXPORTED[engine](model.config, folder, precision)


def export(
    checkpoint: Checkpoint,
    model: RT1,
    picture: tuple[int, int],
    out: Path,
    engine: str,
    precision: Precision = "float32",
) -> None:
    """Write `model`, which is `checkpoint`'s, as a folder for one engine, whole or not at all.

    Raises SayactError where `out` exists, UnknownNameError with the valid names, and
    MissingExtraError where the engine is not installed.
    """
    require_known(engine, precision, {name: PRECISIONS[name] for name in EXPORTED})
    out = Path(out)
    if out.exists():
        raise SayactError(f"{out} exists already; name a folder that does not")
    out.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place, so that it moves there in one step.
    with _graphs(model, picture, engine, precision, beside=out) as folder:
        card = f"{checkpoint.card}\nExported for {engine}, {precision}.\n".lstrip()
        write_description(folder, replace(checkpoint, card=card))
        manifest = {"engine": engine, "precision": precision, "versions": _versions(engine)}
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
        folder.chmod(0o755)
        folder.rename(out)


def require_known(engine: str, precision: str, known: Mapping[str, Sequence[str]]) -> None:
    """Raises UnknownNameError with the names in `known`, which are precisions by engine."""
    if engine not in known:
        raise UnknownNameError("engine", engine, known)
    if precision not in known[engine]:
        raise UnknownNameError(f"precision for {engine}", precision, known[engine])


def is_exported(folder: Path) -> bool:
    return (Path(folder) / MANIFEST).is_file()


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What an exported folder holds; the description has no weights."""

    description: Checkpoint
    engine: Engine
    engine_name: str
    precision: Precision


def read_exported(folder: Path) -> Exported:
    """Raises CheckpointError with the file that is missing or broken."""
    folder = Path(folder)
    description = read_description(folder)
    manifest = read_json(folder / MANIFEST)
    engine, precision = manifest.get("engine"), manifest.get("precision")
    if engine not in EXPORTED or precision not in PRECISIONS[engine]:
        raise CheckpointError(
            f"{folder / MANIFEST} names {engine!r} with {precision!r}, which this version of "
            "Sayact does not know; export the checkpoint again"
        )
    missing = [n for n in EXPORTED[engine].files() if not (folder / n).is_file()]
    if missing:
        raise CheckpointError(f"{folder} is not whole: it lacks {', '.join(missing)}")
    config = from_json(RT1Config, description.config.get("architecture", {}))
    try:
        made = EXPORTED[engine](config, folder, precision)
        require_shapes(made.shapes(), config, tuple(description.processor["images"]["crop"]))
    except MissingExtraError:
        raise
    except Exception as error:  # every library has its own for a file that is cut off
        reason = str(error).strip().splitlines()[-1]
        raise CheckpointError(
            f"{folder} does not hold one whole export for {engine}: {reason}. "
            "Export the checkpoint again."
        ) from error
    return Exported(description=description, engine=made, engine_name=engine, precision=precision)


@contextmanager
def _graphs(
    model: RT1,
    picture: tuple[int, int],
    engine: str,
    precision: Precision,
    beside: Path | None = None,
) -> Generator[Path, None, None]:
    """The graphs in a folder of their own that goes away; an engine keeps what it has read."""
    where = None if beside is None else beside.parent
    with tempfile.TemporaryDirectory(prefix=".sayact-", dir=where) as temporary:
        folder = Path(temporary) / "graphs"
        folder.mkdir()
        EXPORTED[engine].write(model, picture, folder, precision)
        yield folder


def _versions(engine: str) -> dict[str, str]:
    packages = ("torch", "openvino" if engine == "openvino" else "onnxruntime")
    return {package: version(package) for package in packages}
