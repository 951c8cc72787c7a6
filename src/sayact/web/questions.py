"""Questions about a scene of the table, with their answers.

"<p0>" is the place of the effector, "<p1>" of what is asked about, "<p2>" of a second thing or of a
goal; what a list names comes behind these (`Question.points`).

kind       question                                 answer
pointing   where is the purple heart?               <p1>
effector   where is the arm's tip?                  <p0>
naming     what is at <p1>?                         purple heart
attribute  what color is the heart?                 purple
listing    what is where?                           <p3> red moon, <p4> blue cube
counting   how many red blocks are there?           2
relation   what is nearest to the red moon?         blue cube <p2>
           is the red moon left of the blue cube?   yes
caption    what do you see?                         2 blocks: red moon, blue cube
plan       push the red moon up                     red moon <p1> to up <p2>

A plan's question is an instruction alone: whoever trains on it asks as a robot is asked. Its answer
is always `MOVED <p1> to GOAL <p2>`. MOVED is the pushed block or "arm"; GOAL is a block, one of the
nine places ("top left"), one of eight directions ("down right"), "left of blue cube", or "apart".
<p1> is where the moved thing is, <p2> where it must get to. Of two instructions in one sentence it
is the first that is not done yet. Questions about tiles: `tile_questions`.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from sayact.envs.language_table.blocks import COLORS, SHAPES, color_of, shape_of
from sayact.envs.language_table.task import pick
from sayact.web import wordings
from sayact.web.lexicon import name
from sayact.web.plans import plan
from sayact.web.question import (
    Maker,
    Question,
    alone,
    called,
    draw_language,
    draw_thing,
    plural,
    points_of,
    raster,
    worded,
)
from sayact.web.relations import relation
from sayact.web.scenes import ALL_COLORS, ALL_SHAPES, Scene
from sayact.web.tile_questions import PLANS_BESIDE_TILES, REFERRING, share_referring

MOST_LISTED = 6
NONE_OF_THESE = 0.15  # share of countings that ask for what is not there
DRAWS = 5  # for each question wanted: some scenes have none of a kind


def table_questions(
    scene: Scene, rng: np.random.Generator, *, count: int = 8, kinds: Sequence[str] = ()
) -> list[Question]:
    """About `count` questions, all different; of the kinds given, of all unless told."""
    asked = tuple(kinds or WEIGHTS)
    weights, referring = np.array([WEIGHTS[kind] for kind in asked]), share_referring(scene)
    if scene.setting.tiles and "plan" in asked:
        weights[asked.index("plan")] = PLANS_BESIDE_TILES
    found: dict[tuple[object, ...], Question] = {}
    for _ in range(DRAWS * count):
        if len(found) == count:
            break
        kind = asked[int(rng.choice(len(asked), p=weights / weights.sum()))]
        maker = (REFERRING if rng.random() < referring.get(kind, 0.0) else MAKERS)[kind]
        question = maker(scene, rng, draw_language(rng))
        if question is not None:
            found.setdefault(question.asked, question)
    return list(found.values())


# --- the kinds -------------------------------------------------------------------------------


def pointing(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    thing = draw_thing(scene, rng)
    wording, language = worded(wordings.POINTING, language, rng)
    return Question(
        question=wording.format(a=called(scene, thing, language, rng)),
        answer="<p1>",
        about="pointing",
        language=language,
        points=points_of(scene, thing),
    )


def effector(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    wording, language = worded(wordings.EFFECTOR, language, rng)
    return Question(
        question=wording,
        answer="<p0>",
        about="effector",
        language=language,
        points=points_of(scene),
    )


def naming(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    thing = draw_thing(scene, rng)
    wording, language = worded(wordings.NAMING, language, rng)
    return Question(
        question=wording,
        answer=name(language, thing),
        about="naming",
        language=language,
        points=points_of(scene, thing),
    )


def attribute(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    """Colour or shape of a thing that is meant by its place or by the other of the two."""
    thing = draw_thing(scene, rng)
    about_color = bool(rng.random() < 0.4)
    wording, language = worded(
        wordings.COLOR_OF if about_color else wordings.SHAPE_OF, language, rng
    )
    meant = "the block at <p1>"
    if rng.random() < 0.5:
        if not alone(scene, shape_of if about_color else color_of, thing):
            return None
        meant = f"the {shape_of(thing)}" if about_color else f"the {color_of(thing)} block"
    return Question(
        question=wording.format(a=meant),
        answer=color_of(thing) if about_color else shape_of(thing),
        about="attribute",
        language=language,
        points=points_of(scene, thing),
    )


def listing(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    """All things, or those of one colour or shape."""
    names = list(scene.things)
    if len(names) <= MOST_LISTED and (language != "en" or rng.random() < 0.6):
        question, language = worded(wordings.LISTING, language, rng)
    else:
        part = color_of if rng.random() < 0.5 else shape_of
        shared = part(draw_thing(scene, rng))
        names = [thing for thing in names if part(thing) == shared][: MOST_LISTED + 1]
        if len(names) > MOST_LISTED:
            return None
        wording, language = worded(wordings.LISTING_SOME, "en", rng)
        what = plural(shared, None) if part is color_of else plural(None, shared)
        question = wording.format(what=what)
    names = raster(scene, names)
    listed = [f"<p{3 + i}> {name(language, thing)}" for i, thing in enumerate(names)]
    return Question(
        question=question,
        answer=", ".join(listed),
        about="listing",
        language=language,
        points=points_of(scene, None, None, *names),
    )


def counting(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    """Answers are digits."""
    count = len(scene.things)
    if language != "en" or rng.random() < 0.3:
        question, language = worded(wordings.COUNTING_ALL, language, rng)
    else:
        by_color = bool(rng.random() < 0.5)
        part, pool = (color_of, ALL_COLORS) if by_color else (shape_of, ALL_SHAPES)
        if scene.objects == "robot":  # not even a word of the others
            pool = COLORS if by_color else SHAPES
        shared = part(draw_thing(scene, rng))
        if rng.random() < NONE_OF_THESE:
            drawn = {tile.name for tile in scene.setting.tiles}
            shared = pick([one for one in pool if one not in drawn], rng)
        count = sum(part(thing) == shared for thing in scene.things)
        wording, language = worded(wordings.COUNTING, "en", rng)
        question = wording.format(what=plural(shared, None) if by_color else plural(None, shared))
    return Question(
        question=question,
        answer=str(count),
        about="counting",
        language=language,
        points=points_of(scene),
    )


def caption(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    count = len(scene.things)
    if count > MOST_LISTED:
        return None
    question, language = worded(wordings.CAPTION, language, rng)
    listed = ", ".join(name(language, thing) for thing in raster(scene, list(scene.things)))
    if language == "en":
        listed = f"{count} block{'s' * (count > 1)}: {listed}"
    return Question(
        question=question,
        answer=listed,
        about="caption",
        language=language,
        points=points_of(scene),
    )


MAKERS: Mapping[str, Maker] = {
    "pointing": pointing,
    "effector": effector,
    "naming": naming,
    "attribute": attribute,
    "listing": listing,
    "counting": counting,
    "relation": relation,
    "caption": caption,
    "plan": plan,
}
# Places teach fastest, so they are asked for most.
WEIGHTS: Mapping[str, float] = {
    "pointing": 0.36,
    "effector": 0.05,
    "naming": 0.17,
    "attribute": 0.07,
    "listing": 0.12,
    "counting": 0.03,
    "relation": 0.05,
    "caption": 0.02,
    "plan": 0.13,
}
