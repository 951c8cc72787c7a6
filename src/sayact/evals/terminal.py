"""Tables for the prompt: a column of names on the left, numbers on the right."""

from collections.abc import Iterable, Sequence

from rich.table import Table


def named_rows(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Names are kept on one line; numbers may give way."""
    table = Table(title=title)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left", no_wrap=not number)
    for row in rows:
        table.add_row(*row)
    return table
