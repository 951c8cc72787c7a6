"""`sayact bench vlm` on a tiny backbone."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sayact.cli import main
from sayact.evals.vlm_tables import markdown_table


def test_every_setting_is_measured(
    backbone: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "found.json"
    folder = str(backbone("smolvlm"))
    arguments = ["bench", "vlm", "--backbone", folder, "--steps", "1", "--threads", "1"]
    assert main([*arguments, "--json", str(file)]) == 0
    found = json.loads(file.read_text())
    exact, int8, int4, *half = found["rows"]
    assert (exact["error"], exact["same_choice"]) == (0, 1)
    assert exact["megabytes"] > max(int8["megabytes"], int4["megabytes"])
    assert 0 < int8["error"] < int4["error"] < 0.3
    assert [row["weights"] for row in half] == [None, "int8", "int4"]
    assert all(row["prefill_ms"] > 0 and row["step_ms"] > 0 for row in found["rows"])
    table = markdown_table(found)
    assert table.count("\n") == 2 + 6 + 2
    assert "| bfloat16, weights int4 |" in table
    assert "float32, weights int8" in capsys.readouterr().out


def test_nothing_to_measure_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "vlm", "--steps", "0"]) == 2
    assert main(["bench", "vlm", "--device", "gpu", "--steps", "1"]) == 2
    assert "no device 'gpu'" in capsys.readouterr().err
