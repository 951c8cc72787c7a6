"""A question with its answer and places, and what all kinds of them are put together from."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sayact.envs.language_table.blocks import color_of, shape_of
from sayact.envs.language_table.task import pick
from sayact.envs.language_table.words import block_names
from sayact.web.languages import LANGUAGES
from sayact.web.lexicon import the_color, the_name, the_shape
from sayact.web.scenes import Scene
from sayact.web.wordings import Wordings

Place = tuple[float, float]

ENGLISH = 0.7  # share of questions
WHOLE_NAME = 0.6  # share of things called by colour and shape, whatever would do
ROWS = 4  # bands of the picture, in which lists go from left to right


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question with its answer.

    about: its kind.
    points: (x, y) in 0…1 of the whole picture: [effector, asked or pushed object, second object or
        goal], and behind these three what a list names. "<p0>", "<p1>" … in question and answer
        refer to them by index. None where there is no such thing.
    """

    question: str
    answer: str
    about: str
    language: str = "en"
    points: tuple[Place | None, ...] = (None, None, None)

    @property
    def asked(self) -> tuple[object, ...]:
        """What tells one question from another: its words and the places that it names."""
        return self.question, *(self.points[1:3] if "<p" in self.question else ())


# Draws one question of a kind in a language; None where this scene has none, or by chance.
Maker = Callable[[Scene, np.random.Generator, str], Question | None]


def draw_language(rng: np.random.Generator) -> str:
    """English mostly, one of the seven others else."""
    if rng.random() < ENGLISH:
        return "en"
    return pick(tuple(LANGUAGES)[1:], rng)


def worded(wording: Wordings, language: str, rng: np.random.Generator) -> tuple[str, str]:
    """One wording and its language: English where this one has none."""
    language = language if language in wording else "en"
    return pick(wording[language], rng), language


def clipped(xy: np.ndarray) -> Place:
    """A place within the picture, to a tenth of a pixel."""
    x, y = np.clip(xy, 0.0, 1.0)
    return round(float(x), 4), round(float(y), 4)


def points_of(scene: Scene, *names: str | None) -> tuple[Place | None, ...]:
    """[effector, first, second, …], at least three."""
    effector = clipped(scene.in_picture(scene.effector_xy))
    places = [None if name is None else clipped(scene.place(name)) for name in names]
    return (effector, *places, *([None] * (2 - len(places))))


def draw_thing(scene: Scene, rng: np.random.Generator) -> str:
    return pick(list(scene.things), rng)


def draw_pair(scene: Scene, rng: np.random.Generator) -> tuple[str, str] | None:
    if len(scene.things) < 2:
        return None
    first, second = rng.choice(len(scene.things), size=2, replace=False)
    return list(scene.things)[first], list(scene.things)[second]


def called(
    scene: Scene, thing: str, language: str, rng: np.random.Generator, *, moved: bool = False
) -> str:
    """A thing with its article: by its whole name mostly, else by what it alone has here.

    moved: it is what is to be acted on, which some languages decline.
    """
    if language == "en":
        names = block_names(thing, tuple(scene.things))
        chosen = names[-1] if rng.random() < WHOLE_NAME else pick(names, rng)
        return f"the {chosen}"
    options = [the_name]
    if alone(scene, color_of, thing):
        options.append(the_color)
    if alone(scene, shape_of, thing):
        options.append(the_shape)
    chosen = the_name if rng.random() < WHOLE_NAME else pick(options, rng)
    return chosen(language, thing, moved)


def alone(scene: Scene, part: Callable[[str], str], thing: str) -> bool:
    """Whether no other thing has this one's colour, or shape."""
    return Counter(part(other) for other in scene.things)[part(thing)] == 1


def raster(scene: Scene, names: Sequence[str]) -> list[str]:
    """In rows from the top, each from the left."""
    return sorted(names, key=lambda one: reading_order(*scene.place(one)))


def reading_order(x: float, y: float) -> tuple[int, float]:
    """Sorts places as a page is read, in bands of the picture's height."""
    return int(y * ROWS), x


def plural(color: str | None, shape: str | None) -> str:
    """What several are called in English: "red blocks", "stars", "crosses"."""
    noun = shape or "block"
    several = noun + ("es" if noun.endswith("s") else "s")
    return several if color is None else f"{color} {several}"
