"""What an experiment leaves: a JSON with every outcome, figures, and a page that is made of them.

OUT/papers-on-a-desk.json     outcomes of all starts, what is claimed, steps, hours, provenance
OUT/papers-on-a-desk.md       the page; its tables and verdicts are computed from the JSON
OUT/papers-on-a-desk/*.png    the papers' bar charts, ours beside them
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sayact.config import to_json
from sayact.evals.findings import Played
from sayact.evals.findings_tables import judged
from sayact.evals.provenance import provenance
from sayact.evals.suites.catalogue import SUITES
from sayact.evals.tables import fill
from sayact.experiments.episodes import Chosen
from sayact.experiments.papers.arms import Arm
from sayact.experiments.papers.figures import ABLATED, draw_figures
from sayact.experiments.papers.findings import FINDINGS
from sayact.experiments.papers.players import Player
from sayact.experiments.papers.playing import Round, outcomes, read_round
from sayact.experiments.papers.suites import ABLATION_SUITES, equal
from sayact.experiments.papers.training import Workshop
from sayact.schema.errors import SayactError
from sayact.train.log import read_log

NAME = "papers-on-a-desk"
REFERENCES = {"rt1": "rt1-micro", "rt2": "co-fine-tuned"}  # what an ablation is compared with
SHOWN_BY_WEB = tuple(s for s in ABLATION_SUITES if s in ("symbols", "matching", "categories"))
CAPTIONS = {
    "generalisation": (
        "What is unseen",
        "Success in percent. Objects, backgrounds and environments are means of easy and hard.",
    ),
    "emergent": (
        "What only the web showed",
        "Success in percent. The mean is that of the three categories.",
    ),
    "training": (
        "How it was trained, and how large it is",
        "Success in percent, unseen: left the mean of six columns, right of the four suites of "
        "these that ablations play.",
    ),
    "data": (
        "How much robot data, and how diverse",
        "Success in percent of RT-2, co-fine-tuned; unseen as in the figure before.",
    ),
}


def write_page(
    workshop: Workshop, arms: Sequence[Arm], players: Sequence[Player], rounds: Sequence[Round]
) -> Path:
    """Write all three from what was trained and played; the page."""
    out, played = workshop.out, outcomes(rounds, workshop.out)
    if not played:
        raise SayactError(f"nothing has been played in {out} yet: there is nothing to report")
    measured = measured_of(workshop, arms, players, rounds, played)
    figures = draw_figures(played, out / NAME)
    (out / f"{NAME}.json").write_text(json.dumps(measured, indent=1) + "\n")
    page = out / f"{NAME}.md"
    page.write_text(fill(page_text(measured, [f.name for f in figures]), out))
    return page


def measured_of(
    workshop: Workshop,
    arms: Sequence[Arm],
    players: Sequence[Player],
    rounds: Sequence[Round],
    played: Played,
) -> dict[str, Any]:
    """The JSON."""
    plan, made = workshop.plan, provenance()
    done = [
        read_round(one, workshop.out)
        for one in rounds
        if one.suite in played.get(one.player.name, {})
    ]
    return {
        **made,
        "commits": sorted({one.provenance["commit"] for one in done}),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": plan.seed,
        "robot_data": {
            "given": [folder.name for folder in workshop.materials.data],
            "episodes": workshop.materials.episodes(Chosen(without=plan.held_out)),
        },
        "suites": {one.suite: SUITES[one.suite].version for one in rounds},
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
        "players": {player.name: player.title for player in players},
        "elsewhere": [player.name for player in players if player.learned == "elsewhere"],
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


def page_text(measured: Mapping[str, Any], figures: Sequence[str]) -> str:
    """The page, with an empty place for its tables."""
    return (
        "\n\n".join(
            [
                "# The papers' findings on a desk",
                _claim(measured),
                f"<!-- results:begin {NAME} -->\n<!-- results:end -->",
                *(
                    f"### {title}\n\n![{title}]({NAME}/{name})\n\n{told}"
                    for name in figures
                    for title, told in [CAPTIONS[Path(name).stem]]
                ),
                "## How it was done",
                *_told(measured),
                "## What a reader must know",
                _caveats(measured),
            ]
        )
        + "\n"
    )


def _claim(measured: Mapping[str, Any]) -> str:
    words = [verdict.word for _, verdict in judged(measured) if verdict.word != "not measured"]
    counts = {word: words.count(word) for word in ("held", "did not hold", "not distinguishable")}
    return (
        f"**Claim.** Of {len(words)} claims, all but one from the RT-1 and RT-2 papers, that were "
        f"put to the test with networks of a few million parameters, {counts['held']} held, "
        f"{counts['did not hold']} did not hold, and {counts['not distinguishable']} could not be "
        "told from no difference. Every verdict below is computed from the intervals."
    )


def _told(measured: Mapping[str, Any]) -> list[str]:
    plan, hours = measured["plan"], measured["hours"]
    titles = {arm["name"]: arm["title"] for arm in measured["arms"]}
    arms = "\n".join(
        f"| {arm['title']} | {arm['steps']:,} | {arm['hours']:.2f} | "
        f"{titles.get(arm['start'], arm['start'] or '')} | {arm['given'] or ''} |"
        for arm in measured["arms"]
    )
    robot = measured["robot_data"]
    source = f"of {', '.join(robot['given'])} (given)" if robot["given"] else "of the oracle"
    pairs = ", ".join(f"{f} × {b.replace('_', ' ')}" for f, b in plan["held_out"])
    return [
        f"**Command.**\n\n```\n{measured['command']}\n```",
        f"**Commit.** `{measured['commit']}`; suites were played at "
        f"{', '.join(f'`{commit}`' for commit in measured['commits'])}.",
        f"**Hardware.** {measured['hardware']}; {plan['workers']} runs side by side, one thread "
        "each.",
        f"**Hours.** Of one thread: {hours['training']} for training, {hours['playing']} for "
        f"playing; planned for {plan['hours']:g} on the clock.",
        f"**Seeds.** {measured['seed']} for everything; demonstrations and starts come from "
        "streams of their own.",
        f"**Data.** {robot['episodes']:,} episodes {source}, eight blocks, seven families; all "
        f"about the held-out pairs are left out already ({pairs}). The embedded web: "
        f"{plan['pictures']:,} tables and {plan['pages']:,} pages, "
        "unless one was given.",
        "| arm | steps of 96 | hours of one thread | begins with | given |\n"
        f"| --- | ---: | ---: | --- | --- |\n{arms}",
    ]


def _caveats(measured: Mapping[str, Any]) -> str:
    lines = [
        "One seed of training for every arm: the intervals are those of the starts alone.",
        "Ablations of RT-2 have fewer steps than the main arm, all of them the same number, and "
        "all ablations play some of the suites. They tell apart what they differ in, and not how "
        "good it can get.",
        "No suite but *pairs* asks for held-out pairs of skill and block.",
        "A ratio's interval is a bootstrap over starts; a difference's is Agresti and Min's, put "
        "together over suites; p is McNemar's exact test, in which all starts count alike. Where "
        "suites have weights, or close to the edge, the two may disagree; verdicts go by the "
        "interval.",
        "Every verdict has its own 5 % of error: of so many, one may be by luck.",
    ]
    if elsewhere := measured["elsewhere"]:
        names = ", ".join(f"`{name}`" for name in elsewhere)
        lines.append(
            f"Not trained by this experiment: {names}. Whether their data held the held-out pairs "
            "is not known here."
        )
    return "\n".join(f"- {line}" for line in lines)


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
