"""The Python of docs/rt2.md runs, in the order in which it stands there."""

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from sayact.codecs.nano_tokenizer import nano_tokenizer
from sayact.codecs.text import text_processor
from sayact.policies.loading import boxed
from sayact.schema import LANGUAGE_TABLE
from sayact.testing import TINY_IMAGES
from sayact.testing.tiny_rt2 import save_tiny_rt2

PAGE = (Path(__file__).parent.parent / "docs" / "rt2.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_python_of_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "rt2-nano" not in boxed():
        words = text_processor(nano_tokenizer(), LANGUAGE_TABLE, TINY_IMAGES)
        monkeypatch.chdir(tmp_path)
        save_tiny_rt2(tmp_path / "rt2-nano", words)
    seen: dict[str, object] = {}
    printed = StringIO()
    assert len(BLOCKS) > 4
    with redirect_stdout(printed):
        for block in BLOCKS:
            exec(block, seen)
    numbers = "0 128 90 241 5 154 127 243"
    assert f"# {numbers}" in PAGE
    assert printed.getvalue().splitlines()[0] == numbers
    assert len(seen["actions"]) == 3  # type: ignore[arg-type]
