"""An evaluation as one page that can be sent by mail: numbers, curves and films, no other file.

headline      the mean success of the official families, or of all suites, with its interval
table         policies × families, or suites × policies; an interval bar in every cell
curves        training, if there was any
films         the first episodes of every family or suite
provenance    command, commit, version, machine
"""

import base64
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from sayact.data.layout import replace_file, write_json
from sayact.evals.drawings import Curve, curve, interval_bar, last_value
from sayact.evals.evaluation import Evaluation
from sayact.evals.provenance import policy_title
from sayact.evals.rollouts import EpisodeResult
from sayact.evals.statistics import percent
from sayact.evals.tables import TITLES, Cell, Row, headings, parts_word, rows, steps_words
from sayact.evals.videos import film_path
from sayact.policies.loading import BASELINES

VIDEOS = "videos"


def write_report(evaluation: Evaluation, out: Path, *, curves: Sequence[Curve] = ()) -> Path:
    """Leave report.html and evaluation.json in `out`, whose folder `videos` holds the films."""
    write_json(out / "evaluation.json", evaluation.to_json())
    report = out / "report.html"
    replace_file(report, page(evaluation, out / VIDEOS, curves).encode())
    return report


def page(evaluation: Evaluation, videos: Path, curves: Sequence[Curve]) -> str:
    """The whole document."""
    name = policy_title(evaluation.policy)
    body = [_header(evaluation), _table(evaluation), _curves(curves)]
    # Films of the baselines lie in the folder too; the page shows policies that learned.
    learned = [evaluation, *(e for e in evaluation.beside if e.policy not in BASELINES)]
    body += [_films(shown, videos) for shown in learned]
    body.append(_provenance(evaluation))
    style = files("sayact.evals").joinpath("report.css").read_text()
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(name)} · Sayact</title>\n<style>\n{style}</style></head>\n"
        f"<body><main>\n{''.join(body)}</main></body></html>\n"
    )


def _header(evaluation: Evaluation) -> str:
    asked = evaluation.protocol
    low, high = evaluation.mean_interval
    count, parts = len(evaluation.mean_families), "suites" if asked.suites else "task families"
    what = f"the mean of {count} {parts}" if count > 1 else evaluation.mean_families[0]
    sentences = [
        f"Success in <b>{escape(asked.world)}</b>, {escape(what)}: "
        f"{asked.episodes} episodes each, at most {steps_words(asked)}, 95 % interval "
        f"{100 * low:.0f}–{100 * high:.0f} %.",
        f"It answers {evaluation.control_hz:,.0f} times a second on one thread.",
    ]
    return (
        f'<header><div class="number">{100 * evaluation.mean_success:.0f}<small> %</small></div>'
        f"<div><h1>{escape(policy_title(evaluation.policy))}</h1><p>{' '.join(sentences)}</p></div>"
        "</header>\n"
    )


def _compared(evaluation: Evaluation, other: Evaluation) -> str:
    pair = evaluation.against(other)
    name = escape(policy_title(other.policy))
    sure = "p < 0.001" if pair.p_value < 0.001 else f"p = {pair.p_value:.2g}"
    return f"{name} {pair.only_first} to {pair.only_second} ({sure})"


def _table(evaluation: Evaluation) -> str:
    main = policy_title(evaluation.policy)
    lines = _suite_lines if evaluation.protocol.suites else _policy_lines
    pairs = "; ".join(_compared(evaluation, other) for other in evaluation.beside)
    note = (
        f'<p class="note">On the same {len(evaluation.episodes)} starts, episodes that only '
        f"{escape(main)} got done to those that only the other did, with McNemar's exact test: "
        f"{pairs}.</p>\n"
    )
    by = "suite" if evaluation.protocol.suites else "task family"
    return (
        f"<h2>Success by {by}<small>percent, with 95 % Wilson intervals</small></h2>\n"
        f'<div class="card"><table>{lines(evaluation)}</table></div>\n{note if pairs else ""}'
    )


def _policy_lines(evaluation: Evaluation) -> str:
    """A line a policy: families are few."""
    titles = "".join(f"<th>{escape(t)}</th>" for t in ["", *headings(evaluation), "control"])
    main = policy_title(evaluation.policy)
    lines = "".join(
        f'<tr class="{_kind(row, main)}"><td class="policy">{escape(row.policy)}</td>'
        f"{''.join(map(_number, row.cells))}"
        f'<td class="control">{row.control_hz:,.0f} Hz</td></tr>\n'
        for row in rows(evaluation)
    )
    return f"<tr>{titles}</tr>{lines}"


