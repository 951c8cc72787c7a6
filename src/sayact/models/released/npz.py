"""Named arrays in numpy's .npz: what a user with TensorFlow or JAX at hand can always write."""

import zipfile
from pathlib import Path

import numpy as np

from sayact.models.released.files import refuse_pointer
from sayact.schema.errors import CheckpointError


def read_npz(file: Path) -> dict[str, np.ndarray]:
    """Arrays by name. Nothing is unpickled; numpy's checksums are compared.

    Raises CheckpointError that names the file, and the variable where there is one.
    """
    refuse_pointer(file)
    try:
        with np.load(file, allow_pickle=False) as archive:
            names = archive.files
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise CheckpointError(f"{file} is not a whole .npz: {error}. Write it again.") from error
    arrays: dict[str, np.ndarray] = {}
    with np.load(file, allow_pickle=False) as archive:
        for name in names:
            try:
                arrays[name] = archive[name]
            except (zipfile.BadZipFile, OSError, ValueError, EOFError) as error:
                raise CheckpointError(f"{file}: {name} cannot be read: {error}") from error
    return arrays
