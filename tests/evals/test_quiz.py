"""`sayact quiz`: everybody is asked the same questions about pictures that nobody trains on."""

import json
from dataclasses import replace

import pytest
from rich.console import Console

from sayact.cli import main
from sayact.evals.quiz import QuizProtocol, quiz
from sayact.evals.quiz_tables import markdown_table, terminal_table
from sayact.evals.tables import fill
from sayact.schema.errors import SayactError
from sayact.testing.tiny_rt2 import save_tiny_rt2

SHORT = QuizProtocol(pictures=3, pages=2, questions=4)
OPTIONS = ("--pictures", "3", "--pages", "2", "--questions", "4", "--workers", "0")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    return str(save_tiny_rt2(tmp_path_factory.mktemp("quizzed") / "tiny"))


@pytest.fixture(scope="module")
def found(checkpoint, tmp_path_factory):
    out = tmp_path_factory.mktemp("quiz")
    twin = str(save_tiny_rt2(out / "twin"))
    return quiz((checkpoint, twin), SHORT, out, workers=0, console=Console(stderr=True))


def test_the_same_are_asked_the_same(found):
    first, second = found["rows"]
    assert first["answers"] == second["answers"]
    kinds = [one["kind"] for one in first["answers"]]
    assert len(set(kinds)) == len(kinds) > 3
    assert {kind.split("/")[0] for kind in kinds} == {"table", "page"}
    assert all(0 <= one["right"] <= one["asked"] <= 4 for one in first["answers"])


def test_tables_show_every_kind_with_its_interval(found, tmp_path):
    changed = json.loads(json.dumps(found))
    changed["rows"][0]["answers"][0] |= {"right": 3, "asked": 4}
    kind = changed["rows"][0]["answers"][0]["kind"].replace("/", ": ")
    table = markdown_table(changed)
    assert f"| {kind} | **75** (30–95) |" in table
    assert terminal_table(changed).row_count == len(changed["rows"][0]["answers"])
    (tmp_path / "what.json").write_text(json.dumps(changed))
    page = "<!-- results:begin what -->\n<!-- results:end -->"
    assert table in fill(page, tmp_path)


def test_other_seeds_and_objects_are_other_pictures(checkpoint, tmp_path):
    for protocol in (SHORT, replace(SHORT, seed=1), replace(SHORT, objects="robot", pages=0)):
        quiz((checkpoint,), protocol, tmp_path, workers=0)
    folders = sorted(p.name for p in tmp_path.glob("pictures-*"))
    assert folders == ["pictures-all-0", "pictures-all-1", "pictures-robot-0"]


def test_who_answers_no_questions_is_refused(tmp_path):
    with pytest.raises(SayactError, match="give an RT-2"):
        quiz(("oracle",), SHORT, tmp_path, workers=0)


def test_a_quiz_without_questions_is_refused():
    with pytest.raises(SayactError, match="at least 1 question"):
        QuizProtocol(questions=0)


def test_command(checkpoint, tmp_path):
    file = tmp_path / "quiz.json"
    out = str(tmp_path / "quiz")
    assert main(["quiz", checkpoint, *OPTIONS, "--out", out, "--json", str(file)]) == 0
    assert json.loads(file.read_text())["quiz"]["questions"] == 4
