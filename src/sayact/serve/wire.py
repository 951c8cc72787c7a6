"""Messages ⇄ bytes: msgpack with numpy arrays in it, in the form of the openpi project.

    array    {b"__ndarray__": True, b"data": bytes, b"dtype": "<f4", b"shape": [2, 3]}
    scalar   {b"__npgeneric__": True, b"data": 1.5, b"dtype": "<f4"}

Nothing is unpickled, and nothing is built before its size has been looked at: a message names the
length of its lists and arrays itself, and the few bytes of a bomb name huge ones. What is refused
is refused as a `WireError`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from sayact.schema.errors import MissingExtraError, WireError

ARRAY, SCALAR = "__ndarray__", "__npgeneric__"
MEGA = 2**20
# Names of bytes that a robot's messages are made of: truth, whole numbers, floats, text. Objects
# would be unpickled; complex numbers and records mean nothing here.
DTYPE = re.compile(
    r"[<>|=]?(b1|[iu][1248]|f[248]|[SU][1-9][0-9]{0,3})|bool|u?int(8|16|32|64)|float(16|32|64)"
)
MOST_AXES = 8


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a message may hold. A control step's takes some 200 kB, 3 levels and 30 items.

    items: of all its lists and maps together. text: bytes of one string.
    """

    message_bytes: int = 8 * MEGA
    depth: int = 8
    items: int = 4096
    text: int = 65536


# First bytes of a list and of a map; msgpack's specification, table "Formats".
def _is_list(first: int) -> bool:
    return 0x90 <= first <= 0x9F or first in (0xDC, 0xDD)


def _is_map(first: int) -> bool:
    return 0x80 <= first <= 0x8F or first in (0xDE, 0xDF)


def pack(message: Mapping[str, Any]) -> bytes:
    """Raises WireError for what has no place in a message, such as an array of objects."""
    msgpack = _msgpack()
    try:
        return msgpack.packb(message, default=_packable)
    except (TypeError, ValueError, OverflowError, RecursionError) as problem:
        raise WireError(f"this message cannot be packed: {problem}") from None


def _packable(value: object) -> dict[bytes, Any]:
    if not isinstance(value, np.ndarray | np.generic):
        raise WireError(
            f"a message holds numbers, text, bytes, lists, maps and numpy arrays; got a "
            f"{type(value).__name__}"
        )
    _dtype(value.dtype.str)
    name = value.dtype.str
    if isinstance(value, np.generic):
        return {b"__npgeneric__": True, b"data": value.item(), b"dtype": name}
    return {b"__ndarray__": True, b"data": value.tobytes(), b"dtype": name, b"shape": value.shape}


def unpack(data: bytes, limits: Limits | None = None) -> dict[str, Any]:
    """The message in these bytes. Arrays in it cannot be written to: they lie in the message.

    Raises WireError for anything but one whole map within the limits.
    """
    limits = limits or Limits()
    if len(data) > limits.message_bytes:
        raise WireError(
            f"a message of {len(data):,} bytes; the most is {limits.message_bytes:,}. Send "
            "pictures as JPEG, or raise --max-message-mb on the server."
        )
    reader = _Reader(data, limits)
    message = reader.value(depth=0)
    if reader.position < len(data):
        raise WireError(
            f"{len(data) - reader.position:,} bytes follow the message; send one at a time"
        )
    if not isinstance(message, dict):
        raise WireError(f"a message must be a map of names to values; got {_kind(message)}")
    return message


