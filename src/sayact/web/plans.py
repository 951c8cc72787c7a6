"""Plans: what an instruction of Language-Table moves, and where to."""

import numpy as np

from sayact.envs.language_table.task import Task, pick
from sayact.envs.language_table.tasks import (
    DIRECTIONS,
    FAMILIES,
    Block2Absolute,
    Block2BlockRelative,
    Block2Relative,
)
from sayact.web import wordings
from sayact.web.lexicon import LANGUAGES, name
from sayact.web.question import Question, called, clipped, points_of, worded
from sayact.web.scenes import Scene, in_picture

# Words of plans that are no thing, place or direction.
ARM, APART, CORNER = "arm", "apart", "bottom left"
# The families whose instruction is translated.
TRANSLATED = ("block2block", "block2absolute", "point2block")


def plan(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    """What an instruction of Language-Table moves, and where to."""
    families = TRANSLATED if language != "en" else tuple(FAMILIES)
    family = pick(families, rng)
    if len(scene.things) < FAMILIES[family].least_blocks:
        return None
    task = FAMILIES[family].draw(scene.state, rng)
    if task is None:
        return None
    wording, language = worded(wordings.PLAN, language, rng)
    instruction = task.instruction
    if language != "en":
        instruction = _translated(scene, task, language, rng)
    moved = ARM if task.pushed is None else name("en", task.pushed)
    return Question(
        question=wording.format(what=instruction),
        answer=f"{moved} <p1> to {goal_words(scene, task)} <p2>",
        about="plan",
        language=language,
        points=(
            *points_of(scene)[:1],
            clipped(in_picture(task.mover(scene.state))),
            clipped(in_picture(np.asarray(task.goal(scene.state), np.float64))),
        ),
    )


def _translated(scene: Scene, task: Task, language: str, rng: np.random.Generator) -> str:
    """The instruction of a task in another language."""
    if isinstance(task, Block2Absolute):
        assert task.pushed is not None
        wording, _ = worded(wordings.TO_PLACE, language, rng)
        where = LANGUAGES[language].places[task.place]
        return wording.format(a=called(scene, task.pushed, language, rng), what=where)
    assert task.target is not None
    target = called(scene, task.target, language, rng)
    if task.pushed is None:
        return worded(wordings.POINT_AT, language, rng)[0].format(a=target)
    moved = called(scene, task.pushed, language, rng)
    return worded(wordings.TO_BLOCK, language, rng)[0].format(a=moved, b=target)


def goal_words(scene: Scene, task: Task) -> str:
    """The GOAL of a plan's answer (see the module)."""
    if isinstance(task, Block2Absolute):
        return task.place.replace("_", " ")
    if isinstance(task, Block2Relative):
        assert task.pushed is not None
        return direction_words(task.goal(scene.state) - scene.state.xy(task.pushed))
    if isinstance(task, Block2BlockRelative):
        assert task.target is not None
        return f"{task.direction.replace('_', ' ')} of {name('en', task.target)}"
    if task.family == "separate":
        return APART
    if task.family == "block1_to_corner":
        return CORNER
    assert task.target is not None
    return name("en", task.target)


def direction_words(way: np.ndarray) -> str:
    """Which of the eight directions a way on the board takes: "down right"."""
    unit = {name: step / np.hypot(*step) for name, step in DIRECTIONS.items()}
    return max(unit, key=lambda name: float(unit[name] @ way)).replace("_", " ")
