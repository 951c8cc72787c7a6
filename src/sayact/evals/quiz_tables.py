"""What `sayact quiz` found, as a table for the terminal and for results/."""

from collections.abc import Callable
from typing import Any

from rich.table import Table

from sayact.evals.markdown import bold_percent, table_lines
from sayact.evals.statistics import Interval, percent, wilson

Write = Callable[[float, Interval], str]


def terminal_table(found: dict[str, Any]) -> Table:
    """For people at the prompt: a line a kind, a column a policy."""
    table = Table(title="right answers in %", caption="95 % Wilson intervals in parentheses")
    table.add_column("")
    for row in found["rows"]:
        table.add_column(row["policy"], justify="right")
    for heading, *cells in _lines(found, percent):
        table.add_row(heading, *cells)
    return table


def markdown_table(found: dict[str, Any]) -> str:
    """For results/: the same numbers, and where they come from."""
    titles = [f"`{row['policy']}`" for row in found["rows"]]
    lines = table_lines(["question", *titles], _lines(found, bold_percent))
    asked = found["quiz"]
    told = (
        f"Right answers in percent with 95 % Wilson intervals; at most {asked['questions']} "
        f"questions a kind about {asked['pictures']:,} tables and {asked['pages']:,} pages of the "
        f"test split, seed {asked['seed']}. {asked['grading']} "
        f"{found['hardware']}; commit `{found['commit']}`."
    )
    return "\n".join((*lines, "", told)) + "\n"


def _lines(found: dict[str, Any], write: Write) -> list[list[str]]:
    columns = [{one["kind"]: one for one in row["answers"]} for row in found["rows"]]
    return [
        [kind.replace("/", ": "), *(_cell(column.get(kind), write) for column in columns)]
        for kind in columns[0]
    ]


def _cell(one: dict[str, Any] | None, write: Write) -> str:
    if one is None:
        return ""
    return write(one["right"] / one["asked"], wilson(one["right"], one["asked"]))
