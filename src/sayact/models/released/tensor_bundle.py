"""TensorFlow's checkpoint format, read without TensorFlow.

    NAME.index                  sorted table: variable name → entry; "" → header
    NAME.data-00000-of-00002    the bytes of the variables, one after the other
    NAME.data-00001-of-00002

    header   protobuf: 1 number of data files, 2 byte order (0 little)
    entry    protobuf: 1 dtype, 2 shape, 3 data file, 4 offset, 5 size in bytes,
             6 masked CRC32C of those bytes, 7 slices (of a variable kept in parts)

Source: tensorflow/core/protobuf/tensor_bundle.proto, tensorflow/core/util/tensor_bundle.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sayact.models.released.checksum import masked_crc32c
from sayact.models.released.files import refuse_pointer
from sayact.models.released.sorted_table import SortedTable, varint
from sayact.schema.errors import CheckpointError

# DataType of tensorflow/core/framework/types.proto, as far as variables of a network go. bfloat16
# is the upper half of a float32.
BFLOAT16, STRING = 14, 7
DTYPES = {
    1: np.dtype("<f4"),
    2: np.dtype("<f8"),
    3: np.dtype("<i4"),
    9: np.dtype("<i8"),
    10: np.dtype("?"),
    BFLOAT16: np.dtype("<u2"),
    19: np.dtype("<f2"),
}
NUMBER, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5  # how protobuf writes a field


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Where one variable lies."""

    name: str
    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int
    crc32c: int
    sliced: bool


class TensorBundle:
    """The variables of one checkpoint; `prefix` is its path without ".index".

    Raises CheckpointError that names the file, and the variable where there is one.
    """

    def __init__(self, prefix: Path) -> None:
        self.index = prefix.with_name(prefix.name + ".index")
        refuse_pointer(self.index)
        table = dict(SortedTable(self.index).items())
        try:
            header = dict(fields(table.pop(b"", b"")))
            self.entries = {e.name: e for e in (_entry(k, v) for k, v in table.items())}
        except (IndexError, struct.error, ValueError) as error:
            raise CheckpointError(f"{self.index} holds an entry that is no protobuf") from error
        count = header.get(1)
        if not isinstance(count, int) or header.get(2, 0) != 0:
            raise CheckpointError(
                f"{self.index} lacks TensorFlow's header of a little-endian checkpoint"
            )
        self.shards = [
            prefix.with_name(f"{prefix.name}.data-{i:05d}-of-{count:05d}") for i in range(count)
        ]

    def read(self, name: str) -> np.ndarray:
        """One variable; bfloat16 comes as float32. Text has no array: see `is_text`."""
        entry = self.entries[name]
        if entry.sliced or entry.dtype not in DTYPES:
            what = "is kept in slices" if entry.sliced else f"has the data type {entry.dtype}"
            raise CheckpointError(f"{self.index}: {name} {what}, which this reader does not know")
        dtype = DTYPES[entry.dtype]
        if entry.size != math.prod(entry.shape) * dtype.itemsize:
            raise CheckpointError(
                f"{self.index}: {name} of shape {entry.shape} cannot have {entry.size} bytes"
            )
        array = np.frombuffer(self._bytes(entry), dtype).reshape(entry.shape)
        return widened(array) if entry.dtype == BFLOAT16 else array

    def is_text(self, name: str) -> bool:
        """Whether a variable is a string, such as the graph of objects."""
        return self.entries[name].dtype == STRING

    def _bytes(self, entry: Entry) -> bytes:
        if entry.shard >= len(self.shards):
            raise CheckpointError(
                f"{self.index}: {entry.name} lies in data file {entry.shard + 1} of "
                f"{len(self.shards)}"
            )
        shard = self.shards[entry.shard]
        refuse_pointer(shard)
        with shard.open("rb") as stream:
            stream.seek(entry.offset)
            data = stream.read(entry.size)
        if len(data) < entry.size:
            raise CheckpointError(
                f"{shard} is cut short: {entry.name} should end at byte "
                f"{entry.offset + entry.size}, the file does at {shard.stat().st_size}. "
                "Download it again."
            )
        if masked_crc32c(data) not in (None, entry.crc32c):
            raise CheckpointError(
                f"{shard}: the checksum of {entry.name} is wrong. Download the file again."
            )
        return data


def widened(halves: np.ndarray) -> np.ndarray:
    """bfloat16 in two bytes each → float32."""
    return (halves.astype("<u4") << 16).view("<f4")


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Numbers and contents of the fields of a protobuf message."""
    position = 0
    while position < len(message):
        key, position = varint(message, position)
        number, kind = key >> 3, key & 7
        if kind == NUMBER:
            value, position = varint(message, position)
        elif kind == BYTES:
            length, position = varint(message, position)
            value = message[position : position + length]
            position += length
        elif kind in (FOUR_BYTES, EIGHT_BYTES):
            form = "<I" if kind == FOUR_BYTES else "<Q"
            (value,) = struct.unpack_from(form, message, position)
            position += struct.calcsize(form)
        else:
            raise ValueError(f"protobuf has no wire type {kind}")
        yield number, value


def _entry(key: bytes, message: bytes) -> Entry:
    found = dict(fields(message))
    numbers = {n: v for n, v in found.items() if isinstance(v, int)}
    shape = found.get(2, b"")
    return Entry(
        name=key.decode(),
        dtype=numbers.get(1, 0),
        shape=_shape(shape) if isinstance(shape, bytes) else (),
        shard=numbers.get(3, 0),
        offset=numbers.get(4, 0),
        size=numbers.get(5, 0),
        crc32c=numbers.get(6, 0),
        sliced=7 in found,
    )


def _shape(message: bytes) -> tuple[int, ...]:
    """TensorShapeProto: field 2 is a dimension, whose field 1 is its size."""
    sizes: list[int] = []
    for number, dimension in fields(message):
        if number == 2 and isinstance(dimension, bytes):
            size = dict(fields(dimension)).get(1, 0)
            sizes.append(size if isinstance(size, int) else 0)
    return tuple(sizes)
