"""The sorted string table (LevelDB's file format) in which TensorFlow keeps a checkpoint's index.

    ┌────────┬────────┬───┬────────────┬─────────────┬────────┐
    │ block  │ block  │ … │ meta index │ block index │ footer │
    └────────┴────────┴───┴────────────┴─────────────┴────────┘
       keys and values      not used      key → where   48 bytes: where the two indices are, magic
                                          a block is

    block   entries, then restart offsets (u32 each), then how many there are (u32)
            entry: shared, unshared, value length as varints; the key's new end; the value.
            A key repeats the first `shared` bytes of the key before it.
    after each block: 1 byte of compression and a masked CRC32C of block and that byte

Source: google/leveldb, doc/table_format.md; tensorflow/core/lib/io/{format,block}.cc.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from sayact.models.released.checksum import masked_crc32c
from sayact.schema.errors import CheckpointError

MAGIC = 0xDB4775248B80FB57
FOOTER, TRAILER, FIXED32 = 48, 5, 4  # bytes
PLAIN, SNAPPY = 0, 1
SNAPPY_MOST = 32  # how much it can grow: a copy of up to 64 bytes takes three
VARINT_BYTES = 10  # the most that 64 bits need


class SortedTable:
    """All keys and values of one table file, checked block by block.

    Raises CheckpointError with the file's name and what is broken in it.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.data = file.read_bytes()

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Keys with their values, in the order of the keys."""
        try:
            yield from self._items()
        except (IndexError, struct.error) as error:
            raise self._broken("it points outside of itself") from error
        except ValueError as error:  # of pyarrow, on what is not Snappy
            raise self._broken("a block cannot be unpacked") from error

    def _items(self) -> Iterator[tuple[bytes, bytes]]:
        footer = self.data[-FOOTER:]
        if len(footer) < FOOTER or struct.unpack_from("<Q", footer, FOOTER - 8)[0] != MAGIC:
            raise self._broken("it does not end as a TensorFlow index does, or is cut short")
        _, position = _handle(footer, 0)  # of the meta index
        index, _ = _handle(footer, position)
        for _, handle in entries(self._block(*index)):
            yield from entries(self._block(*_handle(handle, 0)[0]))

    def _block(self, offset: int, size: int) -> bytes:
        """The content of the block at `offset`, checked and unpacked."""
        block = self.data[offset : offset + size + 1]
        end = offset + size + TRAILER
        if end > len(self.data) - FOOTER:
            raise self._broken(f"its block at byte {offset} ends outside of the file")
        (expected,) = struct.unpack_from("<I", self.data, end - FIXED32)
        if masked_crc32c(block) not in (None, expected):
            raise self._broken(f"the checksum of its block at byte {offset} is wrong")
        if block[-1] == PLAIN:
            return block[:-1]
        if block[-1] == SNAPPY:
            return _unpacked(block[:-1])
        raise self._broken(f"its block at byte {offset} has the unknown compression {block[-1]}")

    def _broken(self, why: str) -> CheckpointError:
        return CheckpointError(f"{self.file} cannot be read: {why}. Download it again.")


def entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of one block."""
    (restarts,) = struct.unpack_from("<I", block, len(block) - FIXED32)
    end = len(block) - FIXED32 * (1 + restarts)
    position, key = 0, b""
    while position < end:
        shared, position = varint(block, position)
        unshared, position = varint(block, position)
        length, position = varint(block, position)
        if shared > len(key) or position + unshared + length > end:
            raise IndexError("an entry is longer than its block")
        key = key[:shared] + block[position : position + unshared]
        position += unshared
        yield key, block[position : position + length]
        position += length


def varint(data: bytes, position: int) -> tuple[int, int]:
    """A number in groups of seven bits, lowest first; and where the next thing begins."""
    value = 0
    for group in range(VARINT_BYTES):
        byte = data[position + group]
        value |= (byte & 0x7F) << (7 * group)
        if byte < 0x80:
            return value, position + group + 1
    raise IndexError("a number of more than 64 bits")


def _handle(data: bytes, position: int) -> tuple[tuple[int, int], int]:
    """(offset, size) of a block; and where the next handle begins."""
    offset, position = varint(data, position)
    size, position = varint(data, position)
    return (offset, size), position


def _unpacked(block: bytes) -> bytes:
    """Snappy: the length of the result goes first."""
    import pyarrow

    length, _ = varint(block, 0)
    if length > SNAPPY_MOST * len(block):
        raise ValueError(f"{len(block)} bytes of Snappy cannot hold {length}")
    try:
        return pyarrow.decompress(block, length, codec="snappy", asbytes=True)
    except OSError as error:
        raise ValueError(str(error)) from error
