"""`sayact quiz`: what does it know about pictures it has never seen?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from rich.console import Console
from tyro.conf import Positional, arg

from sayact.commands.verb import Outcome, Verb


@dataclass(frozen=True, kw_only=True)
class Quiz(Verb):
    """Ask an RT-2 questions about test pictures of the embedded web, and count right answers.

    No test picture is a training picture, whatever the seed. Every rate comes with its 95 %
    interval, kind by kind: pointing, naming, counting, plans …

    For instance:

        sayact quiz rt2-nano
        sayact quiz rt2-nano --objects robot --questions 100
        sayact quiz runs/rt2-web --beside runs/rt2-web-stem --json quiz.json
    """

    checkpoint: Annotated[Positional[str], arg(metavar="CHECKPOINT")]
    """An RT-2: a checkpoint's folder, a training run, or the name of one in the box."""
    beside: Annotated[tuple[str, ...], arg(metavar="CHECKPOINT ...")] = ()
    """Others that are asked the same."""
    questions: int = 200
    """At most so many of each kind."""
    pictures: int = 600
    """Renders of the table to ask about."""
    pages: int = 300
    """Drawn pages to ask about."""
    objects: Literal["all", "robot"] = "all"
    """What lies on the table: all 144 kinds of blocks, or the eight of the robot's data."""
    out: Annotated[Path, arg(metavar="DIR")] = Path("runs/quiz")
    """Folder that keeps the pictures."""
    workers: int = 2
    """Processes that draw."""
    device: str = "cpu"
    """Where to compute: cpu, cuda, cuda:1 …"""
    seed: int = 0
    """Fixes every picture and question."""

    def run(self, console: Console) -> Outcome:
        from sayact.evals.quiz import QuizProtocol, quiz
        from sayact.evals.quiz_tables import terminal_table

        protocol = QuizProtocol(
            pictures=self.pictures,
            pages=self.pages,
            questions=self.questions,
            objects=self.objects,
            seed=self.seed,
        )
        found = quiz(
            (self.checkpoint, *self.beside),
            protocol,
            self.out,
            workers=self.workers,
            device=self.device,
            console=console,
        )
        console.print(terminal_table(found))
        return Outcome(result=found)
