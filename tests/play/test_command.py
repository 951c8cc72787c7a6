"""`sayact play` from the command line, with nobody looking."""

import json
import sys
from pathlib import Path

import pytest

from sayact.cli import MISTAKE, main


def test_it_plays_for_a_while_and_tells_how_it_went(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--port", "18310", "--json", "-"]
    how = ["--hz", "40", "--seconds", "4", "--block-mode", "BLOCK_4"]
    families = ["--family", "separate", "block2block"]
    status = main(["play", "oracle", str(tmp_path), *where, *how, *families])
    written = capsys.readouterr()
    result = json.loads(written.out)  # nothing else is on standard output
    assert status == 0
    assert result["url"] == "http://127.0.0.1:18310"
    assert result["url"] in written.err
    assert "anybody" not in written.err
    oracle, wrong = result["tables"]
    assert oracle["steps"] > 0
    assert wrong["problem"].startswith("CheckpointError")
    assert result["processors"] < 2


def test_a_host_that_others_reach_is_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(
        ["play", "zero", "--host", "0.0.0.0", "--port", "18311", "--seconds", "0.1", "--json", "-"]
    )
    assert status == 0
    assert "anybody who reaches 0.0.0.0 can play here" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--hz", "0"], "--hz is a number above 0"),
        (["--host", "no-such.invalid"], "--host no-such.invalid is no address"),
        (["--host", "192.0.2.1"], "--host 192.0.2.1 is no address"),
        (["--port", "70000"], "--port is from 0"),
        (["--seconds", "-1"], "--seconds is a number above 0"),
        (["--hz", "inf"], "--hz is a number above 0"),
        (["--family", "block2blok"], "Did you mean 'block2block'"),
        (["--block-mode", "BLOCK_9"], "unknown block mode"),
        (["--plan-every", "-1"], "--plan-every is a number of steps"),
        (["rt1-nan"], "Did you mean 'rt1-nano'"),
        (["oracle"] * 5, "4 tables are all that fit"),
    ],
)
def test_mistakes_are_told_before_there_is_a_page(
    flags: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["play", "--port", "18312", "--seconds", "0.1", *flags]) == MISTAKE
    written = capsys.readouterr()
    assert said in written.err
    assert "play at" not in written.out


def test_without_viser_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "viser", None)
    assert main(["play", "oracle", "--seconds", "0.1"]) == MISTAKE
    assert "sayact[play]" in capsys.readouterr().err
