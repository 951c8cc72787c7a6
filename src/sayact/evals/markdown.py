"""Tables as Markdown: a column of names on the left, numbers on the right."""

from collections.abc import Iterable, Sequence


def table_lines(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The first column is aligned left, all others right."""
    rule = ["---", *["---:"] * (len(headings) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (headings, rule, *rows)]
