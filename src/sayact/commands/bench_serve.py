"""`sayact bench serve`: what the wire costs a robot, and how many robots a server feeds."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.console import Console
from tyro.conf import Positional, arg

from sayact.commands.verb import Outcome, Verb
from sayact.schema.errors import SayactError

if TYPE_CHECKING:
    from sayact.schema import Observation

MOMENTS = 16  # pictures that every robot shows in turn


@dataclass(frozen=True, kw_only=True)
class BenchServe(Verb):
    """Measure `sayact serve` over the loopback: overhead of a step, and robots at a time.

    The wire alone with a policy that costs nothing, and a checkpoint; then 1 to 32 robots that
    never pause, with batching and without. With a clone of github.com/Physical-Intelligence/openpi
    its server too, with the same policy. Three minutes; close other programs.

    For instance:

        sayact bench serve --json results/serve.json
        sayact bench serve rt2-nano --quick
        sayact bench serve --openpi ~/openpi
    """

    checkpoint: Annotated[Positional[str], arg(metavar="CHECKPOINT")] = "rt1-nano"
    """Policy to serve; one that takes Language-Table's pictures."""
    openpi: Annotated[Path | None, arg(metavar="DIR")] = None
    """Clone of openpi, to measure its published server beside ours."""
    quick: bool = False
    """Fewer robots and steps; half a minute."""

    def run(self, console: Console) -> Outcome:
        from sayact.evals.provenance import provenance
        from sayact.evals.serve_tables import terminal_tables
        from sayact.serve.bench import Effort, measure

        effort = Effort(steps=100, seconds=1.0, robots=(1, 4)) if self.quick else Effort()
        started = datetime.now(UTC).isoformat(timespec="seconds")
        with console.status("measuring") as status:
            found = measure(
                self.checkpoint,
                _moments(),
                effort,
                lambda what: status.update(f"measuring {what}"),
                openpi=self.openpi,
            )
        for table in terminal_tables(found):
            console.print(table)
        return Outcome(result={**found, "date": started, **provenance()})


def _moments() -> "list[Observation]":
    """What the camera of a table shows while the oracle pushes."""
    from sayact.envs import make_env, to_observation
    from sayact.policies.loading import load_policy
    from sayact.policies.policy import Attached

    env, oracle = make_env("language_table", seed=0), load_policy("oracle")
    if not isinstance(oracle, Attached):
        raise SayactError("the oracle acts where it is attached to a world")
    try:
        raw, _ = env.reset(seed=0)
        oracle.attach(env.unwrapped)  # pyright: ignore[reportArgumentType]
        oracle.reset()
        moments = [to_observation(raw)]
        while len(moments) < MOMENTS:
            raw, *_ = env.step(oracle.act(moments[-1]).values)
            moments.append(to_observation(raw))
    finally:
        env.close()
    return moments
