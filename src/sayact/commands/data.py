"""`sayact data show|check|stats`: look at a dataset on disk."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from rich.console import Console
from rich.markup import escape
from tyro.conf import Positional, arg

from sayact.commands.verb import Outcome, Verb

Directory = Annotated[Positional[Path], arg(metavar="DIR")]


@dataclass(frozen=True, kw_only=True)
class Show(Verb):
    """List the episodes of a dataset and draw a contact sheet of one.

    For instance:

        sayact data show runs/demos
        sayact data show runs/demos --episode 12 --out sheet.png
    """

    directory: Directory
    """The dataset."""
    episode: int = 0
    """The episode to draw."""
    out: Annotated[Path | None, arg(metavar="PNG")] = None
    """Where the contact sheet goes; episode-NUMBER.png in the current folder unless told."""

    def run(self, console: Console) -> Outcome:
        from sayact.data.show import show

        sheet = show(self.directory, episode=self.episode, out=self.out, console=console)
        console.print(f"contact sheet of episode {self.episode}: {sheet}", soft_wrap=True)
        return Outcome(result={"directory": self.directory, "contact_sheet": sheet})


@dataclass(frozen=True, kw_only=True)
class Check(Verb):
    """Read all of a dataset, every row and every frame, and name what is broken.

    The exit status is 1 when anything is.

    For instance:

        sayact data check runs/demos
    """

    directory: Directory
    """The dataset."""

    def run(self, console: Console) -> Outcome:
        from sayact.data.check import check

        report = check(self.directory)
        for problem in report.problems:
            console.print(f"[red]broken[/]: {escape(problem.what)}", soft_wrap=True)
        count = len(report.problems)
        state = f"{count} problem{'s' * (count > 1)}" if count else "sound"
        console.print(
            f"{self.directory}: {report.episodes} episodes, {report.frames} frames: {state}",
            soft_wrap=True,
        )
        return Outcome(result=asdict(report), ok=not report.problems)


@dataclass(frozen=True, kw_only=True)
class Stats(Verb):
    """True quantiles over all frames of a dataset, written to its meta/stats.json.

    For instance:

        sayact data stats runs/demos --json -
    """

    directory: Directory
    """The dataset."""

    def run(self, console: Console) -> Outcome:
        from sayact.data.stats import stats

        found = stats(self.directory)
        for feature, numbers in found.items():
            console.print(f"[bold]{feature}[/]")
            for name, value in numbers.items():
                console.print(f"  {name:>6}  {escape(str(value))}", soft_wrap=True)
        return Outcome(result=found)
