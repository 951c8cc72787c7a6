"""The whole experiment: plan, materials, training, playing, page. Each goes on where it stopped."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from sayact.evals.provenance import policy_title
from sayact.experiments.papers.arms import Arm, needed
from sayact.experiments.papers.materials import Materials, prepare
from sayact.experiments.papers.measured import NAME, read_earlier
from sayact.experiments.papers.page import write_page
from sayact.experiments.papers.plan import PLAN, Plan, keep_plan, make_plan, tiny_plan, with_starts
from sayact.experiments.papers.players import Player, players_of
from sayact.experiments.papers.playing import missing_rounds, play_rounds, rounds_of
from sayact.experiments.papers.progress import bars, watching
from sayact.experiments.papers.speed import Speed, measure_speed
from sayact.experiments.papers.training import Workshop, train_arms
from sayact.policies.loading import BASELINES, checkpoint_folder
from sayact.schema.errors import SayactError

TINY_ARMS = ("rt1", "rt2", "fine-tuned", "co-fine-tuned", "frozen")
# Where a plan is there already.
UNMEASURED = Speed(rt1=1.0, rt1_micro=1.0, nano=1.0, micro=1.0, pico=1.0)


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was asked for.

    data, web: what is learned from, instead of what would be made. arms: only these and what they
    begin with. trained: arms that are taken as they are, by the name of a policy or a folder.
    beside: policies that play what the main arms do. earlier: JSONs of runs that stand on the page
    too; who has played in them is not played again. starts: of every suite, instead of what the
    budget buys.
    """

    out: Path
    hours: float
    data: tuple[Path, ...] = ()
    web: tuple[Path, ...] = ()
    arms: tuple[str, ...] = ()
    trained: tuple[tuple[str, str], ...] = ()
    beside: tuple[str, ...] = ()
    earlier: tuple[Path, ...] = ()
    workers: int = 2
    seed: int = 0
    starts: int | None = None
    tiny: bool = False


def run(options: Options, console: Console) -> dict[str, Any]:
    """Do what is missing and write the page; where it is."""
    for policy in (*dict(options.trained).values(), *options.beside):
        if policy not in BASELINES:
            checkpoint_folder(policy)  # what is not there is found now, not after hours
    earlier = read_earlier(
        options.earlier, {"seed": options.seed, "tiny": options.tiny}, options.out
    )
    before = {name for one in earlier for name in one["played"]}
    arms = asked_arms(options, before)
    check_used(options, arms, before)
    plan = planned(options, arms, console)
    if options.starts is not None:
        plan = with_starts(plan, options.starts, arms, len(options.beside))
    materials = Materials(out=options.out, data=options.data, web=options.web)
    workshop = Workshop(
        out=options.out, plan=plan, materials=materials, trained=dict(options.trained)
    )
    everyone = players_of(workshop, arms, options.beside)
    players = tuple(player for player in everyone if player.name not in before)
    rounds = rounds_of(players, plan)
    console.print(plan_table(workshop, arms, players))
    train(workshop, arms, console)
    play(workshop, players, console)
    page = write_page(workshop, arms, players, rounds, earlier)
    console.print(f"page: {page}", soft_wrap=True)
    return {"experiment": NAME, "page": page, "measured": page.with_suffix(".json")}


def asked_arms(options: Options, before: Collection[str]) -> tuple[Arm, ...]:
    """What is to be trained: whoever was asked for and has not played `before`, and what they begin
    with."""
    trained = dict(options.trained)
    asked = needed(options.arms or (TINY_ARMS if options.tiny else ()), trained)
    wanted = [
        one.name
        for one in asked
        if one.name not in before and (one.model != "web" or one.name in options.arms)
    ]
    if before and not wanted:
        raise SayactError(
            "all that is asked for has been played in what --earlier names; ask for other --arms"
        )
    return needed(wanted, trained)


