"""CRC32C, with which TensorFlow guards each block and tensor of a checkpoint; SHA-256 of files.

google-crc32c computes it at memory speed. Without that package checkpoints are read unchecked: the
pure Python way would take minutes for 140 MB.
"""

import hashlib
import logging
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import ModuleType

MASK = 0xA282EAD8  # added to the rotated checksum, so that a checksum of checksums means something
PIECE = 1 << 20  # bytes read at once

logger = logging.getLogger(__name__)


def masked_crc32c(data: bytes) -> int | None:
    """The checksum as TensorFlow and LevelDB store it; None where the package is missing."""
    library = _library()
    if library is None:
        return None
    crc = library.value(data)
    return ((crc >> 15 | crc << 17) + MASK) & 0xFFFFFFFF


def can_check() -> bool:
    """Whether checksums are compared on this machine."""
    return _library() is not None


@cache
def _library() -> ModuleType | None:
    try:
        import google_crc32c
    except ImportError:
        logger.warning(
            "google-crc32c is not installed: the checkpoint's checksums are not compared. "
            "The extra brings it: `pip install 'sayact[import]'`, in a clone `pip install "
            "'.[import]'`."
        )
        return None
    return google_crc32c


def sha256(files: Sequence[Path]) -> str:
    """Of one file its SHA-256; of several that of the lines `sha256sum` prints for them, sorted.

    Several files are named as from the innermost folder that holds them all.
    """
    digests = {file: _sha256(file) for file in sorted(files)}
    if len(digests) == 1:
        return next(iter(digests.values()))
    home = Path(os.path.commonpath(digests))
    lines = "".join(f"{digest}  {f.relative_to(home)}\n" for f, digest in digests.items())
    return hashlib.sha256(lines.encode()).hexdigest()


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while piece := stream.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()
