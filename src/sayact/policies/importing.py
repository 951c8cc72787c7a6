"""Google's checkpoints as ours: read, recognised, placed, examined, and only then written.

path ─▶ Source ─▶ recognise ─▶ place ─▶ policy ─▶ examine ─▶ checkpoint folder
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from sayact.codecs import EdgeBins, ImageCodec, Processor
from sayact.codecs.instructions import GivenSentences
from sayact.config import to_json
from sayact.models.checkpoint import Checkpoint, save_checkpoint
from sayact.models.released.checksum import can_check, sha256
from sayact.models.released.naming import NAMINGS, Recognised, place, recognise, with_normalisation
from sayact.models.released.npz import read_npz
from sayact.models.released.source import Source, open_source
from sayact.models.rt1 import RT1Config
from sayact.policies.doctor import Diagnosis, examine
from sayact.policies.loading import build_policy
from sayact.schema import RT1, RT1_X, ActionSpace
from sayact.schema.errors import CheckpointError

# What the released policies take from their camera (policy_specs.pbtxt); the network resizes it.
CAMERA = (256, 320)  # height, width

# The mode that a token which is no mode decodes to: terminate in TensorFlow; the flax example acts
# as in base.
FALLBACKS = {"tensorflow": 0, "flax": 2}

# github.com/google-research/robotics_transformer/issues/19; the RT-1-X notebook loads it too.
SENTENCES = (
    "The released networks learned from sentences embedded by "
    "tfhub.dev/google/universal-sentence-encoder-large/5, which needs TensorFlow. Compute the "
    "vectors of your sentences once and import with --sentences FILE.npz (docs/import.md)."
)

FILES_NAMED = 8  # in config.json, at most; a checkpoint of Orbax has hundreds


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a checkpoint came from; kept in its config.json.

    `shape` is the published network it has, if it is one. `sha256` is of the file, or of the lines
    that `sha256sum` prints for its files. `left_out` counts what no policy needs, by kind.
    """

    name: str
    release: str
    form: str
    shape: str | None
    files: tuple[str, ...]
    sha256: str
    checksums_compared: bool
    variables: int
    step: int | None
    left_out: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What came out of an import: the folder `out` acts alone."""

    out: Path
    origin: Origin
    parameters: int
    diagnosis: Diagnosis

    def to_json(self) -> dict[str, Any]:
        return {
            "out": str(self.out),
            "origin": asdict(self.origin),
            "parameters": self.parameters,
            "diagnosis": self.diagnosis.to_json(),
        }


def import_rt1(
    path: Path, out: Path, name: str, made_by: dict[str, str], sentences: Path | None = None
) -> Imported:
    """Import the release at `path` into the new folder `out`; `made_by` goes into its config.json.

    `sentences` is an .npz of vectors by sentence, as the encoder of the release computes them.

    Raises CheckpointError, and writes nothing, where anything is missing, extra, broken or of
    another shape.
    """
    require_free(out)
    source = open_source(path)
    found = recognise({n: array.shape for n, array in source.arrays.items()})
    config = with_normalisation(found.config, source.arrays)
    origin = _origin(name, source, found)
    vectors = {} if sentences is None else read_sentences(sentences, config.sentence)
    space = space_of(found.shape)
    checkpoint = Checkpoint(
        weights=place(source.arrays, NAMINGS[found.naming](found.config), config),
        config={
            "model": "rt1",
            "architecture": to_json(config),
            "imported": asdict(origin),
            "made_by": made_by,
        },
        action_space=space,
        processor=_processor(found.naming, config, space).to_json(),
        sentences=vectors,
    )
    imported = Imported(
        out=out,
        origin=origin,
        parameters=sum(array.size for array in source.arrays.values()),
        diagnosis=examine(build_policy(checkpoint)),
    )
    save_checkpoint(out, replace(checkpoint, card=card(imported)))
    return imported


def require_free(out: Path) -> None:
    """Raises CheckpointError where something is at `out` already."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CheckpointError(
            f"{out} is there already and is not overwritten. Give another --out, or remove it."
        )


def space_of(shape: str | None) -> ActionSpace:
    """RT-1-X's arm moves up to 2, all others' up to 1; no array of a checkpoint tells."""
    return RT1_X if shape == "rt1x" else RT1


def read_sentences(file: Path, width: int) -> dict[str, Float32[np.ndarray, "E"]]:
    """Vectors by sentence. Raises CheckpointError that names the sentence whose vector is none."""
    vectors = read_npz(file)
    for sentence, vector in vectors.items():
        number = np.issubdtype(vector.dtype, np.floating)
        if vector.shape != (width,) or not number or not np.isfinite(vector).all():
            raise CheckpointError(
                f"{file}: the vector of {sentence!r} must be {width} finite numbers; got "
                f"{vector.dtype} of shape {vector.shape}"
            )
    return {sentence: vector.astype(np.float32) for sentence, vector in vectors.items()}


def _origin(name: str, source: Source, found: Recognised) -> Origin:
    return Origin(
        name=name,
        release=found.naming,
        form=source.form,
        shape=found.shape,
        files=tuple(file.name for file in source.files)
        if len(source.files) <= FILES_NAMED
        else (f"{len(source.files)} files",),
        sha256=sha256(source.files),
        checksums_compared=can_check() and source.form.startswith("TensorFlow"),
        variables=len(source.arrays),
        step=source.step,
        left_out=source.left_out,
    )


def _processor(release: str, config: RT1Config, space: ActionSpace) -> Processor:
    return Processor(
        images=ImageCodec(camera=CAMERA, shrink_by=1, crop=CAMERA),
        actions=EdgeBins(action_space=space, bins=config.bins, fallback=FALLBACKS[release]),
        sentences=GivenSentences({}),
    )


def card(imported: Imported) -> str:
    """The model card: what it is, where it came from, how it answered."""
    origin = imported.origin
    left_out = ", ".join(f"{kind} ({count})" for kind, count in origin.left_out.items())
    facts = {
        "released as": f"{origin.form}, names of the {origin.release} release",
        "network": origin.shape or "of no published size; see config.json",
        "files": ", ".join(origin.files),
        "sha256": f"`{origin.sha256}`",
        "variables": f"{origin.variables}, {imported.parameters:,} numbers",
        "training step": "not told" if origin.step is None else f"{origin.step:,}",
        "left out": left_out or "nothing",
    }
    report = "\n".join(imported.diagnosis.lines())
    return (
        f"# {origin.name}\n\n"
        "Weights of RT-1 that Google released, imported by `sayact import rt1`.\n\n"
        "```python\n"
        'policy = sayact.load_policy("this folder")\n'
        "policy.reset()\n"
        "action = policy.act(observation)\n"
        "```\n\n"
        f"It sees pictures of {CAMERA[0]} × {CAMERA[1]} pixels (height × width) and an English "
        "sentence, and answers at 3 Hz with a mode, seven numbers of the arm and three of the "
        "base.\n\n| | |\n|---|---|\n"
        + "".join(f"| {what} | {fact} |\n" for what, fact in facts.items())
        + f"\n{SENTENCES}\n"
        + "\n`sayact doctor` on three fixed pictures, each with three sentences. This tells "
        "whether it answers to what it is shown, not how well it acts:\n\n"
        f"```\n{report}\n```\n"
    )
