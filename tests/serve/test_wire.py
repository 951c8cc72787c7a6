"""Messages come back as they went; everything else is refused by name, before it costs anything."""

import struct
import tracemalloc

import msgpack
import numpy as np
import pytest

from sayact.schema.errors import WireError
from sayact.serve.wire import Limits, pack, unpack


def packed(value) -> bytes:
    """By the library alone."""
    data = msgpack.packb(value)
    assert data is not None
    return data


def test_what_is_packed_is_unpacked():
    message = {
        "picture": np.arange(24, dtype=np.uint8).reshape(2, 4, 3),
        "state": np.array([1.5, -2], np.float32),
        "big endian": np.array([1, 2], ">i4"),
        "empty": np.zeros((0, 3)),
        "no axis": np.array(7),
        "scalar": np.float32(0.1),
        "truth": np.bool_(True),
        "words": np.array(["up", "down"]),
        "text": "přes most",
        "nothing": None,
        "nested": {"list": [1, -2.5, True, b"raw"]},
    }
    back = unpack(pack(message))
    assert list(back) == list(message)
    for name, value in message.items():
        if isinstance(value, np.ndarray):
            assert back[name].dtype == value.dtype
            assert back[name].tolist() == value.tolist()
        else:
            assert back[name] == value
            assert type(back[name]) is type(value)


def test_arrays_are_those_of_openpi():
    """What its msgpack_numpy writes; keys are bytes there, and text with others."""
    row = np.array([[1.0, 2.0]], np.float32)
    fields = {"data": row.tobytes(), "dtype": "<f4", "shape": [1, 2]}
    for keys in (lambda name: name.encode(), str):
        array = {keys("__ndarray__"): True, **{keys(k): v for k, v in fields.items()}}
        assert unpack(packed({"actions": array}))["actions"].tolist() == row.tolist()
    theirs = msgpack.unpackb(pack({"actions": row}))["actions"]
    assert theirs == {b"__ndarray__": True, **{k.encode(): v for k, v in fields.items()}}
    scalar = msgpack.unpackb(pack({"x": np.float32(1.5)}))["x"]
    assert scalar == {b"__npgeneric__": True, b"data": 1.5, b"dtype": "<f4"}


def array(**changes):
    fields = {"__ndarray__": True, "data": bytes(8), "dtype": "<f4", "shape": [2], **changes}
    return packed({"a": fields})


NESTED = b"\x81\xa1a" * 20 + b"\xc0"
REFUSED = {
    "nothing": (b"", "ends in its middle"),
    "cut off in a map": (b"\x82\xa1a\x01", "ends in its middle"),
    "cut off in a text": (b"\x81\xa5ab", "no msgpack"),
    "no map": (packed([1]), "must be a map .* got a list"),
    "two messages": (b"\x80\x80", "1 bytes follow"),
    "no msgpack at all": (b"\xc1", "no msgpack"),
    "an extension": (packed({"a": msgpack.ExtType(5, b"x")}), "no msgpack"),
    "a time": (packed({"a": msgpack.Timestamp(1)}), "no msgpack"),
    "a huge list": (b"\x81\xa1a\xdd\xff\xff\xff\xff", "4,294,967,29. items"),
    "a huge map": (b"\xdf\xff\xff\xff\xff", "4,294,967,295 items"),
    "a huge text": (b"\x81\xdb\xff\xff\xff\xff", "no msgpack"),
    "many small lists": (packed({"a": [[]] * 5000}), "the most is 4,096"),
    "too deep": (NESTED, "deeper than 8"),
    "a long text": (packed({"a": "x" * 70_000}), "no msgpack"),
    "a number as key": (packed({1: 2}), "key must be text; got a int"),
    "a key twice": (b"\x82\xa1a\x01\xa1a\x02", "twice"),
    "a key of another alphabet": (b"\x81\xc4\x01\xff\x01", "no UTF-8"),
    "text of another alphabet": (b"\x81\xa1a\xa1\xff", "no msgpack"),
    "objects": (array(dtype="|O"), r"dtype '\|O'"),
    "records": (array(dtype="|V8"), r"dtype '\|V8'"),
    "complex numbers": (array(dtype="<c8"), "dtype '<c8'"),
    "rows of a dtype": (array(dtype="(1000000,)f4"), "dtype"),
    "text of no letters": (array(dtype="<U0", shape=[2**40]), "dtype"),
    "dtype as a number": (array(dtype=4), "dtype 4"),
    "another shape": (array(shape=[3]), r"\(3,\) and float32 takes 12 bytes; 8 came"),
    "a negative shape": (array(shape=[-1, -2]), "from 0 on"),
    "half a shape": (array(shape=[2.0]), "from 0 on"),
    "true as a shape": (array(shape=[True, 2]), "from 0 on"),
    "no shape": (array(shape=None), "list of at most 8"),
    "too many axes": (array(shape=[1] * 8 + [2]), "list of at most 8"),
    "more places than there are numbers": (array(data=b"", shape=[2**62, 2**62, 0]), "no array"),
    "data as text": (array(data="12345678"), "data must be bytes; got a str"),
    "a scalar of too many bits": (
        packed({"a": {"__npgeneric__": True, "data": 300, "dtype": "|u1"}}),
        "no scalar of uint8",
    ),
    "a scalar that is a list": (
        packed({"a": {"__npgeneric__": True, "data": [1], "dtype": "|u1"}}),
        "must be one value; got a list",
    ),
}


@pytest.mark.parametrize(("data", "why"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(data, why):
    with pytest.raises(WireError, match=why):
        unpack(data)


def test_a_bomb_costs_no_memory():
    """A few bytes that promise gigabytes, at every depth that is allowed."""
    bombs = [
        b"\xdd" + struct.pack(">I", 2**32 - 1),
        b"\x81\xa1a" + (b"\xdd" + struct.pack(">I", 4000)) * 8,
        b"\x81\xa1a" + b"\xdc\xff\xff" * 1000,
        b"\x81\xa1a\xc6" + struct.pack(">I", 2**32 - 1),
        array(data=b"", shape=[2**40, 0, 2**40]),
    ]
    tracemalloc.start()
    for bomb in bombs:
        with pytest.raises(WireError):
            unpack(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def test_the_size_of_a_message_is_looked_at_first():
    limits = Limits(message_bytes=100)
    assert unpack(pack({"a": bytes(80)}), limits)
    with pytest.raises(WireError, match=r"205 bytes; the most is 100.*--max-message-mb"):
        unpack(pack({"a": bytes(200)}), limits)


def test_arrays_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        unpack(pack({"a": np.zeros(3)}))["a"][0] = 1


@pytest.mark.parametrize(
    "value",
    [np.array([object()]), np.zeros(2, complex), np.zeros(2, [("a", int)]), {1}, object(), 2**70],
    ids=["objects", "complex", "records", "a set", "an object", "a huge number"],
)
def test_what_cannot_be_packed(value):
    with pytest.raises(WireError):
        pack({"a": value})
