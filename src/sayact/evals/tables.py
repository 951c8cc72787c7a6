"""Evaluations as tables: on the terminal, and in the README, where nobody types numbers by hand.

    python -m sayact.evals.tables README.md     fills the space between the markers, from results/

A marker names its file: `<!-- results:begin rt1-nano -->` is filled from results/rt1-nano.json,
which `sayact eval … --json results/rt1-nano.json` wrote. `results:begin rt1-speed short` asks for
the few lines of a bench that belong in a README.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from sayact.evals import (
    findings_tables,
    looking_tables,
    quiz_tables,
    serve_tables,
    speed_tables,
    training_tables,
    vlm_tables,
)
from sayact.evals.evaluation import Evaluation, Protocol
from sayact.evals.markdown import bold_percent, table_lines
from sayact.evals.provenance import policy_title
from sayact.evals.statistics import Interval, percent
from sayact.evals.suites.catalogue import SUITES
from sayact.evals.suites.means import means_of
from sayact.schema.errors import SayactError

BLOCK = re.compile(
    r"(<!-- results:begin (?P<name>[\w-]+)(?P<short> short)? -->\n).*?(<!-- results:end -->)",
    flags=re.DOTALL,
)
TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "roofline_ms": speed_tables.markdown_tables,  # sayact bench rt1
    "training": training_tables.markdown_table,  # sayact bench train
    "quiz": quiz_tables.markdown_table,  # sayact quiz
    "looking": looking_tables.markdown_table,  # sayact look
    "backbone": vlm_tables.markdown_table,  # sayact bench vlm
    "findings": findings_tables.markdown_tables,  # sayact experiment papers-on-a-desk
    "serving": serve_tables.markdown_tables,  # sayact bench serve
}
SHORT: dict[str, Callable[[dict[str, Any]], str]] = {
    "roofline_ms": speed_tables.short_table,
    "findings": findings_tables.short_table,
}
TITLES = {
    "block2block": "block to block",
    "block2absolute": "block to place",
    "block2relative": "block by direction",
    "block2block_relative": "block beside block",
    "separate": "separate",
    "point2block": "point to block",
    "block1_to_corner": "block to corner",
    **{name: suite.title for name, suite in SUITES.items()},
}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One rate in percent with its interval; `mean`: it sums up others."""

    title: str
    rate: float
    interval: Interval
    mean: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """A policy's line: of families the mean first, of suites each mean behind its last suite."""

    policy: str
    cells: tuple[Cell, ...]
    control_hz: float


def rows(evaluation: Evaluation) -> list[Row]:
    """The policy itself and those beside it, the best mean first."""
    shown = sorted([evaluation, *evaluation.beside], key=lambda e: -e.mean_success)
    return [
        Row(policy=policy_title(e.policy), cells=tuple(_cells(e)), control_hz=e.control_hz)
        for e in shown
    ]


def _cells(evaluation: Evaluation) -> Iterator[Cell]:
    """Column by column. The headline is left out where it would repeat the only part."""
    if len(evaluation.families) > 1:
        title = f"mean of {len(evaluation.mean_families)}"
        rate, interval = evaluation.mean_success, evaluation.mean_interval
        yield Cell(title=title, rate=rate, interval=interval, mean=True)
    means = means_of(evaluation.protocol.suites)
    for part, result in evaluation.families.items():
        title = TITLES.get(part, part)
        yield Cell(title=title, rate=result.success, interval=result.interval)
        for mean in means:
            if mean.last == part:
                summed = evaluation.means[mean.name]
                yield Cell(
                    title=mean.title, rate=summed.success, interval=summed.interval, mean=True
                )


def headings(evaluation: Evaluation) -> list[str]:
    """Column titles: means and parts in the order of `rows`."""
    return [cell.title for cell in _cells(evaluation)]


def parts_word(protocol: Protocol) -> str:
    """What successes are counted by."""
    return "suite" if protocol.suites else "family"


def steps_words(protocol: Protocol) -> str:
    """After how many steps an episode is lost: "200 steps"."""
    if protocol.max_steps is not None:
        return f"{protocol.max_steps} steps"
    return f"{' or '.join(map(str, sorted({SUITES[s].max_steps for s in protocol.suites})))} steps"


def terminal_table(evaluation: Evaluation) -> Table:
    """For people at the prompt: success in percent with 95 % intervals."""
    asked = evaluation.protocol
    table = Table(
        title=f"{asked.world}: success in %, {asked.episodes} episodes a {parts_word(asked)}, "
        f"{steps_words(asked)}, seed {asked.seed}",
        caption="95 % Wilson intervals in parentheses",
    )
    # A line a part: seven families side by side would not fit a window of 80 columns.
    table.add_column("")
    shown = rows(evaluation)
    for row in shown:
        table.add_column(row.policy, justify="right")
    for cells in zip(*(row.cells for row in shown), strict=True):
        style = "bold" if cells[0].mean else ""
        numbers = (percent(cell.rate, cell.interval) for cell in cells)
        table.add_row(cells[0].title, *numbers, style=style)
    table.add_section()
    table.add_row("control", *(f"{row.control_hz:,.0f} Hz" for row in shown))
    return table


def markdown_table(evaluation: Evaluation) -> str:
    """For the README and results/: the same numbers; a line a policy, of suites a line a suite."""
    asked, shown = evaluation.protocol, rows(evaluation)
    if asked.suites:
        lines = table_lines(["suite", *(f"`{row.policy}`" for row in shown)], _suite_lines(shown))
    else:
        numbers = [
            [f"`{row.policy}`", *(bold_percent(cell.rate, cell.interval) for cell in row.cells)]
            for row in shown
        ]
        lines = table_lines(["policy", *headings(evaluation)], numbers)
    laid = f"{asked.block_mode}, " if not asked.suites else ""
    lines += [
        "",
        f"Success in percent with 95 % Wilson intervals; {asked.episodes} episodes a "
        f"{parts_word(asked)}, at most {steps_words(asked)}, {laid}seed {asked.seed}. "
        f"{evaluation.provenance['hardware']}; commit `{evaluation.provenance['commit']}`, "
        f"{evaluation.date[:10]}.",
    ]
    return "\n".join(lines) + "\n"


def _suite_lines(shown: Sequence[Row]) -> Iterator[list[str]]:
    """A line a suite, the means in bold."""
    for cells in zip(*(row.cells for row in shown), strict=True):
        title = f"**{cells[0].title}**" if cells[0].mean else cells[0].title
        yield [title, *(bold_percent(cell.rate, cell.interval) for cell in cells)]


def fill(text: str, results: Path) -> str:
    """`text` with the space between all its markers written anew from the folder `results`."""

    def filled(block: re.Match[str]) -> str:
        file = results / f"{block['name']}.json"
        if not file.is_file():
            raise SayactError(
                f"a marker asks for {file}, which is not there; run sayact eval --json"
            )
        measured = json.loads(file.read_text())
        return block[1] + _table(measured, short=bool(block["short"])) + block[4]

    return BLOCK.sub(filled, text)


def _table(measured: dict[str, Any], *, short: bool) -> str:
    """The lines of whichever command measured it, told by a key that only its results have."""
    for key, made in (*(SHORT.items() if short else ()), *TABLES.items()):
        if key in measured:
            return made(measured)
    return markdown_table(Evaluation.from_json(measured))


def main(files: Sequence[str]) -> int:
    """Fill the named files in place; results/ lies in the current folder."""
    for name in files:
        file = Path(name)
        file.write_text(fill(file.read_text(), Path("results")))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
