"""Writes TensorFlow's checkpoint format, so that the tests need no TensorFlow.

A second description of the format, from the same sources as the reader; they share no code.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import google_crc32c
import numpy as np
import pyarrow

DTYPES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "bool": 10, "float16": 19}
BFLOAT16, STRING = 14, 7
VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"


def write_bundle(
    prefix: Path,
    arrays: Mapping[str, np.ndarray | bytes],
    *,
    shards: int = 1,
    bfloat16: Sequence[str] = (),
    change: Callable[[str, dict[int, bytes]], None] = lambda name, entry: None,
    block_bytes: int = 4096,
    snappy: bool = False,
    restart_every: int = 16,
) -> Path:
    """The index and its data files. Bytes are a string tensor; names in `bfloat16` are uint16.

    `change` may spoil the fields of an entry before it is written.
    """
    prefix.parent.mkdir(parents=True, exist_ok=True)
    data = [bytearray() for _ in range(shards)]
    entries: dict[bytes, bytes] = {b"": message({1: number(shards), 3: number(1)})}
    for place, (name, value) in enumerate(sorted(arrays.items())):
        content = value if isinstance(value, bytes) else np.ascontiguousarray(value).tobytes()
        if isinstance(value, bytes):
            kind, shape = STRING, ()
        else:
            kind, shape = (BFLOAT16 if name in bfloat16 else DTYPES[value.dtype.name]), value.shape
        shard = place % shards
        entry = {
            1: number(kind),
            2: b"".join(text(2, message({1: number(size)})) for size in shape),
            3: number(shard),
            4: number(len(data[shard])),
            5: number(len(content)),
            6: struct.pack("<I", masked(content)),
        }
        change(name, entry)
        entries[name.encode()] = message(entry)
        data[shard] += content
    for place, content in enumerate(data):
        Path(f"{prefix}.data-{place:05d}-of-{shards:05d}").write_bytes(content)
    index = Path(f"{prefix}.index")
    write_table(index, entries, block_bytes=block_bytes, restart_every=restart_every, snappy=snappy)
    return prefix


def write_table(
    file: Path,
    items: Mapping[bytes, bytes],
    *,
    block_bytes: int = 4096,
    restart_every: int = 16,
    snappy: bool = False,
) -> None:
    """A sorted table of several blocks, whose keys share their beginnings."""
    content, index = bytearray(), {}
    block: dict[bytes, bytes] = {}
    for key, value in sorted(items.items()):
        block[key] = value
        if sum(map(len, block.values())) >= block_bytes:
            index[key] = place(content, pack(block, restart_every), snappy)
            block = {}
    if block:
        index[max(block)] = place(content, pack(block, restart_every), snappy)
    meta = place(content, pack({}, restart_every), snappy)
    footer = meta + place(content, pack(index, 1), snappy)
    content += footer.ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    file.write_bytes(content)


def pack(items: Mapping[bytes, bytes], restart_every: int) -> bytes:
    """One block: entries, restarts, and how many restarts there are."""
    out, restarts, last = bytearray(), [0], b""
    for count, (key, value) in enumerate(items.items()):
        shared = 0
        if count % restart_every:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        elif count:
            restarts.append(len(out))
        out += number(shared) + number(len(key) - shared) + number(len(value))
        out += key[shared:] + value
        last = key
    return bytes(out) + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))


def place(content: bytearray, block: bytes, snappy: bool) -> bytes:
    """Append a block with its trailer; returns where it is."""
    if snappy:
        block = pyarrow.compress(block, codec="snappy", asbytes=True)
    handle = number(len(content)) + number(len(block))
    block += bytes([int(snappy)])
    content += block + struct.pack("<I", masked(block))
    return handle


def masked(data: bytes) -> int:
    crc = google_crc32c.value(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def number(value: int) -> bytes:
    """A varint."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def message(contents: Mapping[int, bytes]) -> bytes:
    """A protobuf message: varints for 1, 3, 4, 5; a message for 2 and 7; 6 is four bytes."""
    out = b""
    for field, content in contents.items():
        if field in (2, 7):
            out += text(field, content)
        else:
            out += number(field << 3 | (5 if field == 6 else 0)) + content
    return out


def text(field: int, content: bytes) -> bytes:
    return number(field << 3 | 2) + number(len(content)) + content
