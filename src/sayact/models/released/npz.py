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
    if not zipfile.is_zipfile(file):
        raise CheckpointError(
            f"{file} is no .npz, or one that is cut short. Write it again, with numpy.savez."
        )
    arrays: dict[str, np.ndarray] = {}
    with np.load(file, allow_pickle=False) as archive:
        for name in archive.files:
            try:
                array = archive[name]
            except (zipfile.BadZipFile, OSError, ValueError, EOFError) as error:
                raise _unreadable(file, name) from error
            if not isinstance(array, np.ndarray):  # a file in the archive that is no array
                raise _unreadable(file, name)
            arrays[name] = array
    return arrays


def _unreadable(file: Path, name: str) -> CheckpointError:
    """numpy's own reasons are left out: they advise to unpickle."""
    return CheckpointError(
        f"{file}: {name} is broken or no array of numbers. Write the file again, with numpy.savez."
    )
