"""The table and the contact sheet."""

import io
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from sayact.data import show
from sayact.schema.errors import SayactError


def test_table_and_sheet(dataset_folder: Path, tmp_path: Path) -> None:
    text = io.StringIO()
    target = show(dataset_folder, 2, tmp_path / "sheet.png", console=Console(file=text, width=120))
    assert "6 episodes" in text.getvalue()
    assert "push the block to place" in text.getvalue()
    sheet = Image.open(target)
    assert sheet.width > 1000 or sheet.width % 248 == 8
    colours = sheet.convert("RGB").getcolors(1 << 24)
    assert colours is not None
    assert len(colours) > 20  # not an empty page


def test_unknown_episode(dataset_folder: Path) -> None:
    with pytest.raises(SayactError, match="0 to 5"):
        show(dataset_folder, 6, console=Console(file=io.StringIO()))
