"""Phases of an RT-2 run: when they begin and end, as its recipe and its log tell.

step   0 ──────────── 4,000 ──────────────────────── 12,000
phase  0: web         1: robot, web
                      └─ phase 0's gate opened at the evaluation of step 4,000
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sayact.data.mixture import check_weight
from sayact.experiments.rt2_recipe import SOURCES, WEB, Phase, RT2Recipe
from sayact.models.checkpoint import latest_checkpoint, read_checkpoint, saved_steps
from sayact.schema.errors import SayactError, UnknownNameError
from sayact.train.log import RunLog, read_log
from sayact.train.loop import Evaluator


def check_phases(recipe: RT2Recipe) -> None:
    """Phases that no step can be trained in, found before anything is drawn or collected."""
    ends = [phase.until for phase in recipe.rounds]
    if not ends or ends != sorted(set(ends)) or ends[-1] != recipe.train.steps:
        raise SayactError(
            f"the phases of {recipe.name} end at steps {ends}; each must end after the one before, "
            f"and the last with the run, at step {recipe.train.steps}"
        )
    collected = False
    for phase in recipe.rounds:
        collected |= phase.episodes > 0
        for name, weight in phase.mixture.items():
            if name not in SOURCES:
                raise UnknownNameError("source of a mixture", name, SOURCES)
            check_weight(name, weight)
            if name != WEB and not collected:
                raise SayactError(f"a phase learns from {name!r} before any has collected episodes")
        if not phase.mixture:
            raise SayactError(
                f"the phase to step {phase.until} learns from nothing; there are: "
                f"{', '.join(SOURCES)}"
            )


def next_stop(recipe: RT2Recipe, phase: Phase, out: Path, start: int) -> int | None:
    """Up to which step to train before the phase's gate is looked at again; None: it is over."""
    done = max(saved_steps(out), default=0)
    end = ended(phase, read_log(out), start)
    if done >= end:
        return None
    every = recipe.train.evaluate_every
    return end if phase.gate is None else min(end, (done // every + 1) * every)


def ended(phase: Phase, log: Sequence[dict[str, Any]], start: int) -> int:
    """The step at which a phase that began at `start` ended, or will at the latest."""
    gate = phase.gate
    opened = (
        row["step"]
        for row in log
        if gate is not None
        and start < row["step"] <= phase.until
        and row.get(gate.number, -1.0) >= gate.at_least
    )
    return next(opened, phase.until)


def note_phase(
    out: Path, number: int, phase: Phase, start: int, say: Callable[[str], None]
) -> None:
    """A line of the log where a phase begins."""
    total = sum(phase.mixture.values())
    shares = ", ".join(f"{name} {weight / total:.0%}" for name, weight in phase.mixture.items())
    until = "" if phase.gate is None else f" or {phase.gate.number} {phase.gate.at_least:g}"
    text = f"phase {number}: {shares}; to step {phase.until}{until}"
    if max(saved_steps(out), default=0) > start or text in (r.get("note") for r in read_log(out)):
        return
    say(text)
    log = RunLog(out, start)
    log.note(start, text)
    log.close()


def look_at_gate(
    recipe: RT2Recipe, phase: Phase, out: Path, start: int, measured: Sequence[Evaluator]
) -> None:
    """See that the number of a phase's gate stands in the log where it should.

    A run that was killed between a checkpoint and its evaluation measures it now. Raises
    SayactError where evaluations measure no such number: the gate would never open.
    """
    done, gate = max(saved_steps(out), default=0), phase.gate
    if gate is None or done <= start or done % recipe.train.evaluate_every:
        return
    rows = [row for row in read_log(out) if row["step"] == done]
    if any(gate.number in row for row in rows):
        return
    folder = latest_checkpoint(out)
    assert folder is not None  # done > 0
    content, log = read_checkpoint(folder), RunLog(out, done)
    found: dict[str, float] = {}
    for evaluator in measured:
        found |= (line := evaluator(content, done))
        log.write(done, line)
    log.close()
    if gate.number not in found:
        raise SayactError(
            f"a gate waits for {gate.number!r}, which is not measured here; there are: "
            f"{', '.join(sorted(found)) or 'no numbers'}. Change the gate in the recipe, or learn "
            "from pictures and questions that it can be measured on."
        )
