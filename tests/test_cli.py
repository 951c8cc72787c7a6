"""The command: help, verbs, and mistakes answered in one line with a status."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from sayact.cli import SAYACT, Group, main, parse
from sayact.commands.verb import Outcome, Verb
from sayact.schema.errors import SayactError

# Generous for a busy machine; an import of torch alone takes longer.
START_SECONDS = 3.0


def words(group: Group, *before: str) -> list[tuple[str, ...]]:
    """Every verb with its group, as typed."""
    found: list[tuple[str, ...]] = []
    for name, verb in group.verbs.items():
        if isinstance(verb, Group):
            found += words(verb, *before, name)
        else:
            found.append((*before, name))
    return found


@pytest.mark.parametrize("verb", words(SAYACT), ids=" ".join)
def test_help_of_every_verb_has_examples_and_json(
    verb: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main([*verb, "--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert f"    sayact {' '.join(verb)}" in text, "an example stands on a line of its own"
    assert "--json" in text


def test_the_list_of_verbs_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert all(name in text for name in SAYACT.verbs)
    assert "For instance" not in text


@pytest.mark.parametrize("command", ["data web --out x", "train rt2_language_table", "eval zero"])
def test_a_seed_below_zero_is_refused(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "--seed", "-1"]) == 2
    assert "from 0 on" in capsys.readouterr().err


def test_help_starts_at_once_and_without_torch() -> None:
    code = (
        "import sys; sys.argv = ['sayact', '--help']\n"
        "from sayact.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "sys.exit(bool({'torch', 'mujoco'} & set(sys.modules)))"
    )
    started = time.monotonic()
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert time.monotonic() - started < START_SECONDS


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["dance"], "collect"),
        (["data", "shwo", "x"], "'show'"),
        (["eval", "zero", "kitchen"], "language_table"),
        (["eval", "zero", "--families", "stack"], "block2block"),
        (["eval", "zero", "--block-mode", "BLOCK_9"], "BLOCK_8"),
        (["eval", "rt7"], "random"),
        (["eval", "zero", "--episodes", "0"], "at least 1"),
        (["train", "rt9_everything"], "rt1_language_table"),
        (["collect", "kitchen", "--out", "x"], "language_table"),
        (["collect", "language_table", "--out", "x", "--families", "stack"], "block2block"),
        (["collect", "--out", "x", "--block-mode", "BLOCK_9"], "N_CHOOSE_K"),
        (["data", "show", "nowhere"], "nowhere"),
        (["bench", "world", "--steps", "0"], "at least 1"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_gets_one_line_that_lists_what_is_allowed(
    arguments: list[str],
    named: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert said.err.startswith("sayact: ")
    assert named in said.err


def test_a_broken_dataset_is_reported_with_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "check", str(tmp_path / "nowhere")]) == 1
    assert "nowhere" in capsys.readouterr().out


def test_an_unknown_flag_is_refused() -> None:
    with pytest.raises(SystemExit) as end:
        main(["eval", "zero", "--spedd", "3"])
    assert end.value.code == 2


class Echo(Verb):
    """Answers with a number."""

    def run(self, console: Console) -> Outcome:
        console.print("for people")
        return Outcome(result={"answer": 42, "where": Path("here")})


def test_json_on_standard_output_stands_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert Echo(json="-")() == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == {"answer": 42, "where": "here"}
    assert "for people" in said.err


def test_progress_bars_stay_out_of_the_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "demos")
    one = "--episodes 1 --families point2block --workers 1 --json -"
    assert main(["collect", "--out", out, *one.split()]) == 0
    assert json.loads(capsys.readouterr().out)["episodes"] == 1
    assert main(["data", "check", out, "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["problems"] == []


def test_json_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "new" / "folder" / "result.json"
    assert Echo(json=str(target))() == 0
    assert json.loads(target.read_text())["answer"] == 42
    assert "for people" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (SayactError("two\n lines"), 2, "sayact: two lines\n"),
        (FileNotFoundError(2, "No such file", "x"), 2, "sayact: [Errno 2] No such file: 'x'\n"),
        (KeyboardInterrupt(), 130, "sayact: stopped\n"),
    ],
)
def test_how_it_ends(
    raised: BaseException,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(self: Verb, console: Console) -> Outcome:
        raise raised

    verb = parse(SAYACT, "sayact", ["data", "check", "x"])
    monkeypatch.setattr(type(verb), "run", run)
    assert main(["data", "check", "x"]) == status
    assert capsys.readouterr().err == said


def test_eval_leaves_report_films_and_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = (
        "eval zero --families separate --episodes 1 --max-steps 3 --workers 0 --beside random"
    )
    assert main([*arguments.split(), "--out", str(tmp_path), "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["families"]["separate"]["episodes"] == 1
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    assert json.loads((tmp_path / "evaluation.json").read_text()) == found
    assert (tmp_path / "videos" / "zero-separate-0.mp4").stat().st_size > 1000
