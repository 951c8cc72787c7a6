"""Habits that ruff has no rule for."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "src").rglob("*.py"))
FILE_LINES = 500  # more than a reader holds in the head at once
VAGUE = {"utils", "util", "common", "core", "helpers", "misc"}

each_file = pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(ROOT)))


@each_file
def test_file_is_short_enough_to_read(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= FILE_LINES


@each_file
def test_file_says_what_it_is(file: Path) -> None:
    doc = ast.get_docstring(ast.parse(file.read_text())) or ""
    assert len(doc) > 10, "a module starts with a docstring that says what lives in it"
    assert not VAGUE & set(file.relative_to(ROOT).with_suffix("").parts)


@each_file
def test_no_print_no_future_annotations(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "print", f"line {node.lineno}: log, or write with rich's Console"
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            # jaxtyping must see the annotations themselves, not their text.
            assert "annotations" not in {alias.name for alias in node.names}


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
