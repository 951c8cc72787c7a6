"""Writes checkpoints as flax and Orbax do, so that the tests need neither nor JAX."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgpack
import numpy as np


def nested(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """ "a/b/c": x → {"a": {"b": {"c": x}}}."""
    tree: dict[str, Any] = {}
    for name, value in arrays.items():
        *path, leaf = name.split("/")
        branch = tree
        for part in path:
            branch = branch.setdefault(part, {})
        branch[leaf] = value
    return tree


def write_flax(
    file: Path, arrays: Mapping[str, Any], *, chunk_bytes: int = 1 << 30, **more: Any
) -> Path:
    """flax.serialization's msgpack; arrays above `chunk_bytes` go in chunks (1 GB there)."""

    def chunked(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: chunked(v) for key, v in value.items()}
        if not isinstance(value, np.ndarray) or value.nbytes <= chunk_bytes:
            return value
        flat, size = value.reshape(-1), max(1, chunk_bytes // value.itemsize)
        pieces = [flat[i : i + size] for i in range(0, len(flat), size)]
        return {
            "__msgpack_chunked_array__": True,
            "shape": {str(i): n for i, n in enumerate(value.shape)},
            "chunks": {str(i): piece for i, piece in enumerate(pieces)},
        }

    file.parent.mkdir(parents=True, exist_ok=True)
    tree = chunked({**nested(arrays), **more})
    content = msgpack.packb(tree, default=extension, strict_types=True)
    assert content is not None
    file.write_bytes(content)
    return file


def extension(value: Any) -> msgpack.ExtType:
    """An array is extension 1, a numpy scalar 3: (shape, dtype, bytes) each."""
    array = np.asarray(value)
    content = msgpack.packb((array.shape, array.dtype.name, array.tobytes()), use_bin_type=True)
    return msgpack.ExtType(1 if isinstance(value, np.ndarray) else 3, content)


def write_orbax(
    folder: Path, arrays: Mapping[str, np.ndarray], *, chunks: int = 1, **more: Any
) -> Path:
    """Orbax's folder of zarr arrays, with placeholders in its msgpack file."""
    placeholders: dict[str, str] = {}
    for name, array in arrays.items():
        placeholders[name] = f"PLACEHOLDER://{name.replace('/', '.')}"
        write_zarr(folder / name.replace("/", "."), array, chunks)
    write_flax(folder / "checkpoint", placeholders, **more)
    return folder


def write_zarr(folder: Path, array: np.ndarray, chunks: int) -> None:
    """Version 2, gzip; the first axis in `chunks` parts, the last of which may reach past it."""
    folder.mkdir(parents=True)
    step = list(array.shape)
    if step:
        step[0] = -(-step[0] // chunks)
    described = {
        "zarr_format": 2,
        "shape": array.shape,
        "chunks": step,
        "dtype": array.dtype.str,
        "compressor": {"id": "gzip", "level": 1},
        "fill_value": None,
        "filters": None,
        "order": "C",
    }
    (folder / ".zarray").write_text(json.dumps(described))
    starts = range(0, array.shape[0], step[0]) if step else [0]
    for number, start in enumerate(starts):
        chunk = np.zeros(step, array.dtype)
        part = array[start : start + step[0]] if step else array
        chunk[tuple(slice(n) for n in part.shape)] = part
        name = ".".join([str(number), *["0"] * (len(step) - 1)])
        (folder / name).write_bytes(gzip.compress(chunk.tobytes(), 1))
