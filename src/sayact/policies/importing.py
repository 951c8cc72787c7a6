"""Google's checkpoints as ours: read, recognised, placed, examined, and only then written.

path ─▶ Source ─▶ recognise ─▶ place ─▶ policy ─▶ examine ─▶ checkpoint folder
"""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from torch import Tensor

from sayact.codecs.instructions import GivenSentences
from sayact.codecs.released import released_processor
from sayact.config import to_json
from sayact.models.checkpoint import Checkpoint, save_checkpoint
from sayact.models.released.checksum import can_check, sha256
from sayact.models.released.naming import NAMINGS, Recognised, place, recognise, with_normalisation
from sayact.models.released.npz import read_npz
from sayact.models.released.source import Source, open_source
from sayact.models.rt1 import RT1Config
from sayact.models.shapes import RT1_X as RT1_X_NETWORK
from sayact.policies.doctor import examine
from sayact.policies.imported import SPACES, Imported, Origin, card
from sayact.policies.loading import build_rt1
from sayact.schema import RT1, RT1_X, ActionSpace
from sayact.schema.errors import CheckpointError, UnknownNameError

# The mode that a token which is no mode decodes to: terminate in TensorFlow; the flax example acts
# as in base.
FALLBACKS = {"tensorflow": 0, "flax": 2}

FILES_NAMED = 8  # in config.json, at most; a checkpoint of Orbax has hundreds


def import_rt1(
    path: Path,
    out: Path,
    name: str,
    made_by: dict[str, str],
    sentences: Path | None = None,
    space: str | None = None,
) -> Imported:
    """Import the release at `path` into the new folder `out`; `made_by` goes into its config.json.

    `sentences` is an .npz of vectors by sentence, as the encoder of the release computes them.
    `space` is "rt1" or "rt1_x", how far the arm moves; assumed unless told.

    Raises CheckpointError, and writes nothing, where anything is missing, extra, broken or of
    another shape.
    """
    require_free(out)
    if space not in (None, *SPACES):
        raise UnknownNameError("action space", space, SPACES)
    source = open_source(path)
    found, config, weights = _network(path, source)
    actions = assumed_space(config) if space is None else SPACES[space]
    vectors = {} if sentences is None else read_sentences(sentences, config.sentence)
    origin = _origin(name, source, found, actions, assumed=space is None)
    processor = released_processor(
        actions, config.bins, GivenSentences({}), FALLBACKS[found.naming]
    )
    checkpoint = Checkpoint(
        weights=weights,
        config={
            "model": "rt1",
            "architecture": to_json(config),
            "imported": asdict(origin),
            "made_by": made_by,
        },
        action_space=actions,
        processor=processor.to_json(),
        sentences=vectors,
    )
    imported = Imported(
        out=out,
        origin=origin,
        parameters=sum(array.size for array in source.arrays.values()),
        sentences=tuple(sorted(vectors)),
        diagnosis=examine(build_rt1(checkpoint)),
    )
    save_checkpoint(out, replace(checkpoint, card=card(imported)))
    return imported


def _network(path: Path, source: Source) -> tuple[Recognised, RT1Config, dict[str, Tensor]]:
    """What it is, with its own normalisation, and its weights by our names."""
    try:
        found = recognise({name: array.shape for name, array in source.arrays.items()})
        weights = place(source.arrays, NAMINGS[found.naming](found.config), found.config)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    return found, with_normalisation(found.config, source.arrays), weights


def require_free(out: Path) -> None:
    """Raises CheckpointError where something is at `out` already."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CheckpointError(
            f"{out} is there already and is not overwritten. Give another --out, or remove it."
        )


def assumed_space(config: RT1Config) -> ActionSpace:
    """RT-1-X's arm moves up to 2, all others' up to 1. No array tells; but 512 bins are RT-1-X's.

    Both of its forms, it seems: what is likely an answer of the TensorFlow one is printed in
    google-deepmind/open_x_embodiment#17, and its world_vector -0.00391388 and base -0.00195694 are
    id 255 of 511 in -2 … 2 and in -1 … 1.
    """
    return RT1_X if config.bins == RT1_X_NETWORK.bins else RT1


def read_sentences(file: Path, width: int) -> dict[str, Float32[np.ndarray, "E"]]:
    """Vectors by sentence. Raises CheckpointError that names the sentence whose vector is none."""
    if not file.is_file():
        raise CheckpointError(f"there is no {file}. --sentences takes an .npz of vectors.")
    vectors = read_npz(file)
    for sentence, vector in vectors.items():
        number = np.issubdtype(vector.dtype, np.floating)
        if vector.shape != (width,) or not number or not np.isfinite(vector).all():
            raise CheckpointError(
                f"{file}: the vector of {sentence!r} must be {width} finite numbers; got "
                f"{vector.dtype} of shape {vector.shape}"
            )
    return {sentence: vector.astype(np.float32) for sentence, vector in vectors.items()}


def _origin(
    name: str, source: Source, found: Recognised, actions: ActionSpace, assumed: bool
) -> Origin:
    return Origin(
        name=name,
        release=found.naming,
        form=source.form,
        shape=found.shape,
        action_space=actions.name,
        action_space_assumed=assumed,
        files=tuple(file.name for file in source.files)
        if len(source.files) <= FILES_NAMED
        else (f"{len(source.files)} files",),
        sha256=sha256(source.files),
        checksums_compared=can_check() and source.form.startswith("TensorFlow"),
        variables=len(source.arrays),
        step=source.step,
        left_out=source.left_out,
    )
