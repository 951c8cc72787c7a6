"""What `sayact look` found, as a table for the terminal and for results/."""

from typing import Any

from rich.table import Table

from sayact.evals.markdown import bold_percent, table_lines
from sayact.evals.quiz_tables import Write
from sayact.evals.statistics import percent, wilson
from sayact.evals.suites.catalogue import SUITES
from sayact.evals.terminal import named_rows

KINDS = ("moved", "goal")


def terminal_table(found: dict[str, Any]) -> Table:
    """For people at the prompt: a line a suite, two columns a policy."""
    title = f"looks at the right place in %, {found['looking']['episodes']} starts a suite"
    table = named_rows(title, _headings(found, ""), _lines(found, percent))
    table.caption = "95 % Wilson intervals in parentheses"
    return table


def markdown_table(found: dict[str, Any]) -> str:
    """For results/: the same numbers, and where they come from."""
    lines = table_lines(_headings(found, "`"), _lines(found, bold_percent))
    told = (
        f"Looks at the right place in percent with 95 % Wilson intervals, at the first pictures of "
        f"{found['looking']['episodes']} starts a suite, seed {found['looking']['seed']}. "
        f"{found['hardware']}; commit `{found['commit']}`."
    )
    return "\n".join((*lines, "", told)) + "\n"


def _headings(found: dict[str, Any], quote: str) -> list[str]:
    names = [f"{quote}{row['policy']}{quote}" for row in found["rows"]]
    return ["suite", *(f"{name}: {what}" for name in names for what in KINDS)]


def _lines(found: dict[str, Any], write: Write) -> list[list[str]]:
    columns = [row["looked"] for row in found["rows"]]
    return [
        [SUITES[each[0]["suite"]].title, *(_cell(one, write, k) for one in each for k in KINDS)]
        for each in zip(*columns, strict=True)
    ]


def _cell(one: dict[str, Any], write: Write, kind: str) -> str:
    return write(one[kind] / one["asked"], wilson(one[kind], one["asked"]))
