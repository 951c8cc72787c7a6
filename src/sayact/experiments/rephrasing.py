"""The robot's tasks in other words than its demonstrations say them, for RT-1 to learn from.

    push the red moon to the blue cube    carry the red moon to where the blue cube is
                                          push the red moom to the blue cube

The words are those of the embedded web (`web.paraphrases`), of which the suite *wordings* has none.
The slips of a finger are of the same kinds as those of the suite *typos*.
"""

import numpy as np

from sayact.data.frames import FrameStore
from sayact.envs.language_table.blocks import BLOCK_MODES
from sayact.envs.language_table.words import Arguments, understand
from sayact.experiments.episodes import SAYS_THE_SAME
from sayact.schema.errors import UnknownNameError
from sayact.web import paraphrases
from sayact.web.lexicon import the_name
from sayact.web.typing_errors import mistyped

# "separate" and "block beside block" are said in the demonstrations' words alone; what is pushed to
# the corner is pushed to a place.
REPHRASED = ("block2block", "block2absolute", "block2relative", "point2block")
SAYINGS = 6  # of each episode
MISTYPED = 0.25  # of them
SEED = 23  # of the words drawn


def sayings_of(store: FrameStore) -> tuple[tuple[str, ...], ...]:
    """Other ways to say the task of every episode; mistyped where we know no other words."""
    rng = np.random.default_rng(SEED)
    return tuple(
        _sayings(task, info, rng) for task, info in zip(store.tasks, store.infos, strict=True)
    )


def _sayings(task: str, info: dict[str, str], rng: np.random.Generator) -> tuple[str, ...]:
    blocks, family = BLOCK_MODES.get(info.get("block_mode", ""), ()), info.get("family", "")
    says = SAYS_THE_SAME.get(family, family)
    read = understand(task, blocks, (says,)) if blocks and says in REPHRASED else None
    if read is None:
        return tuple(mistyped(task, rng) for _ in range(SAYINGS))
    said = [rephrased(*read, rng) for _ in range(SAYINGS)]
    return tuple(mistyped(one, rng) if rng.random() < MISTYPED else one for one in said)


def rephrased(family: str, arguments: Arguments, rng: np.random.Generator) -> str:
    """A task of one of the families of `REPHRASED` in other words."""
    first, *rest = arguments
    match family:
        case "block2block":
            return paraphrases.to_thing(the_name("en", first), the_name("en", rest[0]), rng)
        case "block2absolute":
            return paraphrases.to_place(the_name("en", first), rest[0], rng)
        case "block2relative":
            return paraphrases.some_way(the_name("en", first), rest[0], rest[1], rng)
        case "point2block":
            return paraphrases.point_at(the_name("en", first), rng)
        case _:
            raise UnknownNameError("family with other words", family, REPHRASED)
