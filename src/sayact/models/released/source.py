"""One path → the arrays of a release by name, whichever of its forms the path leads to.

what the path is                                            form
folder with checkpoint and ckpt-N.index, or the path ckpt-N TensorFlow training checkpoint
folder with variables/variables.index                       TensorFlow SavedModel
folder or file checkpoint, checkpoint_N                     flax, alone or in Orbax's folder
folder of params.*/.zarray                                  Orbax without its msgpack file
file .npz                                                   arrays by either's names
"""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from sayact.models.released.files import POINTER, refuse_pointer, starts_with
from sayact.models.released.flax_files import FlaxFiles, is_orbax, read_flax, read_orbax
from sayact.models.released.naming import tensorflow
from sayact.models.released.npz import read_npz
from sayact.models.released.tensor_bundle import TensorBundle
from sayact.models.shapes import PAPER
from sayact.schema.errors import CheckpointError

INDEX = ".index"
ZIP = b"PK\x03\x04"
TF_NOTE = b"model_checkpoint_path"  # how TensorFlow's note of its newest checkpoint begins

# How TensorFlow writes a variable of the network: in a training checkpoint …
NETWORK, VALUE = "agent/_actor_network/", "/.ATTRIBUTES/VARIABLE_VALUE"
# … and in a SavedModel, by its number.
NUMBERED = re.compile(r"model_variables/(\d+)$")
STEPS = ("global_step", "train_step", "model_variables/0")
# Adam's two moments of every weight, and what else training keeps beside the network.
SLOT = "/.OPTIMIZER_SLOT/"
BOOKKEEPING = re.compile(
    rf"save_counter$|_CHECKPOINTABLE_OBJECT_GRAPH$|agent/(?!{NETWORK.removeprefix('agent/')})"
)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Arrays as released; `left_out` are names or kinds of what no policy needs, with counts."""

    form: str
    files: tuple[Path, ...]
    arrays: dict[str, np.ndarray]
    step: int | None = None
    left_out: dict[str, int] = field(default_factory=dict[str, int])


def open_source(path: Path) -> Source:
    """Read all of a release. Raises CheckpointError that names the file and the variable."""
    if path.is_dir():
        return _open_folder(path)
    if path.with_name(path.name + INDEX).is_file():
        return _tensorflow(path, "TensorFlow checkpoint")
    if path.suffix == INDEX and path.is_file():
        return _tensorflow(path.with_suffix(""), "TensorFlow checkpoint")
    if not path.exists():
        raise CheckpointError(f"there is nothing at {path}. {_wanted()}")
    refuse_pointer(path)
    if path.suffix == ".npz" or starts_with(path, ZIP):
        return _named(path)
    return _flax(read_flax(path))


def _open_folder(folder: Path) -> Source:
    saved = folder / "variables" / "variables"
    trained = _newest_bundle(folder)
    # A training checkpoint names its variables, a SavedModel only counts them: prefer the names,
    # unless Git LFS has left them behind.
    if trained and not (saved.with_name("variables.index").is_file() and _is_pointer(trained)):
        return _tensorflow(trained, "TensorFlow checkpoint")
    if saved.with_name("variables.index").is_file():
        return _tensorflow(saved, "TensorFlow SavedModel")
    if (folder / "variables.index").is_file():
        return _tensorflow(folder / "variables", "TensorFlow SavedModel")
    if (folder / "manifest.ocdbt").exists():
        raise CheckpointError(
            f"{folder} was written by Orbax in OCDBT form. Restore it with Orbax where JAX is "
            "installed, and give its arrays as an .npz (docs/import.md shows how)."
        )
    if is_orbax(folder) and not (folder / "checkpoint").is_file():
        return _flax(read_orbax(folder))
    flax = [f for f in folder.glob("checkpoint*") if re.fullmatch(r"checkpoint(_\d+)?", f.name)]
    if not flax:
        raise CheckpointError(f"{folder} holds no checkpoint that Sayact knows. {_wanted()}")
    newest = max(flax, key=_number)
    if newest.is_file() and starts_with(newest, TF_NOTE):
        raise CheckpointError(
            f"{newest} speaks of a TensorFlow checkpoint, but there is no ckpt-N.index beside it"
        )
    return _open_folder(newest) if newest.is_dir() else _flax(read_flax(newest))


def _wanted() -> str:
    return (
        "Give the folder of a SavedModel, the path of a ckpt-N, the folder or file of a flax "
        "checkpoint, or an .npz of its arrays."
    )


def _newest_bundle(folder: Path) -> Path | None:
    """The ckpt-N that the file `checkpoint` names, else the one of the highest N."""
    found = {file.with_suffix("").name: file for file in folder.glob(f"*{INDEX}")}
    found.pop("variables", None)
    told = folder / "checkpoint"
    if found and told.is_file():
        text = told.read_bytes().decode(errors="replace")
        named = re.search(r'^model_checkpoint_path: "(?:.*/)?([^"/]+)"', text, re.MULTILINE)
        if named and named[1] in found:
            return folder / named[1]
    return max((folder / name for name in found), key=_number, default=None)


def _number(path: Path) -> int:
    digits = re.search(r"(\d+)$", path.name)
    return int(digits[1]) if digits else -1


def _is_pointer(prefix: Path) -> bool:
    files = [*prefix.parent.glob(f"{prefix.name}.data-*"), prefix.with_name(prefix.name + INDEX)]
    return any(starts_with(file, POINTER) for file in files)


def _tensorflow(prefix: Path, form: str) -> Source:
    bundle = TensorBundle(prefix)
    names = {name: name.removesuffix(VALUE) for name in bundle.entries}
    slots = [name for name in names if SLOT in name]
    counters = [n for n, short in names.items() if n not in slots and BOOKKEEPING.match(short)]
    texts = [n for n in names if n not in counters and bundle.is_text(n)]
    steps = {short: name for name, short in names.items() if short in STEPS}
    left_out = {"optimiser slots": len(slots), "bookkeeping": len(counters) + len(texts)}
    skipped = {*slots, *counters, *texts, *steps.values()}
    numbers = _numbering(bundle.index, [names[name] for name in names if name not in skipped])
    arrays = {
        numbers.get(short, short.removeprefix(NETWORK)): bundle.read(name)
        for name, short in names.items()
        if name not in skipped
    }
    used = {bundle.entries[name].shard for name in names if name not in skipped}
    step = next((_step(bundle.read(steps[name])) for name in STEPS if name in steps), None)
    return Source(
        form=form,
        files=(bundle.index, *(bundle.shards[i] for i in sorted(used))),
        arrays=arrays,
        step=step,
        left_out={kind: count for kind, count in left_out.items() if count},
    )


def _step(array: np.ndarray) -> int | None:
    """The training step; it is for the model card only, so what is no number is passed over."""
    return int(array.item()) if array.size == 1 and array.dtype.kind in "iuf" else None


def _numbering(index: Path, names: list[str]) -> dict[str, str]:
    """For the numbered variables of a SavedModel, the names they have in the network."""
    numbered = {name: int(found[1]) for name in names if (found := NUMBERED.match(name))}
    if not numbered:
        return {}
    # Only the number of layers changes how many there are.
    one, two = (len(tensorflow(replace(PAPER, layers=n))) for n in (1, 2))
    last = max(numbered.values())
    layers = max(1, 1 + round((last - one) / (two - one)))
    ordered = tensorflow(replace(PAPER, layers=layers))
    if last != len(ordered):
        fewer, more = sorted((last, len(ordered)))
        fault = "missing" if last < len(ordered) else "too many"
        raise CheckpointError(
            f"{index}: the variables are numbered up to {last}, which fits no RT-1; the nearest, "
            f"of {layers} layers, has {len(ordered)}.\n"
            + "\n".join(f"  {fault}: model_variables/{n}" for n in range(fewer + 1, more + 1))
            + "\nGive the whole SavedModel, as released, or the training checkpoint, which has "
            "names."
        )
    return {name: ordered[number - 1].theirs for name, number in numbered.items()}


def _flax(found: FlaxFiles) -> Source:
    return Source(
        form="flax checkpoint",
        files=tuple(found.files),
        arrays=found.arrays,
        step=found.step,
        left_out=dict.fromkeys(found.left_out, 1),
    )


def _named(file: Path) -> Source:
    """The names may be as TensorFlow writes them, or without what it puts around them."""
    arrays = read_npz(file)
    short = {name: name.removesuffix(VALUE).removeprefix(NETWORK) for name in arrays}
    kept = {n: s for n, s in short.items() if SLOT not in n and not BOOKKEEPING.match(s)}
    steps = {s: n for n, s in kept.items() if s in (*STEPS, "step")}
    return Source(
        form="npz",
        files=(file,),
        arrays={s: arrays[n] for n, s in kept.items() if s not in steps},
        step=next((_step(arrays[name]) for name in steps.values()), None),
        left_out={"bookkeeping": len(short) - len(kept)} if len(short) > len(kept) else {},
    )
