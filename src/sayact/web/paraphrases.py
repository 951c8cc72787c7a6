"""Instructions in words that the robot's seven families do not have.

    push the red moon to the blue cube    could you steer the red moon to where the blue cube is
    move your arm to the green star       tap the green star

The web says one thing in many ways, so that a model learns to look for what is moved and where
to, and not for one verb. What the suite `wordings` asks with (`evals.suites.instructions`) is kept
out of here: a test compares.
"""

import numpy as np

from sayact.envs.language_table.task import pick

OPENINGS = (
    "{do}",
    "{do}",
    "{do}",
    "can you {do}",
    "could you {do}",
    "now {do}",
    "just {do}",
    "go and {do}",
    "try to {do}",
    "i want you to {do}",
    "you should {do}",
    "robot, {do}",
)
VERBS = (
    "send {a}",
    "carry {a}",
    "deliver {a}",
    "guide {a}",
    "steer {a}",
    "lead {a}",
    "haul {a}",
    "roll {a}",
    "pull {a}",
    "place {a}",
    "set {a}",
    "position {a}",
    "park {a}",
    "return {a}",
    "convey {a}",
    "tug {a}",
    "usher {a}",
    "poke {a}",
    "relocate {a}",
    "bump {a}",
    "have {a} moved",
    "see that {a} moves",
    "make {a} travel",
    "let {a} wander",
)
TO_THING = (
    "alongside {b}",
    "until it touches {b}",
    "to where {b} is",
    "to where {b} lies",
    "in contact with {b}",
    "adjacent to {b}",
    "by {b}",
    "as close as you can to {b}",
    "straight to {b}",
    "in the direction of {b}",
    "on the way to {b}",
    "to meet {b}",
)
# Whole sentences about two things, some with the goal first.
SENTENCES = (
    "{a} belongs at {b}",
    "{b} is where {a} belongs",
    "{a} has to go to {b}",
    "{a} should end up at {b}",
    "make {a} touch {b}",
    "let {a} meet {b}",
    "i would like to see {a} at {b}",
    "at {b} there should be {a}",
)
POINT = (
    "touch {b}",
    "tap {b}",
    "go to {b}",
    "reach for {b}",
    "visit {b}",
    "hover at {b}",
    "put your tip at {b}",
    "stop at {b}",
)
SENTENCE_SHARE = 0.3  # of what is said about two things

PLACES = {
    "top": ("the upper rim", "the top row", "the arm's side of the board"),
    "top_left": ("the top corner on the left", "the spot where top and left meet"),
    "top_right": ("the top corner on the right", "the spot where top and right meet"),
    "center": ("the very center", "the center of the board", "halfway between all rims"),
    "center_left": ("the left rim", "the left hand side", "the far left"),
    "center_right": ("the right rim", "the right hand side", "the far right"),
    "bottom": ("the lower rim", "the bottom row", "the front of the board"),
    "bottom_left": ("the bottom corner on the left", "the spot where bottom and left meet"),
    "bottom_right": ("the bottom corner on the right", "the spot where bottom and right meet"),
}
TO_PLACE = ("to {b}", "as far as {b}", "in the direction of {b}", "straight to {b}")
STRAIGHT = {
    "up": ("towards the top", "up the board", "upward"),
    "down": ("towards the bottom", "down the board", "downward"),
    "left": ("to the left hand side", "in the left direction", "left"),
    "right": ("to the right hand side", "in the right direction", "right"),
}
AMOUNTS = {
    "near": ("a touch", "a short way", "only a little", "a few centimeters"),
    "far": ("a lot", "a good deal", "a great distance", "many centimeters"),
}


def to_thing(moved: str, goal: str, rng: np.random.Generator) -> str:
    """Of two things with their articles: one is pushed to the other."""
    if rng.random() < SENTENCE_SHARE:
        return pick(SENTENCES, rng).format(a=moved, b=goal)
    return _opened(f"{pick(VERBS, rng)} {pick(TO_THING, rng)}".format(a=moved, b=goal), rng)


def to_place(moved: str, place: str, rng: np.random.Generator) -> str:
    """To one of the nine places, `top_left`."""
    way = f"{pick(VERBS, rng)} {pick(TO_PLACE, rng)}"
    return _opened(way.format(a=moved, b=pick(PLACES[place], rng)), rng)


def some_way(moved: str, direction: str, distance: str, rng: np.random.Generator) -> str:
    """In one of eight directions, `down_left`, and "near" or "far"."""
    ways = " and ".join(pick(STRAIGHT[part], rng) for part in direction.split("_"))
    verb = pick(VERBS, rng).format(a=moved)
    return _opened(f"{verb} {pick(AMOUNTS[distance], rng)} {ways}", rng)


def point_at(goal: str, rng: np.random.Generator) -> str:
    """With the arm itself."""
    return _opened(pick(POINT, rng).format(b=goal), rng)


def _opened(do: str, rng: np.random.Generator) -> str:
    return pick(OPENINGS, rng).format(do=do)
