"""An experiment on the papers' findings as Markdown: every verdict is computed here, from starts.

measured["played"]     player → suite → "0110…", one digit a start
measured["findings"]   what is claimed, of whom, over which suites
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sayact.config import from_json
from sayact.evals.findings import Finding, Played, Verdict, common, compare, judge
from sayact.evals.markdown import bold_percent, table_lines
from sayact.evals.statistics import Interval, mean_interval, percent, wilson
from sayact.evals.suites.catalogue import SUITES
from sayact.evals.suites.means import means_of

MARKS = {
    "held": "**held**",
    "did not hold": "**did not hold**",
    "not distinguishable": "not distinguishable",
    "not measured": "not measured",
}


def short_table(measured: Mapping[str, Any]) -> str:
    """The findings for a README: the claim, the paper, ours, the verdict.

    Claims about two policies neither of which does better than chance are counted, not shown.
    """
    verdicts = [(f, v) for f, v in judged(measured) if v.word != "not measured"]
    shown = [(finding, verdict) for finding, verdict in verdicts if not verdict.reason]
    rows = [
        [finding.claim, finding.paper, _rates(verdict), MARKS[verdict.word]]
        for finding, verdict in shown
    ]
    lines = table_lines(["finding", "the papers, %", "here, %", "did it hold"], rows, words=2)
    floor = len(verdicts) - len(shown)
    told = f"In {floor} more claims neither policy is above random play. " if floor else ""
    return "\n".join([*lines, "", told + _below(measured)]) + "\n"


def markdown_tables(measured: Mapping[str, Any]) -> str:
    """Findings, every suite of the main players, and all ablations."""
    tables = (
        ("Findings", findings_table(measured)),
        ("Every suite", suites_table(measured)),
        ("Ablations", ablations_table(measured)),
    )
    parts = [f"### {title}\n\n" + "\n".join(lines) + "\n" for title, lines in tables if lines]
    return "\n".join([*parts, _below(measured) + "\n"])


def judged(measured: Mapping[str, Any]) -> list[tuple[Finding, Verdict]]:
    """Each finding with its verdict."""
    played = played_of(measured)
    findings = [from_json(Finding, one) for one in measured["findings"]]
    return [(finding, judge(finding, played)) for finding in findings]


def played_of(measured: Mapping[str, Any]) -> Played:
    """Outcomes from their digits."""
    return {
        player: {suite: [digit == "1" for digit in digits] for suite, digits in suites.items()}
        for player, suites in measured["played"].items()
    }


def findings_table(measured: Mapping[str, Any]) -> list[str]:
    """The finding, the paper's numbers, ours, their difference, the verdict, what differs."""
    headings = [
        "finding",
        "the papers, %",
        "what differs here",
        "here, %",
        "difference, points",
        "ratio",
        "suites, starts",
        "did it hold",
    ]
    rows = [
        [
            finding.claim,
            finding.paper,
            finding.differs,
            _rates(verdict),
            *_difference(verdict),
            _starts(verdict, finding, measured),
            f"{MARKS[verdict.word]}{': ' + verdict.reason if verdict.reason else ''}",
        ]
        for finding, verdict in judged(measured)
    ]
    return table_lines(headings, rows, words=3)


def suites_table(measured: Mapping[str, Any]) -> list[str]:
    """A line a suite, a column a main player; the means stand behind their last suite."""
    played, titles = played_of(measured), measured["players"]
    players = [name for name in measured["main"] if name in played]
    if not players:
        return []
    suites = [s for s in SUITES if any(s in played[player] for player in players)]
    rows: list[list[str]] = []
    for suite in suites:
        cells = [_cell(played[player].get(suite)) for player in players]
        rows.append([SUITES[suite].title, *cells])
        for mean in means_of(suites):
            if mean.last == suite:
                shown = [_mean(player, mean.weights, played) for player in players]
                rows.append([f"**{mean.title}**", *shown])
    return table_lines(["suite", *(titles[player] for player in players)], rows)


