"""The whole experiment in little, twice: the second time after a stop."""

import json
import shutil
from typing import Any

import pytest
import torch

from sayact.cli import main
from sayact.evals.findings_tables import markdown_tables, short_table
from sayact.evals.tables import fill
from sayact.experiments.papers.arms import arm
from sayact.experiments.papers.experiment import TINY_ARMS
from sayact.experiments.papers.measured import NAME, together
from sayact.models.checkpoint import latest_checkpoint, read_checkpoint


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """What a tiny experiment leaves."""
    folder = tmp_path_factory.mktemp("papers")
    assert experiment(folder) == 0
    return folder


def experiment(folder, *more: str) -> int:
    return main(["experiment", NAME, "--tiny", "--workers", "0", "--out", str(folder), *more])


def test_every_arm_is_trained_and_every_player_has_played(out):
    measured = json.loads((out / f"{NAME}.json").read_text())
    assert {one["name"]: one["steps"] > 0 for one in measured["runs"][0]["arms"]} == dict.fromkeys(
        ("web", "grounded", "pointing", *TINY_ARMS), True
    )
    assert set(measured["played"]) == {"random", "oracle", "rt2-plan", *TINY_ARMS}
    assert all(
        len(digits) in (1, 2)
        for suites in measured["played"].values()
        for digits in suites.values()
    )
    assert measured["commit"]


def test_the_page_is_made_of_the_json(out):
    page = (out / f"{NAME}.md").read_text()
    for word in ("Command", "Commit", "Hardware", "Hours", "Seeds", "Data"):
        assert f"**{word}.**" in page
    assert fill(page, out) == page
    measured = json.loads((out / f"{NAME}.json").read_text())
    assert markdown_tables(measured) in page
    figures = list((out / NAME).glob("*.png"))
    assert figures
    assert all(f"({NAME}/{figure.name})" in page for figure in figures)
    assert all(figure.stat().st_size < 150_000 for figure in figures)


def test_a_verdict_follows_the_outcomes(out):
    measured = json.loads((out / f"{NAME}.json").read_text())
    assert "**held**" not in short_table(measured)
    starts = 40
    for player in measured["played"]:
        won = "1" if player == "rt2" else "0"
        measured["played"][player] = {"seen": won * starts}
    line = next(x for x in short_table(measured).splitlines() if "its own data" in x)
    assert line.endswith("| **100** against 0 | **held** |")
    measured["played"]["rt1"], measured["played"]["rt2"] = (
        measured["played"][name] for name in ("rt2", "rt1")
    )
    line = next(x for x in short_table(measured).splitlines() if "its own data" in x)
    assert line.endswith("| **0** against 100 | **did not hold** |")


def test_frozen_eyes_are_those_of_the_web_stage(out):
    weights = {
        name: read_checkpoint(latest_checkpoint(out / "arms" / name) or out).weights
        for name in ("pointing", "frozen", "fine-tuned")
    }
    eyes = [name for name in weights["pointing"] if name.startswith("vlm.eyes")]

    def same(one: str, other: str) -> bool:
        return all(torch.equal(weights[one][n], weights[other][n]) for n in eyes)

    assert same("frozen", "pointing")
    assert not same("fine-tuned", "pointing")
    assert arm("frozen").frozen == ("vlm.eyes",)


def test_what_is_missing_is_made_and_nothing_else(out):
    """As after a kill: one arm without its last steps, one suite not played."""
    run, played = out / "arms" / "fine-tuned", out / "played" / "rt1"
    before = latest_checkpoint(run)
    assert before is not None
    weights = (before / "model.safetensors").read_bytes()
    shutil.rmtree(before.parent)
    (played / "seen.json").unlink()
    page = (out / f"{NAME}.md").read_text()
    kept = {
        file: file.stat().st_mtime_ns
        for folder in ("played", "arms", "web", "cache")
        for file in (out / folder).rglob("*")
        if file.is_file() and run not in file.parents
    }
    assert experiment(out) == 0
    assert {file for file in kept if file.stat().st_mtime_ns != kept[file]} == set()
    assert (played / "seen.json").exists()
    # It went on from the checkpoint before, and came to the same weights.
    assert (before / "model.safetensors").read_bytes() == weights
    tables = [
        text.split("<!-- results:end -->")[0].split("Every suite")[1].split("Success")[0]
        for text in (page, (out / f"{NAME}.md").read_text())
    ]
    assert tables[0] == tables[1]


