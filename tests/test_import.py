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
from sayact.policies import importing
from sayact.policies.doctor import Diagnosis

WELL = Diagnosis(dimensions=(), by_picture=1.0, by_sentence=1.0, finite=True, warnings=())
ILL = Diagnosis(
    dimensions=(), by_picture=0.0, by_sentence=0.0, finite=False, warnings=("NaN everywhere",)
)


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
    assert main(["doctor", out, "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out) == found["diagnosis"]


@pytest.mark.parametrize(("seen", "status"), [(WELL, 0), (ILL, 1)])
def test_nan_ends_with_status_1(
    seen: Diagnosis,
    status: int,
    npz: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(importing, "examine", lambda policy: seen)
    assert main(["import", "rt1", str(npz), "--out", str(tmp_path / "new")]) == status
    assert ("NaN everywhere" in capsys.readouterr().out) == (status == 1)
    assert json.loads((tmp_path / "new" / "config.json").read_text())["imported"]["name"] == "new"


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
    assert "2 variables do not fit" in said.err
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
