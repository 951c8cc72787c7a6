"""`sayact eval`: how often does it do what it was told?"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from rich.console import Console
from tyro.conf import Positional, arg

from sayact.commands.verb import Outcome, Verb
from sayact.schema.errors import SayactError

if TYPE_CHECKING:
    from sayact.evals.evaluation import Protocol


@dataclass(frozen=True, kw_only=True)
class Eval(Verb):
    """Play a policy in a world and count its successes, with the random and oracle rows beside it.

    The default is the official protocol: five families, 50 episodes each, 200 steps, seed 0; and
    the two other families. Suites ask for more than demonstrations show: one by its name, or all of
    a group (docs/suites.md; `sayact data suites` draws them). Every rate comes with its 95 %
    interval.

    For instance:

        sayact eval rt1-nano language_table
        sayact eval rt2-nano --suite all --episodes 20 --beside random rt1-nano
        sayact eval rt2-nano --suite sums people
        sayact eval rt1-nano language_table --engine openvino
        sayact eval runs/demo/rt1-demo --episodes 10 --families block2block --json -
    """

    checkpoint: Annotated[Positional[str], arg(metavar="CHECKPOINT")]
    """A checkpoint's folder, the name of a policy in the box, or random, zero, oracle."""
    world: Annotated[Positional[str], arg(metavar="WORLD")] = "language_table"
    """The world to play in."""
    episodes: int = 50
    """Episodes of every family or suite."""
    families: Annotated[tuple[str, ...], arg(metavar="FAMILY ...")] = ()
    """Task families; none named: all of the world."""
    suite: Annotated[tuple[str, ...], arg(metavar="SUITE ...")] = ()
    """Suites to play instead of families: names, groups, generalisation, emergent, or all."""
    max_steps: int | None = None
    """Steps after which an episode is lost; 200, or what a suite says, unless told."""
    block_mode: str = "BLOCK_8"
    """Which blocks lie on the table; a suite lays its own."""
    beside: Annotated[tuple[str, ...], arg(metavar="CHECKPOINT ...")] = ("random", "oracle")
    """Policies that play the same starts for comparison."""
    videos: int = 2
    """Films of the first so many episodes of every family or suite."""
    workers: int = 2
    """Processes; the result does not depend on it."""
    seed: int = 0
    """Fixes every start and sentence."""
    device: str = "cpu"
    """Where PyTorch computes: cpu, cuda, cuda:1 …"""
    engine: Literal["torch", "openvino", "onnx"] | None = None
    """What computes the network, in float32; an exported folder knows its own."""
    plan_every: Annotated[int | None, arg(metavar="N")] = None
    """RT-2 alone: write a plan every N steps, 0 for none; unless told, as its checkpoint says."""
    out: Annotated[Path | None, arg(metavar="DIR")] = None
    """Folder for report.html, evaluation.json and videos;
    runs/eval/CHECKPOINT[-ENGINE][-planN][-SUITE] unless told."""

    def run(self, console: Console) -> Outcome:
        from sayact.evals.evaluate import evaluate
        from sayact.evals.provenance import policy_title
        from sayact.evals.report import write_report
        from sayact.evals.tables import terminal_table

        plans = None if self.plan_every is None else f"plan{self.plan_every}"
        told = (policy_title(self.checkpoint), self.engine, plans, *self.suite)
        name = "-".join(filter(None, told))
        out = self.out or Path("runs") / "eval" / name
        evaluation = evaluate(
            self.checkpoint,
            self._protocol(),
            workers=self.workers,
            beside=self.beside,
            videos=out / "videos",
            videos_each=self.videos,
            device=self.device,
            engine=self.engine,
            plan_every=self.plan_every,
        )
        console.print(terminal_table(evaluation))
        report = write_report(evaluation, out)
        console.print(f"report: {report}", soft_wrap=True)
        return Outcome(result=evaluation.to_json())

    def _protocol(self) -> "Protocol":
        from sayact.evals.evaluation import ALL_FAMILIES, FAMILY_STEPS, Protocol, suite_protocol
        from sayact.evals.suites.catalogue import chosen

        if self.suite and self.families:
            raise SayactError("either --families or --suite: a suite knows its families itself.")
        if self.suite:
            asked = suite_protocol(
                chosen(self.suite),
                episodes=self.episodes,
                seed=self.seed,
                max_steps=self.max_steps,
            )
            return replace(asked, world=self.world)
        return Protocol(
            world=self.world,
            families=self.families or ALL_FAMILIES,
            episodes=self.episodes,
            seed=self.seed,
            max_steps=FAMILY_STEPS if self.max_steps is None else self.max_steps,
            block_mode=self.block_mode,
        )
