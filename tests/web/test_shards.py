"""Shards: the same bits from the same seed, whole or not there, and no leak into the test split."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sayact.cli import main
from sayact.schema.errors import SayactError
from sayact.web import shards
from sayact.web.shards import Settings, begin, open_writer, shard_path

SMALL = Settings(pictures=5, pages=2, lossless=True)


def write(settings: Settings, out: Path) -> list[bytes]:
    begin(settings, out)
    with open_writer(settings, out) as writer:
        for shard in range(settings.shards):
            writer(shard)
    return [shard_path(out, shard).read_bytes() for shard in range(settings.shards)]


def content(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as tar:
        return {m.name: tar.extractfile(m).read() for m in tar.getmembers()}  # type: ignore[union-attr]


def test_shards_hold_pictures_and_questions(tmp_path: Path) -> None:
    write(SMALL, tmp_path)
    found = content(tmp_path / "000000.tar")
    assert len(found) == 14
    kinds = []
    for key in range(7):
        record = json.loads(found[f"{key:08d}.json"])
        kinds.append(record["kind"])
        assert Image.open(io.BytesIO(found[f"{key:08d}.png"])).size == (320, 180)
        for question in record["questions"]:
            assert set(question) == {"question", "answer", "about", "language", "points"}
            assert len(question["points"]) >= 3
    assert kinds.count("page") == 2


def test_the_seed_fixes_every_bit_however_the_work_is_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = write(SMALL, tmp_path / "whole")
    assert write(SMALL, tmp_path / "again") == whole
    monkeypatch.setattr(shards, "SHARD", 3)
    begin(SMALL, tmp_path / "split")
    assert SMALL.shards == 3
    for shard in (2, 0, 1):  # in any order, each by a writer of its own
        with open_writer(SMALL, tmp_path / "split") as writer:
            writer(shard)
    found = {}
    for shard in range(3):
        found |= content(shard_path(tmp_path / "split", shard))
    assert found == content(tmp_path / "whole" / "000000.tar")


def test_a_killed_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHARD", 3)
    whole = write(SMALL, tmp_path)
    shard_path(tmp_path, 1).unlink()
    kept = shard_path(tmp_path, 0).stat().st_mtime_ns
    assert write(SMALL, tmp_path) == whole
    assert shard_path(tmp_path, 0).stat().st_mtime_ns == kept
    assert not list(tmp_path.glob("*.partial"))


def test_other_settings_do_not_mix(tmp_path: Path) -> None:
    begin(SMALL, tmp_path / "a")
    with pytest.raises(SayactError, match="other settings"):
        begin(Settings(pictures=6), tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "000000.tar").write_bytes(b"somebody else's")
    with pytest.raises(SayactError, match="not ours"):
        begin(SMALL, tmp_path / "b")
    with pytest.raises(SayactError, match="at least one"):
        Settings(pictures=0)


def test_tiles_are_a_share() -> None:
    with pytest.raises(SayactError, match="0 to 1"):
        Settings(tiles=1.5)

    def said(**settings: object) -> str:
        with open_writer(Settings(pictures=12, **settings), Path()) as writer:  # type: ignore[arg-type]
            return str([writer.example(i)[2] for i in range(12)])

    assert "plate" in said(tiles=1.0)
    assert "plate" not in said(tiles=0.0)


def test_no_picture_is_in_both_splits() -> None:
    def pictures(**settings: object) -> list[bytes]:
        with open_writer(Settings(pictures=6, **settings), Path()) as writer:  # type: ignore[arg-type]
            return [writer.example(i)[1].tobytes() for i in range(6)]

    train, test = pictures(), pictures(split="test")
    other = pictures(seed=1)
    assert len({*train, *test, *other}) == 18
    assert train == pictures()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "sheet.png"
    arguments = ["data", "web", "--out", str(tmp_path / "web"), "--pictures", "4", "--pages", "2"]
    assert main([*arguments, "--workers", "0", "--sheet", str(sheet), "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["pictures"] == 4
    assert np.asarray(Image.open(sheet)).std() > 10
    assert main([*arguments[:4], "--pictures", "9", "--workers", "0"]) == 2
    assert main(["data", "web", "--out", str(tmp_path / "y"), "--sheet", "sheet.jpg"]) == 2
    assert not (tmp_path / "y").exists()  # refused before the work
    assert main([*arguments[:4], "--tiles", "2", "--workers", "0"]) == 2
    assert main(["data", "web", "--out", str(tmp_path / "x"), "--kinds", "poetry"]) == 2
