"""`sayact data suites`: look at what suites ask, start by start."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from rich.console import Console
from rich.table import Table
from tyro.conf import arg

from sayact.commands.verb import Outcome, Verb

SENTENCES = 5  # of every suite, in the JSON


@dataclass(frozen=True, kw_only=True)
class Suites(Verb):
    """List the suites that `sayact eval --suite` plays, and draw their first starts.

    For instance:

        sayact data suites
        sayact data suites --sheet runs/suites.png
        sayact data suites --suite emergent --across 8 --sheet runs/emergent.png
    """

    suite: Annotated[tuple[str, ...], arg(metavar="SUITE ...")] = ("all",)
    """Names, groups, generalisation, emergent, or all."""
    sheet: Annotated[Path | None, arg(metavar="PNG")] = None
    """Draw the first starts with their sentences here."""
    across: int = 4
    """Starts of every suite on the sheet."""
    abreast: int = 1
    """Suites side by side on the sheet."""
    seed: int = 0
    """Which list of starts."""

    def run(self, console: Console) -> Outcome:
        from sayact.evals.suites.catalogue import SUITES, chosen
        from sayact.evals.suites.sheet import suites_sheet

        suites = [SUITES[name] for name in chosen(self.suite)]
        table = Table("group", "suite", "what it asks", box=None)
        for suite in suites:
            table.add_row(suite.group, suite.name, suite.about)
        console.print(table)
        if self.sheet is not None:
            names = [suite.name for suite in suites]
            suites_sheet(
                self.sheet, names, across=self.across, abreast=self.abreast, seed=self.seed
            )
            console.print(f"contact sheet: {self.sheet}", soft_wrap=True)
        listed = [
            {
                "name": suite.name,
                "group": suite.group,
                "version": suite.version,
                "max_steps": suite.max_steps,
                "about": suite.about,
                "sentences": [suite.start(i, self.seed).task.instruction for i in range(SENTENCES)],
            }
            for suite in suites
        ]
        return Outcome(result={"suites": listed, "sheet": self.sheet})
