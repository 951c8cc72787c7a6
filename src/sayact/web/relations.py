"""Questions about how things of a scene stand to each other."""

import numpy as np

from sayact.envs.language_table.blocks import color_of, shape_of
from sayact.envs.language_table.task import pick
from sayact.web import wordings
from sayact.web.languages import LANGUAGES
from sayact.web.lexicon import name, the_name
from sayact.web.question import Maker, Question, called, draw_pair, draw_thing, points_of, worded
from sayact.web.scenes import Scene

CLEARLY = 0.06  # of the picture: what is left of another is so by this much
CLEARLY_NEARER = 0.02  # metres; among blocks alone


def relation(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    if language != "en":
        return side(scene, rng, language)
    makers: tuple[Maker, ...] = (side, nearest, utmost, same)
    return pick(makers, rng)(scene, rng, language)


def side(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    """Is one thing on that side of another? Only asked where it is clear."""
    pair = draw_pair(scene, rng)
    if pair is None:
        return None
    asked = pick(tuple(wordings.SIDES), rng)
    across, down = scene.place(pair[0]) - scene.place(pair[1])
    by = {"left": -across, "right": across, "above": -down, "below": down}[asked]
    if abs(by) < CLEARLY:
        return None
    wording, language = worded(wordings.SIDES[asked], language, rng)
    words = LANGUAGES[language]
    return Question(
        question=wording.format(a=the_name(language, pair[0]), b=the_name(language, pair[1])),
        answer=words.yes if by > 0 else words.no,
        about="relation",
        language=language,
        points=points_of(scene, *pair),
    )


def nearest(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    """The thing nearest to another on the board, where no other is about as near."""
    thing = draw_thing(scene, rng)
    other = _nearest(scene, np.array(scene.things[thing][:2]), thing)
    if other is None:
        return None
    wording, language = worded(wordings.NEAREST, language, rng)
    return Question(
        question=wording.format(a=called(scene, thing, language, rng)),
        answer=f"{name(language, other)} <p2>",
        about="relation",
        language=language,
        points=points_of(scene, thing, other),
    )


def _nearest(scene: Scene, here: np.ndarray, itself: str | None) -> str | None:
    far = sorted(
        (float(np.hypot(*(here - np.array(pose[:2])))), other)
        for other, pose in scene.things.items()
        if other != itself
    )
    if not far or (len(far) > 1 and far[1][0] - far[0][0] < CLEARLY_NEARER):
        return None
    return far[0][1]


def utmost(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    """The thing furthest to one side of the picture, or nearest to the arm."""
    asked = pick(tuple(wordings.UTMOST), rng)
    if asked == "arm":
        thing = _nearest(scene, scene.effector_xy, None)
    else:
        axis, sign = {"left": (0, 1), "right": (0, -1), "above": (1, 1), "below": (1, -1)}[asked]
        order = sorted((sign * float(scene.place(one)[axis]), one) for one in scene.things)
        close = len(order) > 1 and order[1][0] - order[0][0] < CLEARLY / 2
        thing = None if close else order[0][1]
    if thing is None or len(scene.things) < 2:
        return None
    question, language = worded(wordings.UTMOST[asked], language, rng)
    return Question(
        question=question,
        answer=f"{name(language, thing)} <p1>",
        about="relation",
        language=language,
        points=points_of(scene, thing),
    )


def same(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    """Do two things share their colour, or their shape?"""
    pair = draw_pair(scene, rng)
    if pair is None:
        return None
    asked = pick(("color", "shape"), rng)
    part = color_of if asked == "color" else shape_of
    wording, language = worded(wordings.SAME[asked], language, rng)
    words = LANGUAGES[language]
    return Question(
        question=wording.format(a="the block at <p1>", b="the block at <p2>"),
        answer=words.yes if part(pair[0]) == part(pair[1]) else words.no,
        about="relation",
        language=language,
        points=points_of(scene, *pair),
    )
