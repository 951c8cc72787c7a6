"""A list of starts that changed has a new version."""

import json
from pathlib import Path

import pytest

from sayact.evals.suites import digest
from sayact.schema.errors import SayactError

FILE = Path(__file__).parent / "versions.json"
REMEDY = f"give the suite a new version, then: python -m sayact.evals.suites.digest {FILE}"


def test_the_lists_are_those_of_their_versions() -> None:
    now = digest.found()
    before = json.loads(FILE.read_text())
    assert digest.changed_without_version(before, now) == [], REMEDY
    assert now == before, REMEDY


def test_a_changed_list_under_its_old_version_is_not_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "versions.json"
    for version, content in ((1, "a"), (2, "b")):
        now = {"sums": {"version": version, "digest": content}}
        monkeypatch.setattr(digest, "found", lambda now=now: now)
        digest.main([str(file)])
        assert json.loads(file.read_text()) == now
    monkeypatch.setattr(digest, "found", lambda: {"sums": {"version": 2, "digest": "c"}})
    with pytest.raises(SayactError, match="the starts of sums changed"):
        digest.main([str(file)])
    assert json.loads(file.read_text())["sums"]["digest"] == "b"
