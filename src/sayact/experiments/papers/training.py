"""Training of all arms: two runs side by side, one thread each, those first that others wait for.

    wave 0   web stages, RT-1, from scratch      ─▶ OUT/arms/NAME, a training run like any other
    wave 1   what begins with one of them
    wave 2   what begins with one of those

How far each has come stands in its own log; a run that was stopped goes on.
"""

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sayact.evals.pool import WorkerDiedError, parent_lives, run_tasks
from sayact.experiments import rt2_runs, runs
from sayact.experiments.papers.arms import Arm
from sayact.experiments.papers.materials import Materials, sees_web
from sayact.experiments.papers.plan import Plan
from sayact.experiments.papers.recipes import recipe_of
from sayact.experiments.recipe import Recipe
from sayact.experiments.rt2_sources import Given
from sayact.models.checkpoint import saved_steps

ARMS_FOLDER = "arms"
LOCK = "lock"


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """An experiment's folder and plan. trained: arms that are taken as they are, from elsewhere."""

    out: Path
    plan: Plan
    materials: Materials
    trained: dict[str, str] = field(default_factory=dict[str, str])

    def folder(self, name: str) -> Path:
        """Of an arm's run."""
        return self.out / ARMS_FOLDER / name

    def policy(self, name: str) -> str:
        """What to load an arm's policy by: the run's folder, or what was given for it."""
        return self.trained.get(name) or str(self.folder(name))

    def done(self, arm: Arm) -> int:
        """Steps that its newest checkpoint has behind it."""
        return max(saved_steps(self.folder(arm.name)), default=0)

    def steps(self, arm: Arm) -> int:
        """Steps that it is to be trained for; those of a tiny run are its recipe's."""
        return recipe_of(arm, self.plan).train.steps

    def frames_a_step(self, arm: Arm) -> int:
        """Pictures that one of its steps learns from."""
        return recipe_of(arm, self.plan).train.frames_a_step

    def missing(self, arms: Sequence[Arm]) -> tuple[Arm, ...]:
        """Arms that are not trained to their end."""
        return tuple(
            arm for arm in arms if arm.name not in self.trained and self.done(arm) < self.steps(arm)
        )


def train_arms(workshop: Workshop, arms: Sequence[Arm]) -> Iterator[str]:
    """Train what is missing; the name of each arm as it is done."""
    missing = workshop.missing(arms)
    while missing:
        waiting = {arm.name for arm in missing}
        wave = [arm for arm in missing if arm.start not in waiting]
        # The longest first, so that no process is left alone with it in the end.
        wave.sort(key=workshop.plan.seconds_of, reverse=True)
        for trained, _ in run_tasks(partial(_trainer, workshop), wave, workshop.plan.workers):
            yield trained.name
        missing = tuple(arm for arm in missing if arm not in wave)


@contextmanager
def _trainer(workshop: Workshop) -> Iterator[Callable[[Arm], None]]:
    yield partial(train_arm, workshop)


def train_arm(workshop: Workshop, arm: Arm) -> None:
    """One run, from its start or from where it was stopped."""
    recipe, materials = recipe_of(arm, workshop.plan), workshop.materials
    out = workshop.folder(arm.name)
    data = () if arm.model == "web" else materials.robot_caches()
    with alone_in(out):
        if isinstance(recipe, Recipe):
            runs.run(recipe, out=out, data=data, resume=True, workers=0, progress=stop_if_orphan)
            return
        given = Given(
            data=data,
            web=materials.web_of(arm) if sees_web(arm) else (),
            init=Path(workshop.policy(arm.start)) if arm.start else None,
            cache=materials.cache_of(arm),
        )
        rt2_runs.run(recipe, out=out, given=given, resume=True, workers=0, progress=stop_if_orphan)


def stop_if_orphan(step: int, values: dict[str, float]) -> None:
    """Training's `progress`: nobody would wait for a run whose experiment was killed."""
    if not parent_lives():
        raise WorkerDiedError(f"the experiment was stopped; this run has come to step {step}")


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait until no other process trains here: one whose experiment was killed stops soon."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # released when the file is closed
        yield