class _Reader:
    """msgpack's own reader goes from leaf to leaf; lists and maps are built here, once counted."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        msgpack = _msgpack()
        self._data = data
        self._limits = limits
        self._items = 0
        # All problems that msgpack has with what it reads.
        self._broken = (ValueError, TypeError, msgpack.exceptions.UnpackException)
        self._unpacker = msgpack.Unpacker(
            max_buffer_size=len(data) + 1, max_str_len=limits.text, max_ext_len=0
        )
        self._unpacker.feed(data)

    @property
    def position(self) -> int:
        return self._unpacker.tell()

    def value(self, depth: int) -> Any:
        """The next value, whole."""
        if self.position >= len(self._data):
            raise WireError("the message ends in its middle")
        first = self._data[self.position]
        try:
            if _is_map(first):
                return self._map(self._unpacker.read_map_header(), depth + 1)
            if _is_list(first):
                return self._list(self._unpacker.read_array_header(), depth + 1)
            return self._unpacker.unpack()
        except WireError:
            raise
        except self._broken as problem:
            said = str(problem) or type(problem).__name__
            raise WireError(f"no msgpack message at byte {self.position}: {said}") from None

    def _count(self, length: int, depth: int) -> None:
        self._items += length
        if depth > self._limits.depth:
            raise WireError(f"a message nested deeper than {self._limits.depth} levels")
        if self._items > self._limits.items:
            raise WireError(
                f"a message of {self._items:,} items or more; the most is {self._limits.items:,}. "
                "Send many numbers as one array."
            )

    def _list(self, length: int, depth: int) -> list[Any]:
        self._count(length, depth)
        return [self.value(depth) for _ in range(length)]

    def _map(self, length: int, depth: int) -> Any:
        self._count(length, depth)
        found: dict[str, Any] = {}
        for _ in range(length):
            key = _key(self.value(depth))
            if key in found:
                raise WireError(f"the key {key[:40]!r} stands twice in a map")
            found[key] = self.value(depth)
        if ARRAY in found:
            return _array(found)
        return _scalar(found) if SCALAR in found else found


def _key(given: Any) -> str:
    """openpi's own keys are bytes."""
    if isinstance(given, bytes):
        try:
            return given.decode()
        except UnicodeDecodeError:
            raise WireError("a key that is no UTF-8") from None
    if not isinstance(given, str):
        raise WireError(f"a key must be text; got {_kind(given)}")
    return given


def _array(found: dict[str, Any]) -> np.ndarray:
    data, shape, dtype = found.get("data"), found.get("shape"), _dtype(found.get("dtype"))
    if not isinstance(data, bytes):
        raise WireError(f"an array's data must be bytes; got {_kind(data)}")
    if not isinstance(shape, list) or len(shape) > MOST_AXES:
        raise WireError(f"an array's shape must be a list of at most {MOST_AXES} lengths")
    if any(type(length) is not int or length < 0 for length in shape):
        raise WireError(f"an array's shape must be whole numbers from 0 on; got {str(shape)[:60]}")
    if prod(shape) * dtype.itemsize != len(data):
        raise WireError(
            f"an array of shape {tuple(shape)} and {dtype} takes {prod(shape) * dtype.itemsize:,} "
            f"bytes; {len(data):,} came"
        )
    try:
        return np.frombuffer(data, dtype).reshape(shape)
    except ValueError as problem:  # more places than numpy counts, none of them filled
        raise WireError(f"no array of shape {tuple(shape)}: {problem}") from None


def _scalar(found: dict[str, Any]) -> np.generic:
    data, dtype = found.get("data"), _dtype(found.get("dtype"))
    if not isinstance(data, bool | int | float | str | bytes):
        raise WireError(f"a scalar's data must be one value; got {_kind(data)}")
    try:
        return dtype.type(data)
    except (ValueError, TypeError, OverflowError) as problem:
        raise WireError(f"{_kind(data)} is no scalar of {dtype}: {problem}") from None


def _dtype(name: object) -> np.dtype[Any]:
    if not isinstance(name, str) or not DTYPE.fullmatch(name):
        shown = repr(name)[:40]
        raise WireError(
            f"an array of dtype {shown}; send booleans, whole numbers, floats of 16 to 64 bits or "
            "text. Objects, records and complex numbers are refused."
        )
    return np.dtype(name)


def _kind(value: object) -> str:
    return {dict: "a map", list: "a list", type(None): "nothing"}.get(
        type(value), f"a {type(value).__name__}"
    )


def _msgpack() -> Any:
    try:
        import msgpack
    except ModuleNotFoundError:
        raise MissingExtraError("msgpack", "serve") from None
    return msgpack
