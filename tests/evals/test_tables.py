"""The table at the prompt; the one for pages is tested with the README."""

import io
from dataclasses import replace

from rich.console import Console

from handmade import made
from sayact.evals.evaluation import ALL_FAMILIES
from sayact.evals.tables import TITLES, terminal_table


def test_all_families_fit_a_window_of_80_columns() -> None:
    mine = made(dict.fromkeys(ALL_FAMILIES, 9), policy="runs/nano")
    others = tuple(made(dict.fromkeys(ALL_FAMILIES, 1), policy=p) for p in ("random", "oracle"))
    shown = io.StringIO()
    Console(file=shown, width=80).print(terminal_table(replace(mine, beside=others)))
    lines = shown.getvalue().splitlines()
    for family in ALL_FAMILIES:
        (line,) = (line for line in lines if TITLES[family] in line)
        assert "90 (60–98)" in line
        assert line.count("10 (2–40)") == 2
