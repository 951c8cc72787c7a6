"""What is going on, read from the files that runs leave: one line in all, one for each at work."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from sayact.experiments.papers.arms import Arm
from sayact.experiments.papers.training import Workshop
from sayact.train.log import read_log

LOOK_SECONDS = 2.0  # between two looks into the logs


@contextmanager
def watching(workshop: Workshop, arms: Sequence[Arm], console: Console) -> Iterator[None]:
    """A bar of all planned seconds with the time that is left, while arms are trained."""
    stop = threading.Event()
    with bars(console) as shown:
        thread = threading.Thread(target=_watch, args=(workshop, arms, shown, stop), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def bars(console: Console) -> Progress:
    """As every bar of this experiment looks."""
    return Progress(
        TextColumn("{task.description:>20}"),
        BarColumn(),
        TextColumn("{task.fields[state]}"),
        TimeRemainingColumn(),
        console=console,
    )


def _watch(workshop: Workshop, arms: Sequence[Arm], shown: Progress, stop: threading.Event) -> None:
    plan = workshop.plan
    total = sum(plan.seconds_of(arm) for arm in arms)
    whole = shown.add_task("training", total=total, state="")
    each: dict[str, TaskID] = {}
    last = False
    while not last:
        last = stop.is_set()  # a last look, at how it ended
        done = {arm.name: _steps_done(workshop, arm) for arm in arms}
        past = sum(plan.seconds_of(a) * done[a.name] / max(workshop.steps(a), 1) for a in arms)
        over = sum(done[arm.name] >= workshop.steps(arm) for arm in arms)
        shown.update(whole, completed=past, state=f"{over} of {len(arms)} arms")
        for arm in arms:
            steps = workshop.steps(arm)
            if 0 < done[arm.name] < steps and arm.name not in each:
                each[arm.name] = shown.add_task(arm.name, total=steps, state="")
            if arm.name in each:
                state = f"{done[arm.name]:,} of {steps:,} steps"
                shown.update(
                    each[arm.name],
                    completed=done[arm.name],
                    state=state,
                    visible=done[arm.name] < steps,
                )
        stop.wait(LOOK_SECONDS)


def _steps_done(workshop: Workshop, arm: Arm) -> int:
    """By its log, which is ahead of its checkpoints."""
    rows = read_log(workshop.folder(arm.name))
    return rows[-1]["step"] if rows else 0
