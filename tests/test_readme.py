"""What README says is so: tables are those of results/, links lead somewhere, its code runs."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from handmade import made
from sayact.cli import SAYACT, Group, main
from sayact.evals.tables import BLOCK, fill, markdown_table
from sayact.policies.loading import boxed
from sayact.schema.errors import SayactError

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "results").glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
MEASURED = sorted((ROOT / "results").glob("*.json"))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_tables_are_those_of_the_results(page: Path) -> None:
    assert fill(page.read_text(), ROOT / "results") == page.read_text(), "run: make readme"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    missing = [x for x in links if "://" not in x and not (page.parent / x).exists()]
    assert not missing


@pytest.mark.parametrize("measured", MEASURED, ids=lambda p: p.stem)
def test_every_result_has_its_page_and_its_provenance(measured: Path) -> None:
    content = json.loads(measured.read_text())
    assert content["commit"] not in ("", "unknown")
    page = measured.with_suffix(".md").read_text()
    for word in ("Command", "Commit", "Hardware", "Hours", "Seeds", "Data"):
        assert word.lower() in page.lower()


def test_filling_writes_the_numbers_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "toy.json").write_text(json.dumps(made({"separate": 4}).to_json()))
    text = "before\n<!-- results:begin toy -->\nold\n<!-- results:end -->\nafter\n"
    filled = fill(text, tmp_path)
    assert "old" not in filled
    assert "| `random` | **40** (17–69) |" in filled
    assert filled.startswith("before\n")
    assert filled.endswith("<!-- results:end -->\nafter\n")
    assert fill(filled, tmp_path) == filled
    assert fill("no markers", tmp_path) == "no markers"
    with pytest.raises(SayactError, match=r"other\.json"):
        fill(text.replace("toy", "other"), tmp_path)


def test_the_best_policy_stands_first() -> None:
    low, high = made({"separate": 1}, policy="low"), made({"separate": 9}, policy="high")
    table = markdown_table(replace(low, beside=(high,)))
    assert table.index("`high`") < table.index("`low`")


def test_the_first_screen_has_its_table() -> None:
    assert BLOCK.search(README)


def test_commands_of_the_readme_are_known(capsys: pytest.CaptureFixture[str]) -> None:
    shown = re.findall(r"^(?:\$ )?sayact (\w+)", README, flags=re.MULTILINE)
    assert len(shown) > 4
    assert set(shown) <= set(SAYACT.verbs)
    for line in re.findall(r"^sayact ([^#\n]+)", README, flags=re.MULTILINE):
        words = line.split()
        verb = words[: 2 if isinstance(SAYACT.verbs[words[0]], Group) else 1]
        with pytest.raises(SystemExit):
            main([*verb, "--help"])
        known = capsys.readouterr().out
        assert all(word in known for word in words if word.startswith("--"))


@pytest.mark.skipif("rt1-nano" not in boxed(), reason="no trained policy in the box yet")
def test_the_python_of_the_readme_runs() -> None:
    code = re.search(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert code is not None
    seen: dict[str, object] = {}
    exec(code[1], seen)
    assert seen["done"]
