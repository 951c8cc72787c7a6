"""docs/faithfulness.md promises only files, names and tests that there are."""

import ast
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "faithfulness.md"
LINK = re.compile(r"\[([^]]+)\]\((\.\./[^)]+)\)")
SECTIONS = 7
VERDICT = re.compile(r"same|ours differs")


def rows() -> list[list[str]]:
    """The cells of every statement."""
    lines = [x for x in PAGE.read_text().splitlines() if x.startswith("| ")]
    return [
        [cell.strip() for cell in x.strip("|").split(" | ")] for x in lines if "| the rel" not in x
    ]


STATEMENTS = [row for row in rows() if row[0] != "the released code"]


def defined(file: Path) -> set[str]:
    """Functions and classes of a file, those in classes too."""
    tree = ast.parse(file.read_text())
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def test_every_section_has_statements() -> None:
    titles = re.findall(r"^## (\d)\. ", PAGE.read_text(), re.M)
    assert titles == [str(n + 1) for n in range(SECTIONS)]
    assert len(STATEMENTS) > 50


@pytest.mark.parametrize("row", STATEMENTS, ids=lambda row: row[0][:40])
class TestStatement:
    def test_has_a_place_a_test_and_a_verdict(self, row: list[str]) -> None:
        assert len(row) == 4
        _, here, tests, verdict = row
        assert LINK.search(here) or here.startswith(("left out", "—"))
        assert LINK.search(tests)
        assert VERDICT.match(verdict)

    def test_names_what_is_there(self, row: list[str]) -> None:
        for name, target in LINK.findall(" ".join(row)):
            file = (PAGE.parent / target).resolve()
            assert file.is_file(), target
            if file.name.startswith("test_"):
                assert name in defined(file), f"{target} has no {name}"
            else:
                assert target.endswith(name), f"{name} does not name {target}"