def ablations_table(measured: Mapping[str, Any]) -> list[str]:
    """A line an arm: success where it is seen, unseen and emergent, and against its reference."""
    played, titles = played_of(measured), measured["players"]
    references: Mapping[str, str] = measured["references"]
    arms = [name for name in measured["ablations"] if name in played]
    if not arms:
        return []
    groups: Mapping[str, Mapping[str, float]] = measured["groups"]
    rows: list[list[str]] = []
    for arm in arms:
        cells = [_mean(arm, over, played) for over in groups.values()]
        reference = references.get(arm, arm)
        named = "" if reference == arm else titles.get(reference, reference)
        rows.append([titles[arm], *cells, named, *_against(arm, reference, groups, played)])
    differences = [f"{name}, difference" for name in groups]
    lines = table_lines(["arm", *groups, "against", *differences], rows)
    told = "; ".join(
        f"{name} = {' + '.join(SUITES[suite].title for suite in over)}"
        for name, over in groups.items()
        if len(over) > 1
    )
    return [*lines, "", f"Ablations play fewer suites, of which these are the means: {told}."]


def _against(
    arm: str, reference: str, groups: Mapping[str, Mapping[str, float]], played: Played
) -> list[str]:
    """Differences in points with their intervals."""
    cells: list[str] = []
    for over in groups.values():
        shared = common((arm, reference), over, played)
        if arm == reference or not shared:
            cells.append("")
            continue
        found = compare(arm, reference, shared, played)
        cells.append(_points(found.difference, found.interval))
    return cells


def _rates(verdict: Verdict) -> str:
    if verdict.word == "not measured":
        return ""
    if verdict.compared is None:
        return percent(verdict.rate, verdict.interval)
    return f"**{100 * verdict.compared.first:.0f}** against {100 * verdict.compared.second:.0f}"


def _difference(verdict: Verdict) -> tuple[str, str]:
    """The difference with its interval and p-value, and the ratio with its own."""
    found = verdict.compared
    if found is None:
        return "", ""
    sure = "p < 0.001" if found.p_value < 0.001 else f"p = {found.p_value:.2g}"
    low, high = found.ratio_interval
    return (
        f"{_points(found.difference, found.interval)}, {sure}",
        f"{found.ratio:.1f} ({low:.1f}–{high:.1f})",
    )


def _starts(verdict: Verdict, finding: Finding, measured: Mapping[str, Any]) -> str:
    if verdict.word == "not measured":
        return ""
    played = measured["played"][finding.first]
    alone = sum(len(played[suite]) for suite in verdict.suites)
    starts = alone if verdict.compared is None else verdict.compared.episodes
    return f"{len(verdict.suites)} of {len(finding.over)}, {starts}"


def _points(difference: float, interval: Interval) -> str:
    low, high = interval
    return f"{round(100 * difference):+d} ({round(100 * low):+d} to {round(100 * high):+d})"


def _cell(outcomes: Sequence[bool] | None) -> str:
    if not outcomes:
        return ""
    won = sum(outcomes)
    return bold_percent(won / len(outcomes), wilson(won, len(outcomes)))


def _mean(player: str, over: Mapping[str, float], played: Played) -> str:
    """Of suites that were all played; nothing where one was not."""
    if any(not played[player].get(suite) for suite in over):
        return ""
    outcomes, shares = [played[player][suite] for suite in over], tuple(over.values())
    counts = [(sum(won), len(won)) for won in outcomes]
    rate = sum(share * won / n for share, (won, n) in zip(shares, counts, strict=True))
    return bold_percent(rate, mean_interval(counts, shares))


def _below(measured: Mapping[str, Any]) -> str:
    starts = " and ".join(
        f"{starts} of every suite for {who}"
        for kind, who in (("main", "main players"), ("ablations", "ablations"))
        if (starts := _starts_of(measured, measured[kind]))
    )
    made = "; ".join(
        f"{run['hardware']}, commit `{run['commit']}`, {run['date'][:10]}"
        for run in measured["runs"]
    )
    return (
        f"Success in percent with 95 % intervals. Starts: {starts}, the same ones for all, seed "
        f"{measured['seed']}. A finding holds where the interval of the paired difference lies "
        f"above 0, and does not where it lies below. {made}."
    )


def _starts_of(measured: Mapping[str, Any], players: Sequence[str]) -> str:
    """How many starts of a suite these players have played: "15", or "9 to 15"."""
    played = measured["played"]
    counts = {len(starts) for name in players for starts in played.get(name, {}).values()}
    return " to ".join(str(n) for n in sorted({min(counts), max(counts)})) if counts else ""
