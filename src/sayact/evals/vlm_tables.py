"""What `sayact bench vlm` found, as a table for the terminal and for results/."""

from typing import Any

from rich.table import Table

from sayact.evals.markdown import table_lines
from sayact.evals.terminal import named_rows

HEADINGS = ("numbers", "MB", "prefill ms", "token ms", "logits off by", "same choice")


def terminal_table(found: dict[str, Any]) -> Table:
    """For people at the prompt."""
    title = f"{found['backbone']}, {found['device']}"
    return named_rows(title, HEADINGS, map(_cells, found["rows"]))


def markdown_table(found: dict[str, Any]) -> str:
    """For results/: the same numbers, and where they come from."""
    lines = table_lines(HEADINGS, map(_cells, found["rows"]))
    told = (
        f"{found['backbone']}; {found['device']}, {found['hardware']}, {found['threads']} threads; "
        f"commit `{found['commit']}`, {found['date'][:10]}; `{found['command']}`."
    )
    return "\n".join((*lines, "", told)) + "\n"


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    weights = f", weights {row['weights']}" if row["weights"] else ""
    return (
        f"{row['dtype']}{weights}",
        f"{row['megabytes']:,.1f}",
        f"{row['prefill_ms']:.0f}",
        f"{row['step_ms']:.1f}",
        f"{row['error']:.2%}",
        f"{row['same_choice']:.0%}",
    )
