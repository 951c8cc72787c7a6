"""flax's msgpack and Orbax's zarr: data types, chunks, and everything that can be broken."""

import gzip
import json
from pathlib import Path

import msgpack
import numpy as np
import pyarrow
import pytest
from flax_writer import write_flax, write_orbax

from sayact.models.released.flax_files import read_flax, read_orbax
from sayact.models.released.npz import read_npz
from sayact.schema.errors import CheckpointError


def some_arrays(rng: np.random.Generator) -> dict[str, np.ndarray]:
    shapes = {"a/kernel": (7, 3, 2), "a/bias": (5,), "b/scale": (), "b/empty": (0, 3)}
    return {f"params/{n}": rng.standard_normal(s).astype(np.float32) for n, s in shapes.items()}


@pytest.mark.parametrize("chunk_bytes", [1 << 30, 10, 1])
def test_msgpack_is_read_in_pieces_of_any_size(
    chunk_bytes: int, tmp_path: Path, rng: np.random.Generator
) -> None:
    arrays = some_arrays(rng)
    file = write_flax(
        tmp_path / "checkpoint_3",
        arrays,
        chunk_bytes=chunk_bytes,
        step=np.int32(3),
        opt_state={"0": {"count": np.int32(1)}},
        rng=None,
    )
    found = read_flax(file)
    assert found.step == 3
    assert found.left_out == ["opt_state", "rng"]
    assert found.files == [file]
    assert set(found.arrays) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array)


@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_zarr_is_read_in_any_number_of_chunks(
    chunks: int, tmp_path: Path, rng: np.random.Generator
) -> None:
    arrays = {n: a for n, a in some_arrays(rng).items() if a.size}
    folder = write_orbax(tmp_path / "old", arrays, chunks=chunks, step=4)
    for found in (read_flax(folder / "checkpoint"), read_orbax(folder)):
        assert set(found.arrays) == set(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(found.arrays[name], array)
    assert read_flax(folder / "checkpoint").step == 4


def test_zstd_and_no_compression(tmp_path: Path, rng: np.random.Generator) -> None:
    array = rng.standard_normal((4, 6)).astype(np.float32)
    for name in ("zstd", None):
        folder = write_orbax(tmp_path / str(name), {"params/w": array})
        described = json.loads((folder / "params.w" / ".zarray").read_text())
        described["compressor"] = name and {"id": name, "level": 1}
        (folder / "params.w" / ".zarray").write_text(json.dumps(described))
        content = array.tobytes()
        packed = pyarrow.compress(content, codec="zstd", asbytes=True) if name else content
        (folder / "params.w" / "0.0").write_bytes(packed)
        np.testing.assert_array_equal(read_orbax(folder).arrays["params/w"], array)


def test_bfloat16_in_both(tmp_path: Path) -> None:
    halves = np.array([0x3F80, 0xC000, 0x0000], np.uint16)  # 1, -2, 0
    folder = write_orbax(tmp_path / "old", {"params/w": halves})
    described = json.loads((folder / "params.w" / ".zarray").read_text())
    (folder / "params.w" / ".zarray").write_text(json.dumps(described | {"dtype": "bfloat16"}))
    np.testing.assert_array_equal(read_orbax(folder).arrays["params/w"], [1, -2, 0])

    packed = msgpack.packb(((3,), "bfloat16", halves.tobytes()))
    file = write_flax(tmp_path / "checkpoint", {"params/w": msgpack.ExtType(1, packed)})
    np.testing.assert_array_equal(read_flax(file).arrays["params/w"], [1, -2, 0])


def spoil_chunk(folder: Path, content: bytes | None) -> None:
    chunk = folder / "params.a.kernel" / "1.0.0"
    chunk.unlink() if content is None else chunk.write_bytes(content)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (None, "missing"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (gzip.compress(bytes(96))[:-12], "cannot be unpacked"),
        (gzip.compress(bytes(92)), "cut short"),
    ],
    ids=["missing", "pointer", "truncated", "too small"],
)
def test_a_spoiled_chunk_is_named(
    content: bytes | None, named: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    folder = write_orbax(tmp_path / "x", {"params/a/kernel": rng.random((7, 3, 2))}, chunks=2)
    spoil_chunk(folder, content)
    for read in (lambda: read_flax(folder / "checkpoint"), lambda: read_orbax(folder)):
        with pytest.raises(CheckpointError, match=named) as error:
            read()
        assert "params.a.kernel/1.0.0" in str(error.value)


def test_a_missing_folder_names_the_variable(tmp_path: Path) -> None:
    file = write_flax(tmp_path / "checkpoint", {"params/a": "PLACEHOLDER://params.a"})
    with pytest.raises(CheckpointError, match=r"params\.a is missing.*params/a.*OCDBT"):
        read_flax(file)


def test_an_unknown_compression_is_named(tmp_path: Path) -> None:
    folder = write_orbax(tmp_path / "x", {"params/a": np.ones(3)})
    described = json.loads((folder / "params.a" / ".zarray").read_text())
    described["compressor"] = {"id": "blosc"}
    (folder / "params.a" / ".zarray").write_text(json.dumps(described))
    with pytest.raises(CheckpointError, match=r"blosc.*gzip"):
        read_orbax(folder)


@pytest.mark.parametrize("text", ["{", "{}", '{"shape": [3], "chunks": 3, "order": "C"}'])
def test_a_description_that_is_none_is_named(text: str, tmp_path: Path) -> None:
    folder = write_orbax(tmp_path / "x", {"params/a": np.ones(3)})
    (folder / "params.a" / ".zarray").write_text(text)
    with pytest.raises(CheckpointError, match=r"params\.a/\.zarray does not describe"):
        read_orbax(folder)


def test_a_leaf_that_is_no_array_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="params/a is str"):
        read_flax(write_flax(tmp_path / "checkpoint", {"params/a": "text"}))


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
def test_a_truncated_file_is_refused(keep: float, tmp_path: Path, rng: np.random.Generator) -> None:
    file = write_flax(tmp_path / "checkpoint_1", some_arrays(rng))
    content = file.read_bytes()
    file.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(CheckpointError, match=r"checkpoint_1 is no .*cut short\. Download it"):
        read_flax(file)


def test_an_npz_is_read_and_a_broken_one_named(tmp_path: Path, rng: np.random.Generator) -> None:
    file = tmp_path / "a.npz"
    arrays = {"one/kernel": rng.standard_normal((30, 30)), "two/bias": np.ones(3, np.float32)}
    np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]
    found = read_npz(file)
    assert set(found) == set(arrays)
    np.testing.assert_array_equal(found["one/kernel"], arrays["one/kernel"])

    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    with pytest.raises(CheckpointError, match=r"a\.npz is no \.npz, or one that is cut short"):
        read_npz(file)
    place = len(whole) // 3
    file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    with pytest.raises(CheckpointError, match=r"a\.npz: one/kernel is broken"):
        read_npz(file)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", bad=np.array([{}], dtype=object))
    with pytest.raises(CheckpointError, match="bad is broken or no array"):
        read_npz(tmp_path / "a.npz")
