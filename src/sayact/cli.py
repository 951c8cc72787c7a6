"""The command `sayact`: finds the verb, runs it, and turns mistakes into one line and a status.

Status: 0 done; 1 done, and the answer is bad (a broken dataset); 2 a mistake in what was asked;
130 stopped from the keyboard.
"""

import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from inspect import getdoc
from typing import Annotated, Any, Union

import tyro

from sayact.commands.ask import Ask
from sayact.commands.bench import BenchRT1, BenchWorld
from sayact.commands.bench_serve import BenchServe
from sayact.commands.bench_train import BenchTrain
from sayact.commands.bench_vlm import BenchVLM
from sayact.commands.collect import Collect
from sayact.commands.data import Check, Show, Stats, Web
from sayact.commands.demo import Demo
from sayact.commands.distill import Distill
from sayact.commands.doctor import Doctor
from sayact.commands.evaluate import Eval
from sayact.commands.experiment import PapersOnADesk
from sayact.commands.export import Export
from sayact.commands.import_ import ImportBackbone, ImportRT1
from sayact.commands.look import Look
from sayact.commands.play import Play
from sayact.commands.quiz import Quiz
from sayact.commands.run import Run
from sayact.commands.serve import Serve
from sayact.commands.suites import Suites
from sayact.commands.train import Train
from sayact.commands.verb import Verb
from sayact.schema.errors import SayactError, UnknownNameError

MISTAKE, STOPPED = 2, 130


@dataclass(frozen=True)
class Group:
    """Verbs under one word."""

    summary: str
    verbs: Mapping[str, "type[Verb] | Group"]


@dataclass(frozen=True)
class _Listed:
    """Stands for a group in the list of verbs; `parse` enters the group itself."""


SAYACT = Group(
    "Say it, and the robot acts: RT-1 and RT-2, from demonstrations to a policy that obeys words.",
    {
        "demo": Demo,
        "collect": Collect,
        "train": Train,
        "distill": Distill,
        "eval": Eval,
        "experiment": Group(
            "What the papers found, tried again: papers-on-a-desk.",
            {"papers-on-a-desk": PapersOnADesk},
        ),
        "run": Run,
        "play": Play,
        "serve": Serve,
        "look": Look,
        "quiz": Quiz,
        "ask": Ask,
        "export": Export,
        "data": Group(
            "Datasets: show, check, stats, web; the suites of evaluation: suites.",
            {"show": Show, "check": Check, "stats": Stats, "web": Web, "suites": Suites},
        ),
        "import": Group(
            "Weights that others released: rt1, backbone.",
            {"rt1": ImportRT1, "backbone": ImportBackbone},
        ),
        "doctor": Doctor,
        "bench": Group(
            "Measurements: world, rt1, train, vlm, serve.",
            {
                "world": BenchWorld,
                "rt1": BenchRT1,
                "train": BenchTrain,
                "vlm": BenchVLM,
                "serve": BenchServe,
            },
        ),
    },
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    # Read when PyTorch is loaded, which is later. Threads that wait by spinning steal the time of
    # those that work, and threads that never spin wake late: they spin briefly. docs/speed.md.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        return parse(SAYACT, "sayact", list(given))()
    except (SayactError, OSError) as mistake:
        sys.stderr.write(f"sayact: {' '.join(str(mistake).split())}\n")
        return MISTAKE
    except KeyboardInterrupt:
        sys.stderr.write("sayact: stopped\n")
        return STOPPED


def parse(group: Group, called: str, arguments: list[str]) -> Verb:
    """The verb with its options. On a wrong flag tyro explains itself and exits with 2."""
    chosen = group.verbs.get(arguments[0]) if arguments else None
    if isinstance(chosen, Group):
        return parse(chosen, f"{called} {arguments[0]}", arguments[1:])
    if chosen is None and arguments and not arguments[0].startswith("-"):
        raise UnknownNameError("verb", arguments[0], group.verbs)
    verbs = [
        Annotated[
            Any,
            tyro.conf.subcommand(
                name=name,
                description=_described(verb, verb is chosen),
                constructor=_Listed if isinstance(verb, Group) else verb,
            ),
        ]
        for name, verb in group.verbs.items()
    ]
    # A union of one would not be a choice; the second member is never shown.
    verbs.append(Annotated[None, tyro.conf.Suppress])
    choice: Any = Union[tuple(verbs)]  # noqa: UP007 - its members are known at run time only
    return tyro.cli(
        choice,
        prog=called,
        description=group.summary,
        args=arguments,
        config=(
            tyro.conf.OmitSubcommandPrefixes,
            tyro.conf.OmitArgPrefixes,
            tyro.conf.FlagCreatePairsOff,
        ),
    )


def _described(verb: "type[Verb] | Group", whole: bool) -> str:
    """One line in the list of verbs; examples and all in the verb's own help."""
    if isinstance(verb, Group):
        return verb.summary
    text = getdoc(verb) or ""
    return text if whole else text.splitlines()[0]


if __name__ == "__main__":
    sys.exit(main())
