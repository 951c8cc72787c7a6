"""`sayact ask`: an answer, its JSON, its places on the picture, and mistakes in one line."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sayact.cli import main
from sayact.commands.ask import INK, _ring
from sayact.policies.rt2 import Answer
from sayact.testing.tiny_rt2 import save_tiny_rt2


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tiny_rt2(tmp_path_factory.mktemp("rt2") / "rt2"))


@pytest.fixture
def picture(tmp_path: Path) -> str:
    file = tmp_path / "table.png"
    Image.new("L", (90, 70), 128).save(file)  # neither the camera's size nor in colour
    return str(file)


def test_an_answer_and_its_json(
    checkpoint: str, picture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "pointed.png"
    command = ["ask", checkpoint, picture, "where is it?", "--out", str(out), "--json", "-"]
    assert main([*command, "--most-tokens", "5"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["question"] == "where is it?"
    assert len(result["tokens"]) == len(result["probabilities"]) <= 5
    assert isinstance(result["text"], str)
    assert Image.open(out).size == (90, 70)


def test_places_are_ringed() -> None:
    answer = Answer(
        text="",
        tokens=np.zeros(0, np.int64),
        probabilities=np.zeros(0, np.float32),
        places=np.array([[0.25, 0.5], [0.75, 0.5]], np.float32),
    )
    drawn = np.asarray(_ring(Image.new("RGB", (400, 200)), answer))
    columns = np.flatnonzero((drawn == INK).all(-1).any(0))
    assert 80 < columns.min() < 100 < columns.max() < 330
    assert not (drawn == INK).all(-1)[:, 150:250].any()


def test_mistakes_are_answered_in_one_line(
    checkpoint: str, picture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = tmp_path / "noise.png"
    noise.write_bytes(b"no picture")
    for given, what in (
        (["zero", picture], "cannot answer questions"),
        ([checkpoint, str(tmp_path / "none.png")], "there is no"),
        ([checkpoint, str(noise)], "cannot be read as a picture"),
    ):
        assert main(["ask", *given, "what?"]) == 2
        assert what in capsys.readouterr().err
    for given, what in (
        (["what?", "--out", str(tmp_path / "pointed.txt")], "an ending such as .png"),
        ([" "], "the question is empty"),
    ):
        assert main(["ask", checkpoint, picture, *given]) == 2
        assert what in capsys.readouterr().err
