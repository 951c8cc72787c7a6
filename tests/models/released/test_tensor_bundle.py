"""TensorFlow's checkpoint files: all that can be in them, and all that can be broken."""

import logging
import struct
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tf_writer import STRING, text, write_bundle, write_table

from sayact.models.released import checksum
from sayact.models.released.sorted_table import SortedTable, varint
from sayact.models.released.tensor_bundle import TensorBundle
from sayact.schema.errors import CheckpointError

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 141357912\n"


def some_arrays(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Names that share beginnings, of every data type and several shapes."""
    arrays: dict[str, np.ndarray] = {
        f"net/layer-{i}/{leaf}": rng.standard_normal((i % 5, 3), np.float32)
        for i in range(60)
        for leaf in ("kernel", "bias")
    }
    numbers = rng.standard_normal(7)
    for kind in ("float16", "float64", "int32", "int64", "bool"):
        arrays[f"of/{kind}"] = (100 * numbers).astype(kind)
    return arrays | {"scalar": np.array(424760, np.int64), "ratio": np.array(0.5, np.float32)}


def read_all(prefix: Path) -> dict[str, np.ndarray]:
    bundle = TensorBundle(prefix)
    return {name: bundle.read(name) for name in bundle.entries}


@pytest.mark.parametrize(
    "table",
    [{}, {"block_bytes": 1}, {"restart_every": 1}, {"snappy": True, "block_bytes": 500}],
    ids=["one block", "a block an entry", "no shared keys", "snappy"],
)
@pytest.mark.parametrize("shards", [1, 3])
def test_what_was_written_is_read(
    table: dict[str, Any], shards: int, tmp_path: Path, rng: np.random.Generator
) -> None:
    arrays = some_arrays(rng)
    found = read_all(write_bundle(tmp_path / "ckpt-1", arrays, shards=shards, **table))
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype, name
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_bfloat16_is_the_upper_half_of_float32(tmp_path: Path, rng: np.random.Generator) -> None:
    halves = rng.integers(0, 0x7F80, (4, 5)).astype(np.uint16)  # all finite, zero among them
    found = read_all(write_bundle(tmp_path / "ckpt-1", {"w": halves}, bfloat16=["w"]))["w"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found.view(np.uint32) >> 16, halves)
    np.testing.assert_array_equal(found.view(np.uint32) & 0xFFFF, 0)


def test_strings_are_told_apart(tmp_path: Path) -> None:
    prefix = write_bundle(tmp_path / "ckpt-1", {"graph": b"\x08\x01", "w": np.ones(2, np.float32)})
    bundle = TensorBundle(prefix)
    assert bundle.is_text("graph")
    assert not bundle.is_text("w")


@given(st.dictionaries(st.binary(max_size=30), st.binary(max_size=30), max_size=40))
def test_any_table_is_read(items: dict[bytes, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "any.index"
        write_table(file, items, block_bytes=64, restart_every=3)
        assert dict(SortedTable(file).items()) == items


def test_the_checksum_is_the_published_one() -> None:
    # The nine digits are the usual check of a CRC: 0xE3069283 for CRC-32C. Rotated and masked as in
    # leveldb's util/crc32c.h by hand.
    assert google_crc32c.value(b"123456789") == 0xE3069283
    assert checksum.masked_crc32c(b"123456789") == 0xC78AB0E5


def refused(prefix: Path, *named: str) -> None:
    """Reading fails with an error that names all of these."""
    with pytest.raises(CheckpointError) as error:
        read_all(prefix)
    for text_ in named:
        assert text_ in str(error.value)


@pytest.fixture
def prefix(tmp_path: Path, rng: np.random.Generator) -> Path:
    arrays = {"a/kernel": rng.standard_normal((8, 8), np.float32), "b/kernel": np.ones(5)}
    return write_bundle(tmp_path / "ckpt-7", arrays, shards=2)


def data(prefix: Path, shard: int) -> Path:
    return Path(f"{prefix}.data-0000{shard}-of-00002")


def test_a_missing_shard_is_named(prefix: Path) -> None:
    data(prefix, 1).unlink()
    refused(prefix, "ckpt-7.data-00001-of-00002", "missing")


def test_a_missing_index_is_named(prefix: Path) -> None:
    refused(prefix.with_name("ckpt-8"), "ckpt-8.index", "missing")


def test_a_truncated_shard_names_the_variable(prefix: Path) -> None:
    content = data(prefix, 0).read_bytes()
    data(prefix, 0).write_bytes(content[:-1])
    refused(prefix, "ckpt-7.data-00000-of-00002", "a/kernel", "cut short", "255")


def test_a_changed_byte_names_the_variable(prefix: Path) -> None:
    content = bytearray(data(prefix, 1).read_bytes())
    content[3] ^= 1
    data(prefix, 1).write_bytes(content)
    refused(prefix, "ckpt-7.data-00001-of-00002", "b/kernel", "checksum")


@pytest.mark.parametrize("which", ["index", "data"])
def test_a_git_lfs_pointer_is_recognised(prefix: Path, which: str) -> None:
    file = prefix.with_name("ckpt-7.index") if which == "index" else data(prefix, 0)
    file.write_bytes(POINTER)
    refused(prefix, file.name, "Git LFS pointer", "git lfs pull")


def test_a_truncated_index_is_refused(prefix: Path) -> None:
    index = prefix.with_name("ckpt-7.index")
    index.write_bytes(index.read_bytes()[:-10])
    refused(prefix, "ckpt-7.index", "cut short")


def test_another_file_is_no_index(prefix: Path) -> None:
    prefix.with_name("ckpt-7.index").write_bytes(b"hello")
    refused(prefix, "ckpt-7.index", "does not end as", "cut short. Download it again.")


def test_every_changed_byte_of_an_index_is_noticed(prefix: Path) -> None:
    """No byte of a block can change unseen, and none of the footer makes the reader crash."""
    index = prefix.with_name("ckpt-7.index")
    whole = index.read_bytes()
    expected = read_all(prefix)
    blocks = len(whole) - 48
    for place in range(len(whole)):
        index.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        if place < blocks and not is_meta(whole, place):
            refused(prefix, "ckpt-7.index")
            continue
        with suppress(CheckpointError):
            assert set(read_all(prefix)) == set(expected), place


def is_meta(whole: bytes, place: int) -> bool:
    """Whether a byte belongs to the meta index, which nobody reads."""
    start, position = varint(whole[-48:], 0)
    size, _ = varint(whole[-48:], position)
    return start <= place < start + size + 5


def test_without_the_package_checksums_are_not_compared(
    prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytearray(data(prefix, 1).read_bytes())
    content[3] ^= 1
    data(prefix, 1).write_bytes(content)
    monkeypatch.setattr(checksum, "_library", lambda: None)
    assert read_all(prefix)["b/kernel"].shape == (5,)
    assert not checksum.can_check()


def test_without_it_a_spoiled_block_is_noticed_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checksum, "_library", lambda: None)
    prefix = write_bundle(tmp_path / "ckpt-1", {"w": np.ones(4)}, snappy=True)
    index = prefix.with_name("ckpt-1.index")
    whole = index.read_bytes()
    index.write_bytes(b"\xff" * 9 + whole[9:])
    refused(prefix, "ckpt-1.index")


def test_the_missing_package_is_said_aloud(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "google_crc32c", None)
    checksum._library.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert checksum.masked_crc32c(b"x") is None
    assert "sayact[import]" in caplog.text
    monkeypatch.undo()
    checksum._library.cache_clear()


@pytest.mark.parametrize(
    ("field", "content", "named"),
    [
        (1, bytes([STRING]), "data type 7"),
        (1, bytes([20]), "data type 20"),
        (3, bytes([9]), "data file 10 of 1"),
        (5, bytes([12]), "cannot have 12 bytes"),
        (7, text(1, b""), "slices"),
        (4, bytes([0x80] * 12), "no protobuf"),
        (6, b"", "no protobuf"),
    ],
)
def test_an_entry_that_cannot_be_read_is_named(
    field: int, content: bytes, named: str, tmp_path: Path
) -> None:
    def change(name: str, entry: dict[int, bytes]) -> None:
        entry[field] = content

    prefix = write_bundle(tmp_path / "ckpt-1", {"w": np.ones(4, np.float32)}, change=change)
    refused(prefix, "ckpt-1.index", named, *([] if "protobuf" in named else ["w"]))


def test_big_endian_is_refused(tmp_path: Path) -> None:
    prefix = write_bundle(tmp_path / "ckpt-1", {"w": np.ones(4, np.float32)})
    index = prefix.with_name("ckpt-1.index")
    items = dict(SortedTable(index).items())
    items[b""] = struct.pack("4B", 1 << 3, 1, 2 << 3, 1)
    write_table(index, items)
    refused(prefix, "little-endian")
