"""Instructions in other words: they still say what is moved, and where to."""

import numpy as np
import pytest

from sayact.envs.language_table.blocks import RGB, color_of
from sayact.envs.language_table.tasks import (
    DIRECTIONS,
    PLACES,
    Block2Absolute,
    Block2Block,
    Block2Relative,
    Point2Block,
)
from sayact.web import paraphrases, plans
from sayact.web.scenes import Scene

THINGS = {
    "purple_heart": (0.25, -0.2, 0.0),
    "red_moon": (0.35, 0.0, 0.0),
    "blue_cube": (0.45, 0.15, 0.0),
}
SCENE = Scene(
    things=THINGS,
    effector_xy=np.array((0.5, -0.1)),
    colors={name: RGB[color_of(name)] for name in THINGS},
)
HOW_OFTEN = 60
# Whatever a thing is called by here, one of these words is in it.
WORDS = {
    "purple_heart": ("purple", "heart"),
    "red_moon": ("red", "moon"),
    "blue_cube": ("blue", "cube"),
}


def sentences(task, rng: np.random.Generator) -> set[str]:
    return {plans.paraphrased(SCENE, task, rng) for _ in range(HOW_OFTEN)}


def names(sentence: str, thing: str) -> bool:
    return any(word in sentence.split() for word in WORDS[thing])


def test_two_things(rng: np.random.Generator) -> None:
    task = Block2Block.from_words(SCENE.state, "-", "red_moon", "blue_cube")
    said = sentences(task, rng)
    assert len(said) > 40
    for sentence in said:
        assert names(sentence, "red_moon"), sentence
        assert names(sentence, "blue_cube"), sentence
        assert not names(sentence, "purple_heart"), sentence


@pytest.mark.parametrize("place", PLACES)
def test_places(place: str, rng: np.random.Generator) -> None:
    said = sentences(Block2Absolute.from_words(SCENE.state, "-", "red_moon", place), rng)
    for sentence in said:
        assert names(sentence, "red_moon"), sentence
        (named,) = [one for one, ways in paraphrases.PLACES.items() if sentence.endswith(ways)]
        assert named == place


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("distance", ["near", "far"])
def test_directions(direction: str, distance: str, rng: np.random.Generator) -> None:
    task = Block2Relative.from_words(SCENE.state, "-", "red_moon", direction, distance)
    assert plans.nearest_distance(task.goal(SCENE.state) - SCENE.state.xy("red_moon")) == distance
    for sentence in sentences(task, rng):
        rest = sentence
        for part in reversed(direction.split("_")):
            assert rest.endswith(paraphrases.STRAIGHT[part]), sentence
            longest = max((w for w in paraphrases.STRAIGHT[part] if rest.endswith(w)), key=len)
            rest = rest.removesuffix(longest).removesuffix(" and ").strip()
        assert rest.endswith(paraphrases.AMOUNTS[distance]), sentence


def test_pointing(rng: np.random.Generator) -> None:
    said = sentences(Point2Block.from_words(SCENE.state, "-", "purple_heart"), rng)
    assert len(said) > 20
    assert all(names(sentence, "purple_heart") for sentence in said)
