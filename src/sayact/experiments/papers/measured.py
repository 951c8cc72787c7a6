"""What was measured, as JSON: of this run of the experiment, and of earlier ones beside it.

    runs      how each was made: command, commits, hardware, plan, arms, hours; the earliest first
    players   name → title; main, ablations: who stands in which table
    played    player → suite → "0110…", one digit a start
    findings  what is claimed, of whom, over which suites

A large experiment need not be one run: ablations may be trained next week, on another machine.
Starts are functions of the seed, so that players of different runs have played the same ones.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sayact.config import to_json
from sayact.evals.findings import Played
from sayact.evals.provenance import provenance
from sayact.evals.suites.catalogue import SUITES
from sayact.experiments.episodes import Chosen
from sayact.experiments.papers.arms import Arm
from sayact.experiments.papers.figures import ABLATED
from sayact.experiments.papers.findings import FINDINGS
from sayact.experiments.papers.players import Player
from sayact.experiments.papers.playing import Round, read_round
from sayact.experiments.papers.suites import SHOWN_BY_WEB, equal
from sayact.experiments.papers.training import Workshop
from sayact.schema.errors import SayactError
from sayact.train.log import read_log

NAME = "papers-on-a-desk"
KEYS = ("seed", "suites", "runs", "players", "main", "ablations", "references", "played")
REFERENCES = {"rt1": "rt1-micro", "rt2": "co-fine-tuned"}  # what an ablation is compared with

Measured = Mapping[str, Any]


def measured_of(
    workshop: Workshop,
    arms: Sequence[Arm],
    players: Sequence[Player],
    rounds: Sequence[Round],
    played: Played,
) -> dict[str, Any]:
    """The JSON of one run."""
    made = {**provenance(), "date": datetime.now(UTC).isoformat(timespec="seconds")}
    return {
        **made,
        "seed": workshop.plan.seed,
        "suites": {one.suite: SUITES[one.suite].version for one in rounds},
        "runs": [{**made, **_run(workshop, arms, players, rounds, played)}],
        "players": {player.name: player.title for player in players},
        "main": [player.name for player in players if player.tier != "ablation"],
        "ablations": [player.name for player in players if player.tier == "ablation"],
        "references": {
            player.name: REFERENCES[player.model]
            for player in players
            if player.model in REFERENCES and player.tier == "ablation"
        },
        "groups": {"seen": equal("seen"), "unseen": ABLATED, "emergent": equal(*SHOWN_BY_WEB)},
        "findings": [to_json(finding) for finding in FINDINGS],
        "played": {
            player: {
                suite: "".join("01"[won] for won in outcomes) for suite, outcomes in suites.items()
            }
            for player, suites in played.items()
        },
    }


def _run(
    workshop: Workshop,
    arms: Sequence[Arm],
    players: Sequence[Player],
    rounds: Sequence[Round],
    played: Played,
) -> dict[str, Any]:
    """How it was made."""
    plan = workshop.plan
    done = [
        read_round(one, workshop.out)
        for one in rounds
        if one.suite in played.get(one.player.name, {})
    ]
    return {
        "commits": sorted({one.provenance["commit"] for one in done}),
        "robot_data": {
            "given": [folder.name for folder in workshop.materials.data],
            "episodes": workshop.materials.episodes(Chosen(without=plan.held_out)),
        },
        "plan": to_json(plan),
        "hours": {
            "training": round(sum(_trained_hours(workshop, arm) for arm in arms), 2),
            "playing": round(sum(one.seconds for one in done) / 3600, 2),
        },
        "arms": [
            {
                **to_json(arm),
                "steps": workshop.done(arm),
                "hours": round(_trained_hours(workshop, arm), 3),
                "given": workshop.trained.get(arm.name),
            }
            for arm in arms
        ],
        "elsewhere": [player.name for player in players if player.learned == "elsewhere"],
    }


def _trained_hours(workshop: Workshop, arm: Arm) -> float:
    """Of one thread, by the log of its run: pictures over pictures a second."""
    if arm.name in workshop.trained:
        return 0.0
    seconds, before = 0.0, 0
    for row in read_log(workshop.folder(arm.name)):
        if rate := row.get("frames_per_second"):
            seconds += (row["step"] - before) * workshop.frames_a_step(arm) / rate
            before = row["step"]
    return seconds / 3600


def read_earlier(files: Sequence[Path], options: Mapping[str, Any], out: Path) -> list[Measured]:
    """Earlier runs' JSONs.

    options: the seed and `tiny` of this run, which theirs must be too. Raises SayactError for what
    is no such JSON, is this run's own, or played other starts.
    """
    return [_read(file, options, out) for file in files]


def _read(file: Path, options: Mapping[str, Any], out: Path) -> Measured:
    if file.resolve() == (out / f"{NAME}.json").resolve():
        raise SayactError(
            f"{file} is what this run itself writes; an earlier run stands in another folder"
        )
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        missing = [key for key in KEYS if key not in found]
        if missing:
            raise ValueError(f"without {', '.join(missing)}")
        other = [s for s, v in found["suites"].items() if s not in SUITES or SUITES[s].version != v]
        theirs = [("seed", found["seed"])] + [
            ("tiny", run["plan"]["tiny"]) for run in found["runs"]
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SayactError(
            f"{file} is no JSON that this version of `sayact experiment {NAME}` writes: {error}"
        ) from error
    for name, value in theirs:
        if value != options[name]:
            raise SayactError(f"{file} was played with {name} {value}, not {options[name]}")
    if other:
        raise SayactError(f"{file} was played on other versions of {', '.join(other)}")
    return found


def together(earlier: Sequence[Measured], latest: Measured) -> dict[str, Any]:
    """All runs as one. Whoever played twice stands as the later run has it."""
    parts = [*earlier, latest]
    runs: list[Any] = []
    for part in parts:
        runs += [run for run in part["runs"] if run not in runs]
    return {
        **latest,
        "runs": runs,
        "main": list(dict.fromkeys(name for part in parts for name in part["main"])),
        "ablations": list(dict.fromkeys(name for part in parts for name in part["ablations"])),
        **{
            key: {name: value for part in parts for name, value in part[key].items()}
            for key in ("suites", "players", "references", "played")
        },
    }
