"""Closed-loop evaluation: many episodes of every task family or suite, and what they add up to.

evaluate("rt1-nano")  ─▶  jobs: policy × part × index  ─▶  workers  ─▶  Evaluation
                                                                        ├ families: rate, interval
                                                                        └ beside: random, oracle

A part is a family of tasks, whose starts the world draws, or a suite, which gives them.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sayact.envs import make_env
from sayact.evals.evaluation import Evaluation, Protocol
from sayact.evals.jobs import Conditions, Job, open_stage
from sayact.evals.pool import run_tasks
from sayact.evals.provenance import policy_title, provenance
from sayact.evals.rollouts import EpisodeResult, check_fits
from sayact.evals.suites.catalogue import SUITES
from sayact.evals.videos import film_path
from sayact.policies.loading import checkpoint_folder
from sayact.policies.policy import Attached, Policy
from sayact.policies.remote import RemotePolicy
from sayact.policies.weights import weights_digest
from sayact.schema.errors import SayactError, UnknownNameError


def evaluate(
    policy: str | Path | Policy,
    protocol: Protocol | None = None,
    *,
    workers: int = 2,
    beside: Sequence[str] = ("random", "oracle"),
    videos: Path | None = None,
    videos_each: int = 2,
    progress: bool = True,
    device: str = "cpu",
    engine: str | None = None,
    plan_every: int | None = None,
) -> Evaluation:
    """Play `protocol` with `policy`, and with the policies `beside` it on the same starts.

    A name or path is loaded by every worker for itself; a policy that is already an object, or
    `workers=0`, plays in this process. The result is the same for any number of workers. Called
    from a script with workers, it must stand under `if __name__ == "__main__":`, as with all of
    Python's spawned processes. `videos` is a folder for films of the first `videos_each` episodes
    of every part. Policies that are networks are computed on `device` by `engine`, as
    `load_policy` takes them; `plan_every` is for `policy` alone.

    The official script draws a start anew until its oracle finds a plan for it. Here every start
    that the task accepts counts: the few without a plan count against every policy, the oracle too.
    """
    protocol = protocol or Protocol()
    _check(protocol)
    conditions = Conditions(protocol=protocol, device=device, engine=engine)
    if isinstance(policy, str | Path):
        conditions = replace(conditions, plans={str(policy): plan_every})
        policies = {str(policy): conditions.load(str(policy))}
    else:
        policies, workers = {type(policy).__name__: policy}, 0
    policies |= {name: conditions.load(name) for name in beside if name not in policies}
    _refuse_misfits(policies.values(), conditions)

    # Read now: the code that plays is this commit's, whatever is committed meanwhile.
    played = next(iter(policies.values()))
    made = provenance() | {"computed_by": _computed_by(played, device, engine)}
    digests = {who: {"weights": weights} for who in policies if (weights := weights_of(who))}
    jobs = _jobs(tuple(policies), protocol, videos, videos_each)
    if videos is not None:
        _forget_films(videos, jobs)
    started = time.perf_counter()
    # Other processes load the policies for themselves.
    stage = partial(open_stage, conditions, policies if workers == 0 else None)
    answers = run_tasks(stage, jobs, workers)
    results = dict(_watched(answers, jobs, progress))
    seconds = time.perf_counter() - started

    if plan_every is not None:
        made |= {"plan_every": str(plan_every)}
    if protocol.suites:
        versions = (f"{suite} {SUITES[suite].version}" for suite in protocol.suites)
        made |= {"suite_versions": ", ".join(versions)}
    date = datetime.now(UTC).isoformat(timespec="seconds")
    evaluations = [
        Evaluation(
            policy=who,
            protocol=protocol,
            episodes=tuple(results[job] for job in jobs if job.policy == who),
            provenance=made | digests.get(who, {}),
            date=date,
            seconds=seconds,
        )
        for who in policies
    ]
    return replace(evaluations[0], beside=tuple(evaluations[1:]))


def weights_of(policy: str) -> str | None:
    """The digest of a policy's weights; None where it has none, or none on this machine."""
    try:
        return weights_digest(checkpoint_folder(policy))
    except (SayactError, OSError):
        return None


def _computed_by(policy: Policy, device: str, engine: str | None) -> str:
    """What ran the network; a server does not say on what."""
    if isinstance(policy, RemotePolicy):
        return f"a server of {policy.client.metadata.get('policy', 'its own policy')}"
    return f"{engine or 'the default engine'} on {device}"


def _jobs(
    names: Sequence[str], protocol: Protocol, videos: Path | None, videos_each: int
) -> list[Job]:
    """Every episode of every policy; the first ones of a part are filmed."""

    def film(name: str, part: str, index: int) -> Path | None:
        if videos is None or index >= videos_each:
            return None
        return film_path(videos, name, part, index)

    return [
        Job(policy=name, family=part, index=index, video=film(name, part, index))
        for name in names
        for part in protocol.parts
        for index in range(protocol.episodes)
    ]


def _forget_films(videos: Path, jobs: Sequence[Job]) -> None:
    """Films that an earlier evaluation left under these episodes' names would pass for theirs."""
    for job in jobs:
        film_path(videos, job.policy, job.family, job.index).unlink(missing_ok=True)


def _check(protocol: Protocol) -> None:
    steps = protocol.max_steps
    if protocol.episodes < 1 or not protocol.parts or (steps is not None and steps < 1):
        raise SayactError(
            f"nothing to evaluate: {len(protocol.parts)} families or suites, {protocol.episodes} "
            f"episodes{'' if steps is None else f', {steps} steps'}; each must be at least 1."
        )
    for suite in protocol.suites:
        if suite not in SUITES:
            raise UnknownNameError("suite", suite, SUITES)


def _refuse_misfits(policies: Iterable[Policy], conditions: Conditions) -> None:
    """Find unknown names and a wrong action space here, before any worker starts."""
    env = make_env(conditions.protocol.world, **conditions.world(*conditions.protocol.parts))
    for policy in policies:
        if not isinstance(policy, Attached):
            check_fits(policy, env)
    env.close()


def _watched(
    answers: Iterable[tuple[Job, EpisodeResult]], jobs: Sequence[Job], progress: bool
) -> Iterable[tuple[Job, EpisodeResult]]:
    """Pass the answers on under one bar a policy, with its running success."""
    columns = (
        TextColumn("{task.description:>12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("success {task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not progress) as bars:
        totals = {
            who: [j.policy for j in jobs].count(who)
            for who in dict.fromkeys(j.policy for j in jobs)
        }
        bar = {
            who: bars.add_task(policy_title(who), total=n, rate="–") for who, n in totals.items()
        }
        won, played = dict.fromkeys(totals, 0), dict.fromkeys(totals, 0)
        for job, result in answers:
            won[job.policy] += result.success
            played[job.policy] += 1
            rate = f"{100 * won[job.policy] / played[job.policy]:.0f} %"
            bars.update(bar[job.policy], advance=1, rate=rate)
            yield job, result
