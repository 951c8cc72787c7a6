"""What is trained: every arm of the experiment, and what it differs in from the one it stands by.

nano    web        web                            all kinds of questions, from nothing
        grounding  grounded                       then where things are: RT-2 begins here
        main       rt1, rt2                       play every suite
micro   pointing   pointing, …                    where things are, from nothing: one short stage
        ablations  all others, as many steps for all of a kind; a subset (`papers.suites`)
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from sayact.codecs.action_words import Vocabulary
from sayact.schema.errors import UnknownNameError

Tier = Literal["web", "grounding", "pointing", "main", "ablation"]
Size = Literal["nano", "micro", "pico"]

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
    are written. frames: RT-1's history. rephrased: share of RT-1's sentences that are said in other
    words than the demonstrations'. share, blocks: of the robot data, see `Chosen`. frozen: parts
    that keep the weights it begins with.
    """

    name: str
    title: str
    model: Literal["rt1", "rt2", "web"]
    tier: Tier = "ablation"
    size: Size = "micro"
    start: str | None = None
    robot: float | None = 0.6
    objects: Literal["all", "robot"] = "all"
    words: Vocabulary = "numeric"
    frames: int = 6
    rephrased: float = 0.0
    share: float = 1.0
    blocks: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()


def _web(name: str, title: str, **differs: object) -> Arm:
    """A stage of an ablation on the web, from nothing."""
    return Arm(name=name, title=title, model="web", tier="pointing", **differs)  # type: ignore[arg-type]


def _co_fine_tuned(name: str, title: str, start: str = "pointing", **differs: object) -> Arm:
    """The reference of all ablations but for what `differs`."""
    return Arm(name=name, title=title, model="rt2", start=start, **differs)  # type: ignore[arg-type]


ARMS: tuple[Arm, ...] = (
    Arm(name="web", title="web alone", model="web", tier="web", size="nano"),
    # What a plate shows is learned late, and pointing at it is what acting needs.
    Arm(
        name="grounded",
        title="web, grounded",
        model="web",
        tier="grounding",
        size="nano",
        start="web",
    ),
    Arm(name="rt1", title="RT-1", model="rt1", tier="main", size="nano"),
    Arm(name="rt2", title="RT-2", model="rt2", tier="main", size="nano", start="grounded"),
    _web("pointing", "web"),
    _web("pointing-pico", "web, pico", size="pico"),
    _web("pointing-robot-objects", "web of robot objects alone", objects="robot"),
    # RT-1 at the ablations' size, and its history (six frames in section 5.1).
    Arm(name="rt1-micro", title="RT-1, micro", model="rt1"),
    Arm(name="rt1-one-frame", title="RT-1, micro, one frame", model="rt1", frames=1),
    # Not in the papers: sentences as people would say them, not as templates have them.
    Arm(name="rt1-rephrased", title="RT-1, micro, in many words", model="rt1", rephrased=0.5),
    # RT-2 section 4.3: how it is trained, and how large it is.
    Arm(name="scratch", title="from scratch", model="rt2", robot=None),
    Arm(name="fine-tuned", title="fine-tuned", model="rt2", start="pointing", robot=None),
    _co_fine_tuned("co-fine-tuned", "co-fine-tuned"),
    Arm(name="pico-scratch", title="pico, from scratch", model="rt2", size="pico", robot=None),
    Arm(
        name="pico-fine-tuned",
        title="pico, fine-tuned",
        model="rt2",
        size="pico",
        start="pointing-pico",
        robot=None,
    ),
    _co_fine_tuned("pico", "pico, co-fine-tuned", start="pointing-pico", size="pico"),
    # RT-2 section 3.2: how an action is written, and how much of a batch is robot data.
    _co_fine_tuned("symbols", "symbol-tuned actions", words="symbols"),
    _co_fine_tuned("robot-40", "40 % robot data", robot=0.4),
    _co_fine_tuned("robot-80", "80 % robot data", robot=0.8),
    # Not in the papers: is it what the web shows, or that there is more to learn from?
    _co_fine_tuned(
        "control", "web of robot objects", start="pointing-robot-objects", objects="robot"
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
        start="pointing",
        robot=None,
        frozen=("vlm.eyes",),
    ),
)
# Names for many at once.
GROUPS = {
    tier: tuple(one.name for one in ARMS if one.tier == kind)
    for tier, kind in (("main", "main"), ("ablations", "ablation"))
}


def arm(name: str) -> Arm:
    """Raises UnknownNameError with all names."""
    for one in ARMS:
        if one.name == name:
            return one
    raise UnknownNameError("arm", name, [*GROUPS, *(one.name for one in ARMS)])


def needed(names: Sequence[str], given: Collection[str] = ()) -> tuple[Arm, ...]:
    """The named arms or groups of them, all where none is named, and those that they begin with;
    in order.

    Those that are `given` begin with nothing that must be trained.
    """
    named = [one for name in names for one in GROUPS.get(name, (name,))]
    chosen = {arm(name) for name in named} or set(ARMS)
    while (
        missing := {arm(one.start) for one in chosen if one.start and one.name not in given}
        - chosen
    ):
        chosen |= missing
    return tuple(one for one in ARMS if one in chosen)
