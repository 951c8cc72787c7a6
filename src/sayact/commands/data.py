"""`sayact data show|check|stats|web`: look at a dataset on disk, or draw the embedded web."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Literal

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


@dataclass(frozen=True, kw_only=True)
class Web(Verb):
    """Draw the embedded web: pictures with questions and answers, as WebDataset tar shards.

    Pictures of the table hold blocks of 12 colours and 12 shapes, or the robot's eight alone; pages
    hold symbols, numbers and people. A run that was killed goes on where it stopped when the same
    command is given again.

    For instance:

        sayact data web --out runs/web --pictures 40000 --pages 12000
        sayact data web --out runs/control --pictures 20000 --objects robot
        sayact data web --out runs/look --pictures 24 --pages 12 --sheet runs/look.png
    """

    out: Annotated[Path, arg(metavar="DIR")]
    """The folder to write to."""
    pictures: int = 10_000
    """Renders of the table."""
    pages: int = 0
    """Drawn pages of symbols, numbers and people."""
    objects: Literal["all", "robot"] = "all"
    """What lies on the table: all 144 kinds of blocks, or the eight of the robot's data."""
    tiles: float = 0.6
    """Share of tables with tiles on them: digits, letters, symbols, fruits, animals, people."""
    kinds: Annotated[tuple[str, ...], arg(metavar="KIND ...")] = ()
    """Kinds of questions about tables (pointing, naming, plan …); none named: all."""
    split: Literal["train", "test"] = "train"
    """No test picture is a training picture, whatever the seed."""
    lossless: bool = False
    """PNG instead of JPEG."""
    sheet: Annotated[Path | None, arg(metavar="PNG")] = None
    """Draw the first pictures with their questions here too."""
    workers: int = 2
    """Processes; what is drawn does not depend on it."""
    seed: int = 0
    """Fixes every picture and question."""

    def run(self, console: Console) -> Outcome:
        from sayact.evals.web import draw_web
        from sayact.web.shards import Settings
        from sayact.web.sheet import contact_sheet, require_png

        if self.sheet is not None:
            require_png(self.sheet)
        settings = Settings(
            pictures=self.pictures,
            pages=self.pages,
            objects=self.objects,
            tiles=self.tiles,
            kinds=self.kinds,
            seed=self.seed,
            split=self.split,
            lossless=self.lossless,
        )
        seconds = draw_web(settings, self.out, workers=self.workers, console=console)
        console.print(
            f"{self.out} holds {settings.total} pictures in {settings.shards} shards "
            f"({seconds:.0f} s)",
            soft_wrap=True,
        )
        if self.sheet is not None:
            contact_sheet(settings, self.sheet)
            console.print(f"contact sheet: {self.sheet}", soft_wrap=True)
        return Outcome(result={"directory": self.out, **asdict(settings), "seconds": seconds})
