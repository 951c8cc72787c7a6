"""Which suites an experiment plays, and what the numbers of the papers are means of."""

from collections.abc import Mapping

from sayact.evals.suites.catalogue import SUITES
from sayact.evals.suites.means import MEANS

# What tells ablations apart. Each costs every arm the same, so that there are few: what RT-2's
# paper ablates on, and for RT-1 what its own does.
ABLATION_SUITES: tuple[str, ...] = (
    "seen",
    "objects_easy",
    "objects_hard",
    "backgrounds_easy",
    "environments_easy",
    "symbols",
    "matching",
    "categories",
)
RT1_ABLATION_SUITES = (*ABLATION_SUITES, "distractors_5", "distractors_9", "wordings", "typos")
# Of these, what only the web showed.
SHOWN_BY_WEB: tuple[str, ...] = ("symbols", "matching", "categories")
# Where a plan may help: what must be found out before anything is pushed.
PLANNED_SUITES: tuple[str, ...] = ("sums", "relations", "categories", "stages")
TINY_SUITES: tuple[str, ...] = ("seen", "objects_easy", "symbols")


def main_suites(tiny: bool) -> tuple[str, ...]:
    """What the main arms play: everything."""
    return TINY_SUITES if tiny else tuple(SUITES)


def ablation_suites(tiny: bool, model: str = "rt2") -> tuple[str, ...]:
    """What ablations of "rt1" or "rt2" play."""
    if tiny:
        return TINY_SUITES
    return RT1_ABLATION_SUITES if model == "rt1" else ABLATION_SUITES


def planned_suites(tiny: bool) -> tuple[str, ...]:
    """What RT-2 plays once more, with a plan."""
    return TINY_SUITES[-1:] if tiny else PLANNED_SUITES


def weights(mean: str) -> Mapping[str, float]:
    """How much each suite counts in a mean of the papers' tables, such as "unseen"."""
    return next(one.weights for one in MEANS if one.name == mean)


def equal(*suites: str) -> Mapping[str, float]:
    """Suites that count alike."""
    return dict.fromkeys(suites, 1 / len(suites))
