"""What flax.training.checkpoints wrote, read without flax, JAX or Orbax.

    checkpoint_N, or checkpoint        one msgpack file: {"step", "params": {…}, "batch_stats": {…}}
    DIR/params.image_tokenizer.…/      Orbax: one zarr array in a folder for each leaf
    DIR/checkpoint                     until 2023 with that msgpack file, whose leaves say
                                       PLACEHOLDER://NAME where they are in DIR/NAME

    an array in msgpack    extension 1: (shape, dtype name, bytes), itself msgpack; 3 is a scalar
    above 1 GB             {"__msgpack_chunked_array__", "shape", "chunks"}: parts of it, flat
    zarr, version 2        .zarray says shape, chunks and compression; each chunk is a file "i.j"

Sources: google/flax, flax/serialization.py and flax/training/checkpoints.py; google/orbax;
zarr.readthedocs.io, "Zarr storage specification version 2".
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sayact.models.released.files import refuse_pointer
from sayact.models.released.tensor_bundle import widened
from sayact.schema.errors import CheckpointError, MissingExtraError

ZARR = ".zarray"
NDARRAY, SCALAR = 1, 3  # flax's msgpack extensions
CHUNKED = "__msgpack_chunked_array__"
PLACEHOLDER = "PLACEHOLDER://"
KEPT = ("params", "batch_stats")  # what the network is made of
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS  # tells zlib to find out which


class FlaxFiles(NamedTuple):
    """Arrays by path ("params/…"), the files they were in, the step, and what was left out."""

    arrays: dict[str, np.ndarray]
    files: list[Path]
    step: int | None
    left_out: list[str]


def read_flax(file: Path) -> FlaxFiles:
    """A checkpoint with a msgpack file.

    Raises CheckpointError that names the file, and the variable where there is one.
    """
    tree = _unpack(file)
    found = FlaxFiles({}, [file], _step(tree.get("step"), file.parent), _left_out(tree))
    for name, leaf in _leaves({key: tree[key] for key in KEPT if key in tree}):
        if isinstance(leaf, str) and leaf.startswith(PLACEHOLDER):
            leaf = _read_zarr(file.parent / leaf.removeprefix(PLACEHOLDER), name, found.files)
        if not isinstance(leaf, np.ndarray):
            raise CheckpointError(f"{file}: {name} is {type(leaf).__name__}, not an array")
        found.arrays[name] = leaf
    return found


def is_orbax(folder: Path) -> bool:
    """Whether this is a folder of zarr arrays."""
    return next(folder.glob(f"{KEPT[0]}.*/{ZARR}"), None) is not None


def read_orbax(folder: Path) -> FlaxFiles:
    """A folder of zarr arrays without a msgpack file. Raises CheckpointError as `read_flax`."""
    kinds = {array.parent.name.split(".")[0] for array in folder.glob(f"*/{ZARR}")}
    found = FlaxFiles({}, [], _step(f"{PLACEHOLDER}step", folder), _left_out(kinds))
    for array in sorted(folder.glob(f"*/{ZARR}")):
        kind, _, rest = array.parent.name.partition(".")
        if kind in KEPT:
            name = f"{kind}/{rest.replace('.', '/')}"
            found.arrays[name] = _read_zarr(array.parent, name, found.files)
    return found


def _left_out(kinds: Iterable[Any]) -> list[str]:
    return sorted(str(kind) for kind in kinds if kind not in (*KEPT, "step"))


def _step(leaf: Any, folder: Path) -> int | None:
    """The training step; it is for the model card only, so it may be missing."""
    if isinstance(leaf, str):
        place = folder / leaf.removeprefix(PLACEHOLDER)
        leaf = _read_zarr(place, "step", []) if (place / ZARR).is_file() else None
    return None if leaf is None else int(leaf)


def _unpack(file: Path) -> dict[str, Any]:
    try:
        import msgpack
    except ImportError as error:
        raise MissingExtraError("msgpack", "import") from error

    def extension(code: int, data: bytes) -> Any:
        if code not in (NDARRAY, SCALAR):
            return msgpack.ExtType(code, data)
        shape, dtype, content = msgpack.unpackb(data, raw=True)
        return _array(content, dtype.decode(), shape)

    refuse_pointer(file)
    try:
        tree = msgpack.unpackb(
            file.read_bytes(), ext_hook=extension, raw=False, strict_map_key=False
        )
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise CheckpointError(
            f"{file} is no checkpoint of flax, or one that is cut short. Download it again."
        ) from error
    if not isinstance(tree, dict) or "params" not in tree:
        raise CheckpointError(f"{file} is msgpack, but not a checkpoint of flax: it has no params")
    return tree


def _array(content: bytes, dtype: str, shape: list[int]) -> np.ndarray:
    if dtype == "bfloat16":
        return widened(np.frombuffer(content, "<u2")).reshape(shape)
    return np.frombuffer(content, np.dtype(dtype).newbyteorder("<")).reshape(shape)


def _leaves(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves by their path; an array in chunks is one leaf."""
    for key, value in tree.items():
        if not isinstance(value, dict):
            yield f"{path}{key}", value
        elif CHUNKED in value:
            chunks = [value["chunks"][str(i)] for i in range(len(value["chunks"]))]
            shape = [int(value["shape"][str(i)]) for i in range(len(value["shape"]))]
            yield f"{path}{key}", np.concatenate(chunks).reshape(shape)
        else:
            yield from _leaves(value, f"{path}{key}/")


