"""The nouns refuse what they cannot mean, and say what they can."""

import re
from dataclasses import replace

import numpy as np
import pytest

from sayact.schema import LANGUAGE_TABLE, RT1, RT2, ActionSpace, Dimension, Observation
from sayact.schema.errors import ShapeError, UnknownNameError


@pytest.mark.parametrize(
    ("image", "got", "advice"),
    [
        (np.zeros((180, 320, 3), np.float32), "float32 of shape (180, 320, 3)", "Scale floats"),
        (np.zeros((180, 320, 3), np.int64), "int64 of shape (180, 320, 3)", "Make its numbers"),
        (np.zeros((3, 180, 320), np.uint8), "uint8 of shape (3, 180, 320)", "Move channels last."),
        (np.zeros((180, 320), np.uint8), "uint8 of shape (180, 320)", "Repeat a grey picture"),
        (np.zeros((180, 320, 1), np.uint8), "uint8 of shape (180, 320, 1)", "Repeat a grey"),
        (np.zeros((180, 320, 4), np.uint8), "uint8 of shape (180, 320, 4)", "Keep red, green and"),
        (np.zeros((1, 9, 9, 3), np.uint8), "uint8 of shape (1, 9, 9, 3)", "Give one picture at"),
        ([[0, 0, 0]], "list of shape (1, 3)", "Make it an array"),
    ],
)
def test_wrong_images(image, got, advice) -> None:
    said = re.escape(f"uint8 of shape (height, width, 3); got {got}. {advice}")
    with pytest.raises(ShapeError, match=said):
        # Past the shape checks of the tests, as a user meets it.
        Observation.__post_init__(_Bare(image))  # pyright: ignore[reportArgumentType]


class _Bare:
    def __init__(self, image: object) -> None:
        self.image = image


@pytest.mark.parametrize("space", [LANGUAGE_TABLE, RT1, RT2], ids=lambda space: space.name)
def test_action_spaces_survive_json(space: ActionSpace) -> None:
    assert ActionSpace.from_json(space.to_json()) == space
    assert space.differences(space) == []


def test_differences_are_told_one_by_one() -> None:
    wide = replace(LANGUAGE_TABLE.dimensions[0], high=0.2)
    other = replace(LANGUAGE_TABLE, rate_hz=5.0, dimensions=(wide, LANGUAGE_TABLE.dimensions[1]))
    assert LANGUAGE_TABLE.differences(other) == [
        "rate_hz: 10.0 here, 5.0 there",
        "dimension delta_x -0.1..0.1 m here, delta_x -0.1..0.2 m there",
    ]
    assert LANGUAGE_TABLE.differences(RT2)[-1] == "2 dimensions here, 8 there"


def test_dimensions_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match="must be under"):
        Dimension(name="x", low=1.0, high=1.0, unit="m")
    with pytest.raises(ValueError, match="discrete"):
        Dimension(name="x", low=0.0, high=1.0, unit="m", n=2)


def test_a_near_miss_is_suggested() -> None:
    error = UnknownNameError("recipe", "rt1-demmo", ["rt1-demo", "rt1-b3"])
    assert str(error) == (
        "unknown recipe 'rt1-demmo'; there are: rt1-b3, rt1-demo. Did you mean 'rt1-demo'?"
    )
