"""Tables as Markdown: columns of words on the left, numbers on the right."""

from collections.abc import Iterable, Sequence

from sayact.evals.statistics import Interval, percent


def table_lines(
    headings: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1
) -> list[str]:
    """The first columns, of `words`, are aligned left, all others right."""
    rule = ["---"] * words + ["---:"] * (len(headings) - words)
    return [f"| {' | '.join(cells)} |" for cells in (headings, rule, *rows)]


def bold_percent(rate: float, interval: Interval) -> str:
    """`statistics.percent` with the rate in bold: `**94** (84–98)`."""
    bold, rest = percent(rate, interval).split(" ", 1)
    return f"**{bold}** {rest}"
