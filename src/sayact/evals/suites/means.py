"""Which suites are summed up under one number, and in which order they stand in tables.

    seen | objects | backgrounds | environments | UNSEEN MEAN | ... | symbols | reasoning |
    recognition | EMERGENT MEAN | stages

Unseen and emergent mean are put together as in the RT-2 paper's tables: the one of six columns,
each as much as the others, the other of three categories, whatever the number of suites in each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Mean:
    """A weighted mean of suites' rates; `weights` sum to 1, in the order of tables.

    title: for columns of tables; short.
    """

    name: str
    title: str
    weights: Mapping[str, float]

    @property
    def last(self) -> str:
        """The suite behind which it stands in tables."""
        return tuple(self.weights)[-1]


def _equal(*suites: str) -> dict[str, float]:
    return dict.fromkeys(suites, 1 / len(suites))


_SYMBOLS, _PEOPLE = "symbols", "people"
_REASONING = ("matching", "sums", "relations", "categories")

MEANS: Sequence[Mean] = (
    Mean(
        name="unseen",
        title="unseen mean",
        weights=_equal(
            "objects_easy",
            "objects_hard",
            "backgrounds_easy",
            "backgrounds_hard",
            "environments_easy",
            "environments_hard",
        ),
    ),
    Mean(
        name="distractors",
        title="distractors mean",
        weights=_equal("distractors_0", "distractors_2", "distractors_5", "distractors_9"),
    ),
    Mean(
        name="instructions",
        title="instructions mean",
        weights=_equal("wordings", "pairs", "typos"),
    ),
    Mean(name="reasoning", title="reasoning mean", weights=_equal(*_REASONING)),
    Mean(
        name="emergent",
        title="emergent mean",
        weights={
            _SYMBOLS: 1 / 3,
            **dict.fromkeys(_REASONING, 1 / 3 / len(_REASONING)),
            _PEOPLE: 1 / 3,
        },
    ),
)


def means_of(suites: Sequence[str]) -> list[Mean]:
    """The means all of whose suites are among these."""
    return [mean for mean in MEANS if set(mean.weights) <= set(suites)]