def check_used(options: Options, arms: Sequence[Arm], before: Collection[str]) -> None:
    """Refuse what would be ignored: arms that are given and not asked for, names taken twice."""
    unused = sorted(set(dict(options.trained)) - {one.name for one in arms})
    if unused:
        raise SayactError(
            f"{', '.join(unused)} is given from elsewhere, and nothing that is asked for needs it"
        )
    taken = sorted({policy_title(policy) for policy in options.beside} & set(before))
    if taken:
        raise SayactError(
            f"{', '.join(taken)} stands in what --earlier names; leave it out of --beside"
        )


def planned(options: Options, arms: Sequence[Arm], console: Console) -> Plan:
    """The plan that the folder has, or a new one by the speed of this machine."""
    if options.tiny:
        return keep_plan(tiny_plan(options.workers, options.seed, arms), options.out)
    known = (options.out / PLAN).exists()
    if not known:
        console.print("measuring how fast this machine trains …")
    trained = dict(options.trained)
    given = {"data": options.data, "web": options.web}
    plan = make_plan(
        arms,
        UNMEASURED if known else measure_speed(options.workers),
        hours=options.hours,
        workers=options.workers,
        seed=options.seed,
        given=trained,
        beside=len(options.beside),
        made=[name for name, folders in given.items() if folders],
    )
    return keep_plan(plan, options.out)


def plan_table(workshop: Workshop, arms: Sequence[Arm], players: Sequence[Player]) -> Table:
    """What will be done, before it is begun."""
    plan = workshop.plan
    expected = sum(plan.seconds.values()) / max(plan.workers, 1) / 3600
    table = Table(
        title=f"{NAME}: {plan.hours:.3g} h with {plan.workers} processes",
        caption=f"{_made(workshop)}; about {expected:.1f} h expected",
    )
    for heading in ("arm or player", "begins with", "steps", "done", "suites", "starts of each"):
        table.add_column(heading, justify="left" if heading.startswith(("arm", "beg")) else "right")
    playing = {player.name: player for player in players}
    for arm in arms:
        given = workshop.trained.get(arm.name)
        player = playing.pop(arm.name, None)
        table.add_row(
            arm.name,
            arm.start or "",
            "given" if given else f"{workshop.steps(arm):,}",
            "" if given else f"{workshop.done(arm):,}",
            *_plays(plan, player),
        )
    for player in playing.values():
        table.add_row(player.name, "", "", "", *_plays(plan, player))
    return table


def _made(workshop: Workshop) -> str:
    plan, materials = workshop.plan, workshop.materials
    robot = "given" if materials.data else f"{plan.episodes:,}"
    web = "given" if materials.web else f"{plan.pictures + plan.pages:,}"
    return f"demonstrations: {robot}; pictures of the web: {web}"


def train(workshop: Workshop, arms: Sequence[Arm], console: Console) -> None:
    """Every arm to its end."""
    missing = workshop.missing(arms)
    if not missing:
        return
    prepare(workshop.materials, workshop.plan, missing, console)
    with watching(workshop, missing, console):
        for name in train_arms(workshop, missing):
            console.print(f"{name}: trained")


def play(workshop: Workshop, players: Sequence[Player], console: Console) -> None:
    """Every player on all of its suites."""
    rounds = missing_rounds(rounds_of(players, workshop.plan), workshop.out)
    starts = sum(one.starts for one in rounds)
    with bars(console) as shown:
        whole = shown.add_task("playing", total=starts, state="")
        done = 0
        for number, one in enumerate(play_rounds(rounds, workshop.out, workshop.plan.workers), 1):
            done += one.starts
            state = f"{number} of {len(rounds)} suites; {one.player.name}, {one.suite}"
            shown.update(whole, completed=done, state=state)


def _plays(plan: Plan, player: Player | None) -> tuple[str, str]:
    if player is None:
        return "", ""
    return str(len(plan.suites_of(player.tier, player.model))), str(plan.starts_of(player.tier))
