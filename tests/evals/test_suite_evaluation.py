"""Suites in an evaluation: given starts, their own steps, means, tables, files."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from handmade import made
from sayact.cli import main
from sayact.evals.evaluate import evaluate
from sayact.evals.evaluation import Evaluation, Protocol, suite_protocol
from sayact.evals.report import write_report
from sayact.evals.statistics import mean_interval
from sayact.evals.suites.catalogue import SUITES, chosen
from sayact.evals.suites.suite import STEPS
from sayact.evals.tables import markdown_table, terminal_table
from sayact.schema.errors import SayactError, UnknownNameError


def made_of_suites(won: dict[str, int], episodes: int = 10, policy: str = "random") -> Evaluation:
    asked = suite_protocol(tuple(won), episodes=episodes)
    return replace(made(won, episodes, policy), protocol=asked)


def test_the_oracle_solves_the_given_starts() -> None:
    asked = suite_protocol(("seen", "symbols"), episodes=2, seed=1)
    result = evaluate("oracle", asked, workers=0, beside=("zero",), progress=False)
    assert [e.family for e in result.episodes] == ["seen", "seen", "symbols", "symbols"]
    for episode in result.episodes:
        start = SUITES[episode.family].start(episode.index, seed=1)
        assert episode.instruction == start.task.instruction
        assert episode.success
    (zero,) = result.beside
    assert {e.steps for e in zero.episodes} == {STEPS}
    assert [e.instruction for e in zero.episodes] == [e.instruction for e in result.episodes]
    assert result.provenance["suite_versions"] == "seen 1, symbols 1"


def test_processes_play_the_same_episodes_with_and_without_a_film(tmp_path: Path) -> None:
    asked = suite_protocol(("sums", "stages"), episodes=1, max_steps=5)
    here = evaluate("random", asked, workers=0, beside=(), progress=False, videos=tmp_path)
    apart = evaluate("random", asked, workers=2, beside=(), progress=False)
    unclocked = [[replace(e, acting_seconds=0.0) for e in one.episodes] for one in (here, apart)]
    assert unclocked[0] == unclocked[1]
    assert {film.name for film in tmp_path.iterdir()} == {
        "random-sums-0.mp4",
        "random-stages-0.mp4",
    }


def test_means_weigh_as_they_say() -> None:
    won = dict.fromkeys(chosen(["emergent"]), 0) | {"symbols": 10, "sums": 4}
    means = made_of_suites(won).means
    assert means["reasoning"].success == pytest.approx(0.4 / 4)
    assert means["emergent"].success == pytest.approx((1 + 0.1 + 0) / 3)
    low, high = means["emergent"].interval
    assert low < means["emergent"].success < high
    assert made_of_suites({"seen": 3}).means == {}
    assert made({"separate": 3}).means == {}


def test_equal_weights_are_the_plain_mean() -> None:
    counts = [(3, 10), (9, 10), (0, 5)]
    assert mean_interval(counts, [1 / 3] * 3) == pytest.approx(mean_interval(counts))
    alone = mean_interval(counts, [0.0, 1.0, 0.0])
    assert alone == pytest.approx(mean_interval([(9, 10)]))


def test_two_policies_are_compared_suite_by_suite() -> None:
    first, second = made_of_suites({"seen": 9, "sums": 5}), made_of_suites({"seen": 9, "sums": 1})
    assert first.against(second).only_first == 4
    assert first.against(second, "seen").only_first == 0
    assert first.against(second, "sums").episodes == 10


def test_the_json_reads_back() -> None:
    evaluation = made_of_suites(dict.fromkeys(chosen(["reasoning"]), 4))
    data = json.loads(json.dumps(evaluation.to_json()))
    assert data["means"]["reasoning"]["success"] == pytest.approx(0.4)
    assert data["protocol"]["suites"] == list(chosen(["reasoning"]))
    again = Evaluation.from_json(data)
    assert again.protocol == evaluation.protocol
    assert again.means == evaluation.means


def test_results_of_families_know_no_suites() -> None:
    data = json.loads(json.dumps(made({"separate": 4}).to_json()))
    del data["protocol"]["suites"]  # as they were written before there were any
    assert Evaluation.from_json(data) == made({"separate": 4})


def test_tables_have_a_line_a_suite_and_the_means_behind_them(tmp_path: Path) -> None:
    mine = made_of_suites(dict.fromkeys(SUITES, 9), policy="runs/nano")
    both = replace(mine, beside=(made_of_suites(dict.fromkeys(SUITES, 1)),))
    shown = io.StringIO()
    Console(file=shown, width=80).print(terminal_table(both))
    lines = [line for line in shown.getvalue().splitlines() if "90 (60–98)" in line]
    assert len(lines) == len(SUITES)
    titles = [line.split("|")[1].strip() for line in markdown_table(both).splitlines()[2:-2]]
    assert titles[0] == "**mean of 22**"
    assert titles[titles.index("environments, hard") + 1] == "**unseen mean**"
    assert titles[titles.index("people") + 1] == "**emergent mean**"
    assert "120 or 240 steps" in markdown_table(both)
    page = write_report(both, tmp_path).read_text()
    assert page.count('<td class="mean">') == 2 * 6
    assert "emergent mean" in page
    assert "Success by suite" in page


def test_what_cannot_be_played_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="suite 'sum'"):
        evaluate("zero", suite_protocol(("sum",)), workers=0, beside=(), progress=False)
    with pytest.raises(SayactError, match="nothing to evaluate"):
        evaluate("zero", Protocol(families=()), workers=0, beside=(), progress=False)


def test_the_command_takes_suites_or_families(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "zero", "--suite", "sums", "--families", "separate"]) == 2
    assert "--families or --suite" in capsys.readouterr().err
    assert main(["eval", "zero", "--suite", "nonsense"]) == 2
    assert "reasoning" in capsys.readouterr().err
    assert main(["eval", "zero", "nowhere", "--suite", "seen"]) == 2
    assert "unknown world 'nowhere'" in capsys.readouterr().err


def test_lists_and_sheets_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "suites", "--suite"]) == 2
    assert "no suite named" in capsys.readouterr().err
    for asked in ("--across", "--abreast"):
        sheet = tmp_path / "sheet.png"
        assert main(["data", "suites", "--sheet", str(sheet), asked, "0"]) == 2
        assert "at least 1" in capsys.readouterr().err
        assert not sheet.exists()


def test_the_list_and_the_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "look" / "sheet.png"
    asked = ["--suite", "sums", "objects_hard", "--across", "1", "--sheet", str(sheet)]
    assert main(["data", "suites", *asked, "--json", "-"]) == 0
    listed = json.loads(capsys.readouterr().out)["suites"]
    assert [suite["name"] for suite in listed] == ["objects_hard", "sums"]
    assert listed[1]["sentences"][0] == SUITES["sums"].start(0).task.instruction
    assert sheet.read_bytes().startswith(b"\x89PNG")
    assert [file.name for file in sheet.parent.iterdir()] == ["sheet.png"]
