"""What `sayact bench train` found, as a table for the terminal and for results/."""

from typing import Any

from rich.table import Table

from sayact.evals.markdown import table_lines
from sayact.evals.terminal import named_rows

HEADINGS = ("setting", "windows of 6", "frames/s", "CPU ms a frame", "peak MB")


def terminal_table(found: dict[str, Any]) -> Table:
    """For people at the prompt."""
    title = f"training {found['training']}, {found['threads']} threads"
    return named_rows(title, HEADINGS, map(_cells, found["rows"]))


def markdown_table(found: dict[str, Any]) -> str:
    """For results/: the same numbers, and where they come from."""
    lines = table_lines(HEADINGS, map(_cells, found["rows"]))
    told = (
        f"{found['hardware']}, {found['threads']} threads; commit `{found['commit']}`, "
        f"{found['date'][:10]}; `{found['command']}`."
    )
    return "\n".join((*lines, "", told)) + "\n"


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    how = "PyTorch as it is" if row["plain"] else "compiled" if row["compile"] else ""
    return (
        ", ".join(filter(None, (row["precision"], how))),
        str(row["windows"]),
        f"{row['frames_per_second']:.1f}",
        f"{row['cpu_ms_per_frame']:.0f}",
        f"{row['peak_mb']:,.0f}",
    )
