"""Plans: what an instruction of Language-Table moves, and where to."""

from collections.abc import Sequence
from itertools import permutations

import numpy as np

from sayact.envs.language_table.task import Task, gap, pick
from sayact.envs.language_table.tasks import (
    DIRECTIONS,
    FAMILIES,
    PLACES,
    RELATIVE_DISTANCES,
    TOUCHING,
    Block2Absolute,
    Block2Block,
    Block2BlockRelative,
    Block2Relative,
    Point2Block,
)
from sayact.envs.language_table.words import block2absolute, block2block, say
from sayact.web import paraphrases, wordings
from sayact.web.languages import LANGUAGES
from sayact.web.lexicon import name
from sayact.web.question import Question, called, clipped, points_of, worded
from sayact.web.scenes import Scene
from sayact.web.typing_errors import mistyped

# Words of plans that are no thing, place or direction.
ARM, APART, CORNER = "arm", "apart", "bottom left"
# The families whose instruction is translated.
TRANSLATED = ("block2block", "block2absolute", "point2block")
STAGED = ("block2block", "block2absolute")
# Shares of English plans that are said in other words than the robot's, and typed in a hurry. The
# control's web says nothing that the robot's demonstrations do not say.
PARAPHRASED, MISTYPED = 0.35, 0.1
STAGED_SHARE = 0.3  # of English plans
FIRST_DONE = 0.6  # share of these whose first push is looked for among what is done


def plan(scene: Scene, rng: np.random.Generator, language: str) -> Question | None:
    """What an instruction of Language-Table moves, and where to."""
    if language == "en" and scene.objects == "all" and rng.random() < STAGED_SHARE:
        return staged_plan(scene, rng)
    task = _draw(scene, TRANSLATED if language != "en" else tuple(FAMILIES), rng)
    if task is None:
        return None
    if language != "en":
        return _asked(scene, _translated(scene, task, language, rng), task, language)
    instruction = task.instruction
    if scene.objects == "all" and rng.random() < PARAPHRASED:
        instruction = paraphrased(scene, task, rng)
    return _asked(scene, hurried(scene, instruction, rng), task, language)


def staged_plan(scene: Scene, rng: np.random.Generator) -> Question | None:
    """Of two instructions in one sentence, the first that is not done yet."""
    done = _done(scene, rng) if rng.random() < FIRST_DONE else None
    first, second = done or _draw(scene, STAGED, rng), _draw(scene, STAGED, rng)
    if first is None or second is None or second.pushed in (first.pushed, first.target):
        return None
    sentence = pick(wordings.IN_ORDER, rng).format(first.instruction, second.instruction)
    return _asked(scene, sentence, second if first.success(scene.state) else first, "en")


def _draw(scene: Scene, families: Sequence[str], rng: np.random.Generator) -> Task | None:
    family = FAMILIES[pick(families, rng)]
    return family.draw(scene.state, rng) if len(scene.things) >= family.least_blocks else None


def _done(scene: Scene, rng: np.random.Generator) -> Task | None:
    """A push that needs no more pushing, as it stands."""
    state, blocks = scene.state, tuple(scene.things)
    pairs = [
        (block, target)
        for block, target in permutations(blocks, 2)
        if gap(state.xy(block), state.xy(target)) < TOUCHING
    ]
    if pairs and rng.random() < 0.5:
        pair = pick(pairs, rng)
        return Block2Block.from_words(state, say(block2block(blocks, *pair), rng), *pair)
    block, place = pick(blocks, rng), pick(tuple(PLACES), rng)
    sentence = say(block2absolute(blocks, block, place), rng)
    task = Block2Absolute.from_words(state, sentence, block, place)
    return task if task.success(state) else None


def _asked(scene: Scene, instruction: str, task: Task, language: str) -> Question:
    """What is moved where in the task that is to be done now."""
    moved = ARM if task.pushed is None else name("en", task.pushed)
    goal = np.asarray(task.goal(scene.state), np.float64)
    return Question(
        question=instruction,
        answer=f"{moved} <p1> to {goal_words(scene, task)} <p2>",
        about="plan",
        language=language,
        points=(
            *points_of(scene)[:1],
            clipped(scene.in_picture(task.mover(scene.state))),
            clipped(scene.in_picture(goal)),
        ),
    )


def hurried(scene: Scene, instruction: str, rng: np.random.Generator) -> str:
    """An English instruction, now and then with a slip of a finger."""
    slips = scene.objects == "all" and rng.random() < MISTYPED
    return mistyped(instruction, rng) if slips else instruction


def paraphrased(scene: Scene, task: Task, rng: np.random.Generator) -> str:
    """The instruction of a task in other English words, where there are some."""
    moved = None if task.pushed is None else called(scene, task.pushed, "en", rng)
    target = None if task.target is None else called(scene, task.target, "en", rng)
    match task:
        case Block2Absolute(place=place) if moved:
            return paraphrases.to_place(moved, place, rng)
        case Block2Relative(pushed=str(pushed)) if moved:
            way = task.goal(scene.state) - scene.state.xy(pushed)
            direction = direction_words(way).replace(" ", "_")
            return paraphrases.some_way(moved, direction, nearest_distance(way), rng)
        case Block2Block() if moved and target:
            return paraphrases.to_thing(moved, target, rng)
        case Point2Block() if target:
            return paraphrases.point_at(target, rng)
        case _:
            return task.instruction


def nearest_distance(way: np.ndarray) -> str:
    """ "near" or "far": how far a push in a direction goes."""
    length = float(np.hypot(*way))
    return min(RELATIVE_DISTANCES, key=lambda name: abs(RELATIVE_DISTANCES[name] - length))


def _translated(scene: Scene, task: Task, language: str, rng: np.random.Generator) -> str:
    """The instruction of a task in another language."""
    if isinstance(task, Block2Absolute):
        assert task.pushed is not None
        wording, _ = worded(wordings.TO_PLACE, language, rng)
        where = LANGUAGES[language].places[task.place]
        return wording.format(a=called(scene, task.pushed, language, rng, moved=True), what=where)
    assert task.target is not None
    target = called(scene, task.target, language, rng)
    if task.pushed is None:
        return worded(wordings.POINT_AT, language, rng)[0].format(a=target)
    moved = called(scene, task.pushed, language, rng, moved=True)
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