def _read_zarr(folder: Path, name: str, files: list[Path]) -> np.ndarray:
    """A zarr array whose every chunk is there; the files it lies in are added to `files`."""
    description = folder / ZARR
    if not description.is_file():
        raise CheckpointError(
            f"{folder} is missing, the folder of {name}. Give a whole copy of the checkpoint. One "
            "that Orbax wrote in OCDBT form must become an .npz first (docs/import.md shows how)."
        )
    try:
        told = json.loads(description.read_text())
        shape, step, order = told["shape"], told["chunks"], told["order"]
        compressor = (told["compressor"] or {}).get("id")
        bfloat16 = told["dtype"] == "bfloat16"
        array = np.empty(shape, "<u2" if bfloat16 else told["dtype"])
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{description} does not describe an array: {error}") from error
    files.append(description)
    for place in product(
        *(range(-(-size // part)) for size, part in zip(shape, step, strict=True))
    ):
        file = folder / (told.get("dimension_separator", ".").join(map(str, place)) or "0")
        refuse_pointer(file)
        content = _decompressed(file, compressor, prod(step) * array.itemsize)
        if len(content) != prod(step) * array.itemsize:
            raise CheckpointError(f"{file} is cut short: it lacks a part of {name}")
        chunk = np.frombuffer(content, array.dtype).reshape(step, order=order)
        # Chunks are all of one size; the last of a row reaches past the end of the array.
        corner = [i * part for i, part in zip(place, step, strict=True)]
        ends = [min(a + part, n) for a, part, n in zip(corner, step, shape, strict=True)]
        room = tuple(slice(a, b) for a, b in zip(corner, ends, strict=True))
        array[room] = chunk[tuple(slice(b - a) for a, b in zip(corner, ends, strict=True))]
        files.append(file)
    return widened(array) if bfloat16 else array


def _decompressed(file: Path, compressor: str | None, size: int) -> bytes:
    content = file.read_bytes()
    try:
        if compressor is None:
            return content
        if compressor in ("gzip", "zlib"):
            return zlib.decompress(content, GZIP_OR_ZLIB)
        if compressor == "zstd":
            import pyarrow

            return pyarrow.decompress(content, size, codec="zstd", asbytes=True)
    except (zlib.error, OSError) as error:
        raise CheckpointError(f"{file} cannot be unpacked: {error}. Download it again.") from error
    raise CheckpointError(f"{file} is compressed by {compressor!r}; known: gzip, zlib, zstd, none")
