"""What an experiment leaves: a JSON with every outcome, figures, and a page that is made of them.

OUT/papers-on-a-desk.json     outcomes of all starts, see `papers.measured`
OUT/papers-on-a-desk.md       the page; its tables and verdicts are computed from the JSON
OUT/papers-on-a-desk/*.png    the papers' bar charts, ours beside them
"""

import json
from collections.abc import Sequence
from pathlib import Path

from sayact.data.layout import replace_file
from sayact.evals.findings_tables import judged, played_of
from sayact.evals.tables import fill
from sayact.experiments.papers.arms import Arm
from sayact.experiments.papers.figures import draw_figures
from sayact.experiments.papers.measured import NAME, Measured, measured_of, together
from sayact.experiments.papers.players import Player
from sayact.experiments.papers.playing import Round, outcomes
from sayact.experiments.papers.training import Workshop
from sayact.schema.errors import SayactError

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
    workshop: Workshop,
    arms: Sequence[Arm],
    players: Sequence[Player],
    rounds: Sequence[Round],
    earlier: Sequence[Measured] = (),
) -> Path:
    """Write all three from what was trained and played, here and `earlier`; the page."""
    out, played = workshop.out, outcomes(rounds, workshop.out)
    if not played:
        raise SayactError(f"nothing has been played in {out} yet: there is nothing to report")
    measured = together(earlier, measured_of(workshop, arms, players, rounds, played))
    figures = draw_figures(played_of(measured), out / NAME)
    replace_file(out / f"{NAME}.json", (json.dumps(measured, indent=1) + "\n").encode())
    page = out / f"{NAME}.md"
    replace_file(page, fill(page_text(measured, [f.name for f in figures]), out).encode())
    return page


def page_text(measured: Measured, figures: Sequence[str]) -> str:
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


def _claim(measured: Measured) -> str:
    words = [verdict.word for _, verdict in judged(measured) if verdict.word != "not measured"]
    counts = {word: words.count(word) for word in ("held", "did not hold", "not distinguishable")}
    return (
        f"**Claim.** Of {len(words)} claims, most of them from the RT-1 and RT-2 papers, that were "
        "put to the test with networks of at most three million parameters, "
        f"{counts['held']} held, {counts['did not hold']} did not hold, and "
        f"{counts['not distinguishable']} could not be told from no difference. Every verdict "
        "below is computed from the intervals."
    )


def _told(measured: Measured) -> list[str]:
    """How each run was made."""
    runs = measured["runs"]
    if len(runs) == 1:
        return _run_told(runs[0], measured["seed"])
    first = (
        f"This page puts {len(runs)} runs together, the earliest first. All played the same starts."
    )
    return [
        first,
        *(
            line
            for number, run in enumerate(runs, 1)
            for line in (f"### Run {number}", *_run_told(run, measured["seed"]))
        ),
    ]


def _run_told(run: Measured, seed: int) -> list[str]:
    plan, hours, robot = run["plan"], run["hours"], run["robot_data"]
    titles = {arm["name"]: arm["title"] for arm in run["arms"]}
    arms = "\n".join(
        f"| {arm['title']} | {arm['steps']:,} | {arm['hours']:.2f} | "
        f"{titles.get(arm['start'], arm['start'] or '')} | {arm['given'] or ''} |"
        for arm in run["arms"]
    )
    source = f"of {', '.join(robot['given'])} (given)" if robot["given"] else "of the oracle"
    pairs = ", ".join(f"{f} × {b.replace('_', ' ')}" for f, b in plan["held_out"])
    commits = ", ".join(f"`{commit}`" for commit in run["commits"])
    return [
        f"**Command.**\n\n```\n{run['command']}\n```",
        f"**Commit.** `{run['commit']}`, {run['date'][:10]}; suites were played at {commits}.",
        f"**Hardware.** {run['hardware']}; {plan['workers']} runs side by side, one thread each.",
        f"**Hours.** Of one thread: {hours['training']} for training, {hours['playing']} for "
        f"playing; planned for {plan['hours']:g} on the clock.",
        f"**Seeds.** {seed} for everything; demonstrations and starts come from streams of their "
        "own.",
        f"**Data.** {robot['episodes']:,} episodes {source}, eight blocks, seven families; all "
        f"about the held-out pairs are left out already ({pairs}). The embedded web: "
        f"{plan['pictures']:,} tables and {plan['pages']:,} pages, unless one was given.",
        "| arm | steps of 96 | hours of one thread | begins with | given |\n"
        f"| --- | ---: | ---: | --- | --- |\n{arms}",
    ]


def _caveats(measured: Measured) -> str:
    lines = [
        "One seed of training for every arm: the intervals are those of the starts alone.",
        "Ablations are networks of a third of the main arms' size or less, with fewer steps, and "
        "play some of the suites. They tell apart what they differ in, and not how good it can "
        "get.",
        *_unequal(measured),
        "No suite but *pairs* asks for held-out pairs of skill and block.",
        "A ratio's interval is a bootstrap over starts; a difference's is Agresti and Min's, put "
        "together over suites; p is McNemar's exact test, in which all starts count alike. Where "
        "suites have weights, or close to the edge, the two may disagree; verdicts go by the "
        "interval.",
        "Every verdict has its own 5 % of error: of so many, one may be by luck.",
    ]
    if elsewhere := [name for run in measured["runs"] for name in run["elsewhere"]]:
        names = ", ".join(f"`{name}`" for name in elsewhere)
        lines.append(
            f"Not trained by this experiment: {names}. Whether their data held the held-out pairs "
            "is not known here."
        )
    return "\n".join(f"- {line}" for line in lines)


def _unequal(measured: Measured) -> list[str]:
    """Ablations of one network that had unlike numbers of steps, as where runs come together."""
    steps: dict[str, dict[str, int]] = {}
    for run in measured["runs"]:
        for arm in run["arms"]:
            if arm["tier"] == "ablation":
                steps.setdefault(arm["model"], {})[arm["title"]] = arm["steps"]
    return [
        f"**Not all had as many steps**: {', '.join(f'{n} {s:,}' for n, s in each.items())}."
        for each in steps.values()
        if len(set(each.values())) > 1
    ]
