"""All suites, in the order of tables, and how some of them are chosen by name.

sayact eval CHECKPOINT --suite sums            one
sayact eval CHECKPOINT --suite reasoning       a group
sayact eval CHECKPOINT --suite generalisation  what differs in what is seen and said
sayact eval CHECKPOINT --suite emergent        what only the embedded web shows
sayact eval CHECKPOINT --suite all
"""

from collections.abc import Mapping, Sequence

from sayact.evals.suites.emergent import EMERGENT
from sayact.evals.suites.generalisation import GENERALISATION
from sayact.evals.suites.instructions import INSTRUCTIONS
from sayact.evals.suites.suite import GROUPS, Suite
from sayact.schema.errors import SayactError, UnknownNameError

SUITES: Mapping[str, Suite] = {
    suite.name: suite for suite in (*GENERALISATION, *INSTRUCTIONS, *EMERGENT)
}

_SETS: Mapping[str, tuple[Suite, ...]] = {
    "all": tuple(SUITES.values()),
    "generalisation": (*GENERALISATION, *INSTRUCTIONS),
    "emergent": EMERGENT,
    **{
        group: tuple(suite for suite in SUITES.values() if suite.group == group) for group in GROUPS
    },
}


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """The suites that names of suites, groups and sets stand for, each once, in their own order."""
    if not names:
        raise SayactError(f"no suite named; there are: {', '.join({**_SETS, **SUITES})}")
    found = set[str]()
    for name in names:
        if name in SUITES:
            found.add(name)
        elif name in _SETS:
            found |= {suite.name for suite in _SETS[name]}
        else:
            raise UnknownNameError("suite", name, {**SUITES, **_SETS})
    return tuple(suite for suite in SUITES if suite in found)
