"""Which episodes of its robot data a recipe learns from: all, or fewer for an experiment's sake."""

from dataclasses import dataclass

import numpy as np

from sayact.data.frames import FrameStore
from sayact.envs.language_table.blocks import BLOCK_MODES
from sayact.schema.errors import SayactError

# Two thirds of what the one family says the other says too: who holds out the second's sentences
# must hold out the first's.
SAYS_THE_SAME = {"block1_to_corner": "block2absolute"}
ORDER_SEED = 17  # of the order in which a share is taken: half of the data holds its quarter


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """All episodes by default.

    without: (family, block to be moved) pairs that are left out, for their evaluation. blocks:
    only sentences that name no others. share: of the episodes that `without` leaves, in every
    family alike. It is counted before `blocks` takes its part, so that few kinds and many can be
    compared at the same amount of the same skills.
    """

    without: tuple[tuple[str, str], ...] = ()
    blocks: tuple[str, ...] = ()
    share: float = 1.0


def choose(store: FrameStore, chosen: Chosen) -> FrameStore:
    """The chosen episodes, in the store's order. Raises SayactError where there are too few."""
    if chosen == Chosen():
        return store
    if not 0 < chosen.share <= 1:
        raise SayactError(f"a share of the episodes is above 0 and at most 1; got {chosen.share}")
    named = [named_blocks(task) for task in store.tasks]
    families = [info.get("family", "") for info in store.infos]
    if chosen.without and not all(families):
        raise SayactError(
            "episodes do not say of which family they are (`family` in their info), so that those "
            "about held-out pairs cannot be left out; give datasets of `sayact collect`"
        )
    held_out = {(family, plain(block)) for family, block in chosen.without}
    only = {plain(block) for block in chosen.blocks}
    order = np.random.default_rng(ORDER_SEED).permutation(len(store.tasks)).tolist()
    taken: list[int] = []
    for family in dict.fromkeys(families):
        says = SAYS_THE_SAME.get(family, family)
        left = [
            episode
            for episode in order
            if families[episode] == family
            and not (named[episode] and (says, named[episode][0]) in held_out)
        ]
        fitting = [episode for episode in left if not only or set(named[episode]) <= only]
        count = round(chosen.share * len(left))
        if count > len(fitting):
            raise SayactError(
                f"{chosen.share:.0%} of {len(left)} episodes of {family or 'no family'} are "
                f"{count}, and only {len(fitting)} are about {', '.join(chosen.blocks)}; take a "
                "smaller share"
            )
        taken += fitting[:count]
    if not taken:
        raise SayactError(f"{chosen.share:.2%} of so few episodes is none; take a larger share")
    return store.only(np.array(sorted(taken), np.int64))


def named_blocks(sentence: str) -> tuple[str, ...]:
    """The blocks that a template of the robot data names, in order; what is moved comes first."""
    places = {block: sentence.find(block) for block in map(plain, BLOCK_MODES["BLOCK_8"])}
    return tuple(sorted((b for b in places if places[b] >= 0), key=lambda b: places[b]))


def plain(block: str) -> str:
    """red_moon as sentences write it."""
    return block.replace("_", " ")
