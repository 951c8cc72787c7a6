"""Evaluations as tables: on the terminal, and in the README, where nobody types numbers by hand.

    python -m sayact.evals.tables README.md     fills the space between the markers, from results/

A marker names its file: `<!-- results:begin rt1-nano -->` is filled from results/rt1-nano.json,
which `sayact eval … --json results/rt1-nano.json` wrote. `results:begin rt1-speed short` asks for
the few lines of a bench that belong in a README.
"""

import json
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from sayact.evals import quiz_tables, speed_tables, training_tables, vlm_tables
from sayact.evals.evaluation import Evaluation
from sayact.evals.markdown import bold_percent, table_lines
from sayact.evals.provenance import policy_title
from sayact.evals.statistics import Interval, percent
from sayact.schema.errors import SayactError

BLOCK = re.compile(
    r"(<!-- results:begin (?P<name>[\w-]+)(?P<short> short)? -->\n).*?(<!-- results:end -->)",
    flags=re.DOTALL,
)
TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "roofline_ms": speed_tables.markdown_tables,  # sayact bench rt1
    "training": training_tables.markdown_table,  # sayact bench train
    "quiz": quiz_tables.markdown_table,  # sayact quiz
    "backbone": vlm_tables.markdown_table,  # sayact bench vlm
}
TITLES = {
    "block2block": "block to block",
    "block2absolute": "block to place",
    "block2relative": "block by direction",
    "block2block_relative": "block beside block",
    "separate": "separate",
    "point2block": "point to block",
    "block1_to_corner": "block to corner",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """A policy's line: one rate with its interval a column, the mean first if there are several."""

    policy: str
    cells: tuple[tuple[float, Interval], ...]
    control_hz: float


def rows(evaluation: Evaluation) -> list[Row]:
    """The policy itself and those beside it, the best mean first."""
    shown = sorted([evaluation, *evaluation.beside], key=lambda e: -e.mean_success)
    return [
        Row(
            policy=policy_title(e.policy),
            cells=(*_mean(e), *((f.success, f.interval) for f in e.families.values())),
            control_hz=e.control_hz,
        )
        for e in shown
    ]


def headings(evaluation: Evaluation) -> list[str]:
    """Column titles: the mean, then the families."""
    mean = [f"mean of {len(evaluation.mean_families)}"] if _mean(evaluation) else []
    return [*mean, *(TITLES.get(name, name) for name in evaluation.families)]


def _mean(evaluation: Evaluation) -> tuple[tuple[float, Interval], ...]:
    """The headline as a cell; none where it would repeat the only family."""
    if len(evaluation.families) == 1:
        return ()
    return ((evaluation.mean_success, evaluation.mean_interval),)


def terminal_table(evaluation: Evaluation) -> Table:
    """For people at the prompt: success in percent with 95 % intervals."""
    asked = evaluation.protocol
    table = Table(
        title=f"{asked.world}: success in %, {asked.episodes} episodes a family, "
        f"{asked.max_steps} steps, seed {asked.seed}",
        caption="95 % Wilson intervals in parentheses",
    )
    # A line a family: seven families side by side would not fit a window of 80 columns.
    table.add_column("")
    shown = rows(evaluation)
    for row in shown:
        table.add_column(row.policy, justify="right")
    for column, heading in enumerate(headings(evaluation)):
        table.add_row(heading, *(percent(*row.cells[column]) for row in shown))
    table.add_section()
    table.add_row("control", *(f"{row.control_hz:,.0f} Hz" for row in shown))
    return table


def markdown_table(evaluation: Evaluation) -> str:
    """For the README and results/: the same numbers."""
    shown = [
        [
            f"`{row.policy}`",
            *(bold_percent(*cell) for cell in row.cells),
        ]
        for row in rows(evaluation)
    ]
    lines = table_lines(["policy", *headings(evaluation)], shown)
    asked = evaluation.protocol
    lines += [
        "",
        f"Success in percent with 95 % Wilson intervals; {asked.episodes} episodes a family, at "
        f"most {asked.max_steps} steps, {asked.block_mode}, seed {asked.seed}. "
        f"{evaluation.provenance['hardware']}; commit `{evaluation.provenance['commit']}`, "
        f"{evaluation.date[:10]}.",
    ]
    return "\n".join(lines) + "\n"


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
    if "roofline_ms" in measured and short:
        return speed_tables.short_table(measured)
    for key, made in TABLES.items():
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
