"""`sayact look`: does it look at what it was told to move, and where to?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from rich.console import Console
from tyro.conf import Positional, arg

from sayact.commands.verb import Outcome, Verb


@dataclass(frozen=True, kw_only=True)
class Look(Verb):
    """Show where an RT-2 looks at the first pictures of suites, before it moves.

    Some image tokens of rt2-nano are told, in training, to look at what must be moved and at the
    goal. Where they look takes seconds to measure, and tells apart what playing cannot: a policy
    that has not understood from one that pushes badly.

    For instance:

        sayact look rt2-nano
        sayact look rt2-nano --suite emergent --sheet runs/look.png
        sayact look runs/rt2 --beside rt2-nano --starts 100 --json -
    """

    checkpoint: Annotated[Positional[str], arg(metavar="CHECKPOINT")]
    """An RT-2: a checkpoint's folder, a training run, or the name of one in the box."""
    beside: Annotated[tuple[str, ...], arg(metavar="CHECKPOINT ...")] = ()
    """Others that look at the same."""
    suite: Annotated[tuple[str, ...], arg(metavar="SUITE ...")] = ("all",)
    """Names, groups, generalisation, emergent, or all."""
    starts: int = 30
    """Starts of every suite."""
    sheet: Annotated[Path | None, arg(metavar="PNG")] = None
    """Draw the first starts here: an orange ring about what it would move, a blue one about the
    goal."""
    across: int = 4
    """Starts of every suite on the sheet."""
    device: str = "cpu"
    """Where to compute: cpu, cuda, cuda:1 …"""
    seed: int = 0
    """Which list of starts; 0 is the one that evaluations play, so choose by another."""

    def run(self, console: Console) -> Outcome:
        from sayact.evals.looking import looking, rings
        from sayact.evals.looking_tables import terminal_table
        from sayact.evals.suites.catalogue import chosen
        from sayact.evals.suites.sheet import suites_sheet
        from sayact.policies.loading import load_rt2

        names = chosen(self.suite)
        policies = {
            name: load_rt2(name, "say where it looks", self.device)
            for name in (self.checkpoint, *self.beside)
        }
        found = looking(policies, names, episodes=self.starts, seed=self.seed)
        console.print(terminal_table(found))
        if self.sheet is not None:
            marks = rings(policies[self.checkpoint])
            suites_sheet(self.sheet, names, across=self.across, seed=self.seed, marks=marks)
            console.print(f"contact sheet: {self.sheet}", soft_wrap=True)
        return Outcome(result={**found, "sheet": self.sheet})
