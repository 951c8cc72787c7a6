"""What `sayact look` found, as a table for the terminal and for results/."""

from typing import Any

from rich.table import Table

from sayact.evals.markdown import bold_percent, table_lines
from sayact.evals.quiz_tables import Write
from sayact.evals.statistics import percent, wilson
from sayact.evals.suites.catalogue import SUITES
from sayact.evals.terminal import named_rows

KINDS = ("moved", "goal")
MOST_ACROSS = 4  # policies side by side
PAIR = "what is moved / the goal"  # in one cell, where there are more


def terminal_table(found: dict[str, Any]) -> Table:
    """For people at the prompt: a line a suite, two columns a policy."""
    title = f"looks at the right place in %, {found['looking']['episodes']} starts a suite"
    if _many(found):
        return named_rows(f"{title}: {PAIR}", *_a_line_each(found))
    table = named_rows(title, _headings(found, ""), _lines(found, percent))
    table.caption = "95 % Wilson intervals in parentheses"
    return table


def markdown_table(found: dict[str, Any]) -> str:
    """For results/: the same numbers, and where they come from; a line a policy where many are."""
    if _many(found):
        lines, what = table_lines(*_a_line_each(found)), f"({PAIR})"
    else:
        lines = table_lines(_headings(found, "`"), _lines(found, bold_percent))
        what = "with 95 % Wilson intervals"
    told = (
        f"Looks at the right place in percent {what}, at the first pictures of "
        f"{found['looking']['episodes']} starts a suite, seed {found['looking']['seed']}. "
        f"{found['hardware']}; commit `{found['commit']}`."
    )
    return "\n".join((*lines, "", told)) + "\n"


def _many(found: dict[str, Any]) -> bool:
    return len(found["rows"]) > MOST_ACROSS


def _headings(found: dict[str, Any], quote: str) -> list[str]:
    names = [f"{quote}{row['policy']}{quote}" for row in found["rows"]]
    return ["suite", *(f"{name}: {what}" for name in names for what in KINDS)]


def _lines(found: dict[str, Any], write: Write) -> list[list[str]]:
    columns = [row["looked"] for row in found["rows"]]
    return [
        [SUITES[each[0]["suite"]].title, *(_cell(one, write, k) for one in each for k in KINDS)]
        for each in zip(*columns, strict=True)
    ]


def _a_line_each(found: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Headings and lines of a table with a column a suite: what is moved / the goal, in percent."""
    suites = [SUITES[one["suite"]].title for one in found["rows"][0]["looked"]]
    lines = [
        [
            row["policy"],
            *(
                " / ".join(f"{100 * one[kind] / one['asked']:.0f}" for kind in KINDS)
                for one in row["looked"]
            ),
        ]
        for row in found["rows"]
    ]
    return ["policy", *suites], lines


def _cell(one: dict[str, Any], write: Write, kind: str) -> str:
    return write(one[kind] / one["asked"], wilson(one[kind], one["asked"]))
