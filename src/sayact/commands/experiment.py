"""`sayact experiment`: what the papers found, tried again."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from rich.console import Console
from tyro.conf import arg

from sayact.commands.verb import Outcome, Verb
from sayact.schema.errors import SayactError


@dataclass(frozen=True, kw_only=True)
class PapersOnADesk(Verb):
    """Train every arm of the papers' experiments, play the suites, and say which findings held.

    Plans what the budget buys on this machine, shows the plan, and does it; the same command goes
    on where it was stopped. It leaves a page with tables, figures and a verdict on every finding,
    and a JSON with the outcome of every start. docs/papers.md tells what is compared.

    For instance:

        sayact experiment papers-on-a-desk --tiny --out runs/papers-tiny
        sayact experiment papers-on-a-desk --budget 3h --out runs/papers
        sayact experiment papers-on-a-desk --budget 3h --data DEMOS --web WEB --out runs/papers
        sayact experiment papers-on-a-desk --arms main --beside rt1-nano rt2-nano
        sayact experiment papers-on-a-desk --arms ablations --out runs/ablations \\
            --earlier runs/papers/papers-on-a-desk.json
    """

    budget: str = "3h"
    """Time on the clock that is planned for: 90m, 3h, 1d. It scales steps, data and starts."""
    out: Annotated[Path, arg(metavar="DIR")] = Path("runs/papers")
    """Folder for everything: runs, pictures, what was played, the page."""
    data: Annotated[tuple[Path, ...], arg(metavar="DIR ...")] = ()
    """Robot datasets, or frame caches, instead of demonstrations collected here."""
    web: Annotated[tuple[Path, ...], arg(metavar="DIR ...")] = ()
    """Pictures with questions instead of the embedded web (the control's is drawn all the same)."""
    arms: Annotated[tuple[str, ...], arg(metavar="ARM ...")] = ()
    """Only these arms, and those that they begin with; all unless told. "main" and "ablations"
    name many at once."""
    beside: Annotated[tuple[str, ...], arg(metavar="CHECKPOINT ...")] = ()
    """More policies that play all suites, such as rt1-nano and rt2-nano."""
    earlier: Annotated[tuple[Path, ...], arg(metavar="JSON ...")] = ()
    """What earlier runs measured, such as results/papers-on-a-desk.json: it stands on the page too,
    and is not played again."""
    rt1: Annotated[str | None, arg(metavar="CHECKPOINT")] = None
    """Take this as the main RT-1 instead of training one."""
    rt2: Annotated[str | None, arg(metavar="CHECKPOINT")] = None
    """Take this as the main RT-2 instead of training one."""
    web_stage: Annotated[str | None, arg(metavar="CHECKPOINT")] = None
    """Take this as what the main RT-2 begins with, instead of training it on the web."""
    starts: Annotated[int | None, arg(metavar="INT")] = None
    """Starts of every suite, instead of what the budget buys; more are only played, not trained."""
    workers: int = 2
    """Runs side by side, one thread each; 0 does everything in this process, in turn."""
    seed: int = 0
    """Fixes everything but the clock."""
    tiny: bool = False
    """Little of everything: two minutes, to see that the path works."""

    def run(self, console: Console) -> Outcome:
        from sayact.experiments.papers.experiment import Options, run
        from sayact.experiments.papers.plan import hours_of

        if self.starts is not None and self.starts < 1:
            raise SayactError(f"--starts is a number of episodes, at least 1; got {self.starts}")
        given = {"rt1": self.rt1, "rt2": self.rt2, "grounded": self.web_stage}
        options = Options(
            out=self.out,
            hours=hours_of(self.budget),
            data=self.data,
            web=self.web,
            arms=self.arms,
            trained=tuple((name, policy) for name, policy in given.items() if policy is not None),
            beside=self.beside,
            earlier=self.earlier,
            starts=self.starts,
            workers=self.workers,
            seed=self.seed,
            tiny=self.tiny,
        )
        return Outcome(result=run(options, console))
