"""What is trained: every arm of the experiment, and what it differs in from the one it stands by.

web stages   web, web-micro, web-robot-objects      all kinds of questions, from nothing
grounding    grounded, grounded-micro, …            then where things are: RT-2's arms begin here
main         rt1, rt2                               play every suite
ablations    all others, with as many steps each    play a subset (`papers.suites`)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sayact.codecs.action_words import Vocabulary
from sayact.schema.errors import UnknownNameError

Tier = Literal["web", "grounding", "main", "ablation"]
Size = Literal["nano", "micro"]

# Each of the eight's colours and shapes once. Two of them are in a sentence about two blocks only
# in a fifth of them, with luck: no more of the data can be about these alone.
FOUR_BLOCKS = ("red_pentagon", "blue_moon", "green_cube", "yellow_star")
EIGHTH = 1 / 8


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One run.

    model: "web" are RT-2's first stages, which see no robot. start: the arm whose weights it begins
    with. robot: share of robot frames in a batch of RT-2, 5 % more are questions about them and the
    rest is the web; None: no web at all. objects: what lies on the web's tables. words: how actions
    are written. frames: RT-1's history. share, blocks: of the robot data, see `Chosen`. frozen:
    parts that keep the weights it begins with.
    """

    name: str
    title: str
    model: Literal["rt1", "rt2", "web"]
    tier: Tier = "ablation"
    size: Size = "nano"
    start: str | None = None
    robot: float | None = 0.6
    objects: Literal["all", "robot"] = "all"
    words: Vocabulary = "numeric"
    frames: int = 6
    share: float = 1.0
    blocks: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()


def _co_fine_tuned(name: str, title: str, start: str = "grounded", **differs: object) -> Arm:
    """The reference of all ablations but for what `differs`."""
    return Arm(name=name, title=title, model="rt2", start=start, **differs)  # type: ignore[arg-type]


ARMS: tuple[Arm, ...] = (
    Arm(name="web", title="web alone", model="web", tier="web"),
    Arm(name="web-micro", title="web alone, micro", model="web", tier="web", size="micro"),
    Arm(
        name="web-robot-objects",
        title="web of robot objects alone",
        model="web",
        tier="web",
        objects="robot",
    ),
    # What a plate shows is learned late, and pointing at it is what acting needs.
    Arm(name="grounded", title="web, grounded", model="web", tier="grounding", start="web"),
    Arm(
        name="grounded-micro",
        title="web, grounded, micro",
        model="web",
        tier="grounding",
        size="micro",
        start="web-micro",
    ),
    Arm(
        name="grounded-robot-objects",
        title="web of robot objects, grounded",
        model="web",
        tier="grounding",
        objects="robot",
        start="web-robot-objects",
    ),
    Arm(name="rt1", title="RT-1", model="rt1", tier="main"),
    Arm(name="rt2", title="RT-2", model="rt2", tier="main", start="grounded"),
    # RT-1's history (six frames in section 5.1).
    Arm(name="rt1-one-frame", title="RT-1, one frame", model="rt1", frames=1),
    # RT-2 section 4.3: how it is trained, and how large it is.
    Arm(name="scratch", title="from scratch", model="rt2", robot=None),
    Arm(name="fine-tuned", title="fine-tuned", model="rt2", start="grounded", robot=None),
    _co_fine_tuned("co-fine-tuned", "co-fine-tuned"),
    Arm(name="micro-scratch", title="micro, from scratch", model="rt2", size="micro", robot=None),
    Arm(
        name="micro-fine-tuned",
        title="micro, fine-tuned",
        model="rt2",
        size="micro",
        start="grounded-micro",
        robot=None,
    ),
    _co_fine_tuned("micro", "micro, co-fine-tuned", start="grounded-micro", size="micro"),
    # RT-2 section 3.2: how an action is written, and how much of a batch is robot data.
    _co_fine_tuned("symbols", "symbol-tuned actions", words="symbols"),
    _co_fine_tuned("robot-40", "40 % robot data", robot=0.4),
    _co_fine_tuned("robot-80", "80 % robot data", robot=0.8),
    # Not in the papers: is it what the web shows, or that there is more to learn from?
    _co_fine_tuned(
        "control", "web of robot objects", start="grounded-robot-objects", objects="robot"
    ),
    # RT-1 section 6.5: amount and diversity of the robot data.
    _co_fine_tuned("half", "half the episodes", share=0.5),
    _co_fine_tuned("quarter", "a quarter of the episodes", share=0.25),
    _co_fine_tuned("eighth", "an eighth of the episodes", share=EIGHTH),
    _co_fine_tuned("narrow", "an eighth, four blocks", share=EIGHTH, blocks=FOUR_BLOCKS),
    # In the place of R3M and VC-1: features of the web that stay as they are.
    Arm(
        name="frozen",
        title="frozen features",
        model="rt2",
        start="grounded",
        robot=None,
        frozen=("vlm.eyes",),
    ),
)


def arm(name: str) -> Arm:
    """Raises UnknownNameError with all names."""
    for one in ARMS:
        if one.name == name:
            return one
    raise UnknownNameError("arm", name, [one.name for one in ARMS])


def needed(names: Sequence[str], given: Sequence[str] = ()) -> tuple[Arm, ...]:
    """The named arms, all where none is named, and those that they begin with; in order.

    Those that are `given` begin with nothing that must be trained.
    """
    chosen = {arm(name) for name in names} or set(ARMS)
    while (
        missing := {arm(one.start) for one in chosen if one.start and one.name not in given}
        - chosen
    ):
        chosen |= missing
    return tuple(one for one in ARMS if one in chosen)