def _suite_lines(evaluation: Evaluation) -> str:
    """A line a suite: they are many."""
    shown = rows(evaluation)
    titles = "".join(f"<th>{escape(t)}</th>" for t in ["", *(row.policy for row in shown)])
    lines = "".join(
        f'<tr class="main"><td class="policy">{escape(cells[0].title)}</td>'
        f"{''.join(map(_number, cells))}</tr>\n"
        for cells in zip(*(row.cells for row in shown), strict=True)
    )
    rates = "".join(f'<td class="control">{row.control_hz:,.0f} Hz</td>' for row in shown)
    return (
        f'<tr>{titles}</tr>{lines}<tr class="beside"><td class="policy">control</td>{rates}</tr>\n'
    )


def _number(cell: Cell) -> str:
    return (
        f'<td class="{"mean" if cell.mean else "family"}"><b>{100 * cell.rate:.0f}</b>'
        f"<span>{percent(cell.rate, cell.interval).partition(' ')[2]}</span>"
        f"{interval_bar(cell.rate, cell.interval)}</td>"
    )


def _kind(row: Row, main: str) -> str:
    return "main" if row.policy == main else "beside"


def _curves(curves: Sequence[Curve]) -> str:
    drawn = [
        f'<figure class="card"><figcaption><b>{escape(c.title)}</b> {last_value(c)} at the end'
        f"</figcaption>{curve(c)}</figure>"
        for c in curves
        if c.points
    ]
    return f'<h2>Training</h2>\n<div class="curves">{"".join(drawn)}</div>\n' if drawn else ""


def _films(evaluation: Evaluation, videos: Path) -> str:
    films = [
        _film(film, episode)
        for episode in evaluation.episodes
        if (film := film_path(videos, evaluation.policy, episode.family, episode.index)).is_file()
    ]
    if not films:
        return ""
    return (
        f"<h2>{escape(policy_title(evaluation.policy))} at work<small>the first episodes of every "
        f"{parts_word(evaluation.protocol)}, at real speed; below the picture, the action tokens"
        "</small></h2>\n"
        f'<div class="films">{"".join(films)}</div>\n'
    )


def _film(film: Path, episode: EpisodeResult) -> str:
    source = base64.b64encode(film.read_bytes()).decode()
    kind = "done" if episode.success else "failed"
    verdict = f"{'done in' if episode.success else 'not done in'} {episode.steps} steps"
    return (
        '<figure class="card"><video loop muted autoplay playsinline '
        'onmouseenter="this.controls=true" onmouseleave="this.controls=false" '
        f'src="data:video/mp4;base64,{source}"></video>'
        f"<figcaption><span>{escape(TITLES.get(episode.family, episode.family))}</span>"
        f'<span class="{kind}">{verdict}</span></figcaption></figure>\n'
    )


def _provenance(evaluation: Evaluation) -> str:
    asked = evaluation.protocol
    facts = {
        "command": f"<code>{escape(evaluation.provenance['command'])}</code>",
        "commit": f"<code>{escape(evaluation.provenance['commit'])}</code>",
        "version": f"sayact {escape(evaluation.provenance['version'])}",
        "hardware": escape(evaluation.provenance["hardware"]),
        "computed by": escape(evaluation.provenance.get("computed_by", "the default engine")),
        "starts": f"{escape(_starts(evaluation))}, seed {asked.seed}; one start each (seed, "
        f"{parts_word(asked)}, episode), the same for every policy",
        "date": f"{escape(evaluation.date)}; it took {evaluation.seconds:,.0f} s",
    }
    if weights := evaluation.provenance.get("weights"):
        facts["weights"] = f"<code>{escape(weights)}</code> (the first digits of their SHA-256)"
    items = "".join(f"<dt>{name}</dt><dd>{fact}</dd>" for name, fact in facts.items())
    return f'<h2>Where the numbers come from</h2>\n<div class="card"><dl>{items}</dl></div>\n'


def _starts(evaluation: Evaluation) -> str:
    """What was laid on the table: the block mode, or the suites with their versions."""
    versions = evaluation.provenance.get("suite_versions")
    return f"suites (name, version): {versions}" if versions else evaluation.protocol.block_mode
