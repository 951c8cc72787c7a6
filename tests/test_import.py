"""`sayact import` and `sayact doctor` as typed."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from released_tiny import TINY, random_weights
from safetensors.torch import save_file

from sayact.cli import main
from sayact.models.released.naming import release, tensorflow


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    arrays = release(random_weights(TINY), tensorflow(TINY))
    np.savez(tmp_path / "rt1.npz", **arrays)  # pyright: ignore[reportArgumentType]
    return tmp_path / "rt1.npz"


def test_import_then_doctor(npz: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The real doctor, on a B3, in both commands: they must agree."""
    out = str(tmp_path / "imported")
    assert main(["import", "rt1", str(npz), "--out", out, "--json", "-"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert found["origin"]["variables"] == len(tensorflow(TINY))
    assert "delta_x" in said.err
    assert "actions: rt1: the arm moves up to 1 (assumed" in said.err
    assert "sentences: drawn at random" in said.err
    assert main(["doctor", out, "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out) == found["diagnosis"]


def test_nan_is_said_and_ends_with_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is imported is what was released; the folder is there to look at."""
    arrays = release(random_weights(TINY), tensorflow(TINY))
    arrays["_transformer/_output_tokens/bias"][:] = np.nan
    np.savez(tmp_path / "x.npz", **arrays)  # pyright: ignore[reportArgumentType]
    out = tmp_path / "new"
    assert main(["import", "rt1", str(tmp_path / "x.npz"), "--out", str(out)]) == 1
    assert "warning: the network answers NaN" in capsys.readouterr().out
    assert json.loads((out / "config.json").read_text())["imported"]["name"] == "new"
    assert "warning: the network answers NaN" in (out / "README.md").read_text()
    assert main(["doctor", str(out)]) == 1
    assert "warning: the network answers NaN" in capsys.readouterr().out


def test_misfits_are_listed_above_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arrays = release(random_weights(TINY), tensorflow(TINY))
    del arrays["_transformer/_layers/0/ff/bias"], arrays["_transformer/_layers/1/ff/bias"]
    np.savez(tmp_path / "x.npz", **arrays)  # pyright: ignore[reportArgumentType]
    out = tmp_path / "new"
    assert main(["import", "rt1", str(tmp_path / "x.npz"), "--out", str(out)]) == 2
    said = capsys.readouterr()
    assert "missing: _transformer/_layers/0/ff/bias, shape (24,)\n" in said.out
    assert "missing: _transformer/_layers/1/ff/bias, shape (24,)\n" in said.out
    assert said.err.count("\n") == 1
    assert f"{tmp_path / 'x.npz'}: 2 variables do not fit" in said.err
    assert said.err.endswith("nothing is guessed or left out.\n")
    assert not out.exists()


def test_a_source_that_is_not_there_is_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", "rt1", "nowhere", "--out", str(tmp_path / "x")]) == 2
    assert "nowhere" in capsys.readouterr().err
    assert main(["import", "backbone", "nowhere.h5", "--out", str(tmp_path / "x.safetensors")]) == 2
    assert "nowhere.h5" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_baseline_has_no_network_to_examine(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "oracle"]) == 2
    assert "baseline" in capsys.readouterr().err


def test_import_a_backbone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start = "tokenizer.backbone."
    weights = {
        name.removeprefix(start): value
        for name, value in random_weights(TINY).items()
        if name.startswith(start) and ".film." not in name
    }
    save_file(weights, tmp_path / "given.safetensors")
    out = tmp_path / "kept.safetensors"
    arguments = ["import", "backbone", str(tmp_path / "given.safetensors"), "--out", str(out)]
    assert main([*arguments, "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["layout"] == "Sayact"
    assert found["parameters"] == sum(
        w.numel() for w in weights.values() if w.dtype == torch.float32
    )
