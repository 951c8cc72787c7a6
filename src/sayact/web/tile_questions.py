"""Questions about tiles: where is the one that is meant, what does it show, and what goes onto it?

kind       question                                 answer
pointing   where is the apple?                      <p1>
           where is the number that is two plus one?  3 <p1>
naming     what is at <p1>?                         apple
listing    list all plates with their places        <p3> 3, <p4> apple
plan       push the red moon to the fruit           red moon <p1> to apple <p2>
           point to the 3                           arm <p1> to 3 <p2>

What has to be thought about is named in the answer before its place is: a sum, a category, a
relation. Places are as with blocks (`Scene.in_picture`).
"""

from collections.abc import Mapping

import numpy as np

from sayact.envs.language_table.task import pick
from sayact.web import paraphrases, wordings
from sayact.web.concept_words import concept_name
from sayact.web.instructions import KINDS, Reference, draw_reference, instruction
from sayact.web.lexicon import the_name
from sayact.web.plans import ARM, PARAPHRASED, hurried
from sayact.web.question import Maker, Question, clipped, points_of, reading_order, worded
from sayact.web.scenes import Scene

BY_NAME = ("digit", "letter", "symbol", "thing", "color_plate")
# How often each kind of reference is tried first; more where a scene seldom has it, or where a
# network of three million parameters is slow to learn it.
KIND_WEIGHTS: Mapping[str, float] = {
    **dict.fromkeys(KINDS, 1.0),
    "letter": 1.5,
    "symbol": 1.8,
    "sum": 2.5,
    "person": 2.5,
    "same_color": 1.2,
    "same_color_plate": 3.0,
    "smallest": 2.0,
    "largest": 2.0,
    "farthest": 0.8,
    "nearest": 0.8,
    "smallest_number": 0.3,
    "largest_number": 0.3,
}
# Pointing asks for most tiles by their names: a fruit or a sum is found by who knows these.
POINTING_WEIGHTS = {kind: KIND_WEIGHTS[kind] * (4.0 if kind in BY_NAME else 1.0) for kind in KINDS}
POINT_SHARE = 0.12  # share of plans in which the arm itself shall go there


def tile_pointing(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    reference = _reference(scene, rng, None, language, POINTING_WEIGHTS)
    if reference is None:
        return None
    language = reference.language
    wording, _ = worded(wordings.POINTING, language, rng)
    answer = "<p1>" if reference.kind in BY_NAME else f"{reference.target.called} <p1>"
    return Question(
        question=wording.format(a=reference.words),
        answer=answer,
        about="pointing",
        language=language,
        points=(*points_of(scene)[:1], _place(scene, reference), None),
    )


def tile_naming(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    tile = pick(scene.setting.tiles, rng)
    wording, language = worded(wordings.NAMING_TILE, language, rng)
    return Question(
        question=wording,
        answer=concept_name(language, tile.name),
        about="naming",
        language=language,
        points=(*points_of(scene)[:1], clipped(scene.in_picture(np.array(tile.xy))), None),
    )


def tile_listing(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    wording, language = worded(wordings.LISTING_TILES, language, rng)
    places = [clipped(scene.in_picture(np.array(tile.xy))) for tile in scene.setting.tiles]
    order = sorted(range(len(places)), key=lambda index: reading_order(*places[index]))
    names = [concept_name(language, scene.setting.tiles[index].name) for index in order]
    return Question(
        question=wording,
        answer=", ".join(f"<p{3 + rank}> {name}" for rank, name in enumerate(names)),
        about="listing",
        language=language,
        points=(*points_of(scene), *(places[index] for index in order)),
    )


def tile_plan(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    """An instruction whose goal is meant by what the web alone knows."""
    blocks = list(scene.things)
    moved = None if rng.random() < POINT_SHARE or not blocks else pick(blocks, rng)
    reference = _reference(scene, rng, moved, language)
    if reference is None:
        return None
    mover = scene.effector_xy if moved is None else np.array(scene.things[moved][:2])
    called = ARM if moved is None else moved.replace("_", " ")
    return Question(
        question=_said(scene, moved, reference, rng),
        answer=f"{called} <p1> to {reference.target.called} <p2>",
        about="plan",
        language=reference.language,
        points=(
            *points_of(scene)[:1],
            clipped(scene.in_picture(mover)),
            _place(scene, reference),
        ),
    )


def _said(scene: Scene, moved: str | None, reference: Reference, rng: np.random.Generator) -> str:
    """The instruction, in English now and then in other words than the robot's."""
    if reference.language != "en":
        return instruction(moved, reference, rng)
    if rng.random() >= PARAPHRASED:
        return hurried(scene, instruction(moved, reference, rng), rng)
    if moved is None:
        return hurried(scene, paraphrases.point_at(reference.words, rng), rng)
    said = paraphrases.to_thing(the_name("en", moved), reference.words, rng)
    return hurried(scene, said, rng)


def _reference(
    scene: Scene,
    rng: np.random.Generator,
    pushed: str | None,
    language: str,
    weights_of: Mapping[str, float] = KIND_WEIGHTS,
) -> Reference | None:
    """Of a kind that means one thing here."""
    weights = np.array([weights_of[kind] for kind in KINDS])
    order = rng.choice(len(KINDS), len(KINDS), replace=False, p=weights / weights.sum())
    lying = scene.placed
    for kind in order:
        found = draw_reference(KINDS[kind], lying, rng, pushed=pushed, language=language)
        if found is not None:
            return found
    return None


def _place(scene: Scene, reference: Reference) -> tuple[float, float]:
    return clipped(scene.in_picture(np.array(reference.target.xy)))


REFERRING: Mapping[str, Maker] = {
    "pointing": tile_pointing,
    "naming": tile_naming,
    "listing": tile_listing,
    "plan": tile_plan,
}
# Of the questions of a kind, the share that is made here: where there are tiles, and where there
# are none but blocks can be meant by their colour and distance.
BESIDE_TILES: Mapping[str, float] = {"pointing": 0.7, "naming": 0.6, "listing": 0.4, "plan": 0.8}
WITHOUT_TILES: Mapping[str, float] = {"pointing": 0.04, "plan": 0.25}
# With tiles plans are asked for most: they are the bridge from what is seen to acting.
PLANS_BESIDE_TILES = 0.4  # weight, beside those of `questions.WEIGHTS`


def share_referring(scene: Scene) -> Mapping[str, float]:
    """By kind; the control experiment has no such words."""
    if scene.objects == "robot":
        return {}
    return BESIDE_TILES if scene.setting.tiles else WITHOUT_TILES