def test_an_earlier_run_stands_beside_and_is_not_played_again(out, tmp_path, capsys):
    before = out / f"{NAME}.json"
    arguments = ("--arms", "pico-scratch", "--earlier", str(before))
    assert experiment(tmp_path, *arguments) == 0
    assert [folder.name for folder in (tmp_path / "played").iterdir()] == ["pico-scratch"]
    both = json.loads((tmp_path / f"{NAME}.json").read_text())
    alone = json.loads(before.read_text())
    assert [run["command"] for run in both["runs"]][:1] == [alone["runs"][0]["command"]]
    assert len(both["runs"]) == 2
    assert set(both["played"]) == {*alone["played"], "pico-scratch"}
    assert both["ablations"] == [*alone["ablations"], "pico-scratch"]
    page = (tmp_path / f"{NAME}.md").read_text()
    assert "### Run 2" in page
    assert "| pico, from scratch |" in page


def test_what_cannot_be_an_earlier_run_is_refused(out, tmp_path, capsys):
    measured = json.loads((out / f"{NAME}.json").read_text())
    real = json.loads(json.dumps(measured))
    real["runs"][0]["plan"]["tiny"] = False
    kept = tmp_path / "other.json"
    for text, told in (
        (json.dumps(measured | {"seed": 5}), "was played with seed 5, not 0"),
        (json.dumps(real), "was played with tiny False, not True"),
        (json.dumps(measured | {"suites": {"seen": 0}}), "other versions of seen"),
        ("[]", "is no JSON"),
        ("{", "is no JSON"),
    ):
        kept.write_text(text)
        assert experiment(tmp_path, "--earlier", str(kept)) == 2
        assert told in said(capsys)
    assert experiment(out, "--earlier", str(out / f"{NAME}.json")) == 2
    assert "this run itself writes" in said(capsys)
    kept.write_text(json.dumps(measured))
    assert experiment(tmp_path, "--earlier", str(kept)) == 2
    assert "all that is asked for has been played" in said(capsys)
    assert experiment(tmp_path, "--arms", "scratch", "--web-stage", "rt2-nano") == 2
    assert "nothing that is asked for needs it" in said(capsys)


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().err.split())


def test_of_two_runs_the_later_one_counts():
    def run(command: str, played: dict[str, dict[str, str]]) -> dict[str, Any]:
        names = list(played)
        return {
            "suites": {"seen": 1},
            "runs": [{"command": command}],
            "players": {name: name.upper() for name in names},
            "main": names,
            "ablations": [],
            "references": {},
            "played": played,
        }

    first = run("first", {"random": {"seen": "00"}, "rt1": {"seen": "01"}})
    both = together((first,), run("second", {"rt1": {"seen": "11"}, "rt2": {"seen": "10"}}))
    assert both["played"] == {
        "random": {"seen": "00"},
        "rt1": {"seen": "11"},
        "rt2": {"seen": "10"},
    }
    assert both["main"] == ["random", "rt1", "rt2"]
    # What came together before is not told twice.
    again = together((first, both), run("third", {"rt2": {"seen": "11"}}))
    assert [one["command"] for one in again["runs"]] == ["first", "second", "third"]


def test_another_budget_needs_another_folder(out, capsys):
    assert main(["experiment", NAME, "--budget", "1h", "--out", str(out), "--arms", "rt1"]) == 2
    assert "give another --out" in capsys.readouterr().err
    assert main(["experiment", NAME, "--budget", "soon", "--out", str(out)]) == 2
    assert main(["experiment", NAME, "--rt1", "nowhere", "--out", str(out)]) == 2
