"""Observations and actions as messages, in the words of openpi's clients."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from sayact.schema import Action, Observation
from sayact.schema.errors import BadObservationError, ShapeError, WireError
from sayact.serve.messages import (
    action_message,
    action_of,
    error_text,
    observation_message,
    observation_of,
)
from sayact.serve.wire import pack, unpack

pytestmark = pytest.mark.usefixtures("as_it_ships")


@pytest.fixture
def picture(rng):
    """Large patches of colour, which JPEG keeps."""
    return rng.integers(0, 256, (6, 8, 3), dtype=np.uint8).repeat(16, 0).repeat(16, 1)


def file_of(picture, kind, **options):
    target = io.BytesIO()
    Image.fromarray(picture).save(target, kind, **options)
    return target.getvalue()


def test_there_and_back(picture):
    state = np.array([0.3, -0.1], np.float32)
    given = Observation(image=picture, instruction="push it", state=state)
    back = observation_of(unpack(pack(observation_message(given))))
    assert np.array_equal(back.image, picture)
    assert back.instruction == "push it"
    assert back.state is not None
    assert np.array_equal(back.state, state)


def test_as_jpeg(picture):
    given = Observation(image=picture, instruction="push it")
    message = observation_message(given, jpeg_quality=95)
    assert len(message["observation/image"]) < picture.nbytes / 3
    back = observation_of(message).image.astype(int)
    assert np.abs(back - picture).mean() < 3


@pytest.mark.parametrize("key", ["observation/image", "observation/exterior_image_1_left", "image"])
@pytest.mark.parametrize("prompt", ["prompt", "instruction"])
def test_names_of_other_clients(picture, key, prompt):
    seen = observation_of({key: picture, prompt: np.array("push it"), "more": 1})
    assert np.array_equal(seen.image, picture)
    assert seen.instruction == "push it"


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_files_as_bytes_and_as_arrays(picture, kind):
    file = file_of(picture, kind)
    for given in (file, np.frombuffer(file, np.uint8)):
        assert observation_of({"image": given, "prompt": ""}).image.shape == picture.shape


def test_a_grey_picture_becomes_red_green_and_blue(picture):
    file = file_of(picture[..., 0], "PNG")
    seen = observation_of({"image": file, "prompt": ""})
    assert np.array_equal(seen.image, picture[..., :1].repeat(3, 2))


def test_the_sentence_of_the_episode_stands_in(picture):
    assert observation_of({"image": picture}, "push it").instruction == "push it"
    assert observation_of({"image": picture, "prompt": "go"}, "push it").instruction == "go"


def png_of(width, height):
    """The head of a picture that is never decoded."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"")
    chunks = b""
    for name, data in ((b"IHDR", head), (b"IDAT", body), (b"IEND", b"")):
        checksum = zlib.crc32(name + data)
        chunks += struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)
    return b"\x89PNG\r\n\x1a\n" + chunks


def test_a_picture_of_billions_of_pixels_is_not_decoded():
    for width, height in ((4000, 1001), (2**31 - 1, 2**31 - 1)):
        with pytest.raises(BadObservationError):
            observation_of({"image": png_of(width, height), "prompt": ""})
    with pytest.raises(BadObservationError, match="the most is 4,000,000"):
        observation_of({"image": np.empty((4000, 1001, 3), np.uint8), "prompt": ""})


PICTURE = np.zeros((4, 4, 3), np.uint8)
GIF = file_of(PICTURE, "GIF")
REFUSED = {
    "no picture": ({"prompt": ""}, BadObservationError, "no picture"),
    "a number": ({"image": 3, "prompt": ""}, BadObservationError, "got a int"),
    "floats": ({"image": PICTURE / 255.0, "prompt": ""}, ShapeError, "Scale floats"),
    "channels first": (
        {"image": PICTURE.transpose(2, 0, 1), "prompt": ""},
        ShapeError,
        "Move channels last",
    ),
    "many": ({"image": PICTURE[None], "prompt": ""}, ShapeError, "one picture at a time"),
    "no file": ({"image": b"abc", "prompt": ""}, BadObservationError, "3 bytes that are no"),
    "half a file": (
        {"image": file_of(PICTURE.repeat(50, 0), "JPEG")[:300], "prompt": ""},
        BadObservationError,
        "no whole JPEG or PNG",
    ),
    "another kind of file": ({"image": GIF, "prompt": ""}, BadObservationError, "no whole"),
    "no sentence": ({"image": PICTURE}, BadObservationError, "no sentence"),
    "a sentence that is none": (
        {"image": PICTURE, "prompt": 3},
        BadObservationError,
        "no sentence",
    ),
    "a novel": (
        {"image": PICTURE, "prompt": "x" * 5000},
        BadObservationError,
        "5,000 letters",
    ),
    "a state of NaN": (
        {"image": PICTURE, "prompt": "", "observation/state": np.array([np.nan])},
        BadObservationError,
        "finite",
    ),
    "a state of text": (
        {"image": PICTURE, "prompt": "", "observation/state": "here"},
        BadObservationError,
        "array of numbers",
    ),
}


@pytest.mark.parametrize(("message", "error", "why"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(message, error, why):
    with pytest.raises(error, match=why):
        observation_of(message)


def test_actions_there_and_back():
    given = Action(
        values=np.array([0.1, -0.2], np.float32),
        tokens=np.array([3, 4]),
        probabilities=np.array([0.5, 0.25], np.float32),
        illegal=np.array([0.0, 0.1], np.float32),
        plan="push it left",
    )
    message = unpack(pack(action_message(given)))
    assert message["actions"].shape == (1, 2)
    assert message["actions"].dtype == np.float32
    back = action_of(message)
    for name in ("values", "tokens", "probabilities", "illegal"):
        assert np.array_equal(getattr(back, name), getattr(given, name))
    assert back.plan == given.plan


def test_an_action_without_tokens():
    message = action_message(Action(values=np.zeros(2, np.float32)))
    assert list(message) == ["actions"]
    assert action_of(message).tokens is None


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"actions": [1, 2]},
        {"actions": np.zeros(2)},
        {"actions": np.zeros((0, 2))},
        {"actions": np.zeros((1, 2)), "tokens": np.zeros(3)},
        {"actions": np.zeros((1, 2)), "plan": 3},
    ],
)
def test_what_is_no_answer(message):
    with pytest.raises(WireError):
        action_of(message)


def test_errors_are_one_line():
    assert error_text(ShapeError("one\n  two")) == "ShapeError: one two"
