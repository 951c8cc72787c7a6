"""Collecting with workers: the same dataset whatever happened on the way."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from toy_player import TOY_SPEC, MakeToyPlayer

from sayact.data import Dataset, check
from sayact.evals.collect import collect, collect_with
from sayact.schema import RT2
from sayact.schema.errors import (
    ActionSpaceMismatchError,
    BadActionError,
    SayactError,
    UnknownNameError,
)
from sayact.testing import FixedPolicy

HERE = Path(__file__).parent

SLOW_RUN = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
from toy_player import TOY_SPEC, MakeToyPlayer
from sayact.evals.collect import collect_with

if __name__ == "__main__":
    collect_with(
        MakeToyPlayer(seconds=0.03), TOY_SPEC, out=sys.argv[1], episodes=30, progress=False
    )
"""


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def test_workers_change_nothing(tmp_path: Path) -> None:
    for workers in (0, 2):
        report = collect_with(
            MakeToyPlayer(),
            TOY_SPEC,
            out=tmp_path / str(workers),
            episodes=7,
            workers=workers,
            progress=False,
        )
        assert (report.episodes, report.frames, report.attempts) == (7, 28, 10)
        assert report.success_rate == pytest.approx(0.7)
    assert contents(tmp_path / "0") == contents(tmp_path / "2")
    assert check(tmp_path / "2", progress=False).problems == ()


def test_collecting_more_goes_on(tmp_path: Path) -> None:
    for episodes, new, total in ((3, 3, 3), (5, 2, 5), (5, 0, 5), (2, 0, 5)):
        report = collect_with(
            MakeToyPlayer(), TOY_SPEC, out=tmp_path, episodes=episodes, workers=0, progress=False
        )
        assert (report.episodes, report.total) == (new, total)
    assert [r.instruction for r in Dataset.open(tmp_path).episodes] == [
        f"number {i}" for i in range(5)
    ]


def test_kill_9_and_resume(tmp_path: Path) -> None:
    """Kill the whole run in the middle; what was finished stays, and the end is the same."""
    script = tmp_path / "run.py"
    script.write_text(SLOW_RUN.format(here=str(HERE)))
    killed = tmp_path / "killed"
    with subprocess.Popen([sys.executable, script, killed], start_new_session=True) as process:
        deadline = time.monotonic() + 60
        while len(list(killed.glob("staging/*.parquet"))) < 6 and time.monotonic() < deadline:
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    finished = len(Dataset.open(killed))
    assert 6 <= finished < 30
    _wait_for_orphans(killed)
    assert check(killed, progress=False).problems == ()

    def run(folder: Path) -> int:
        player = MakeToyPlayer()
        return collect_with(
            player, TOY_SPEC, out=folder, episodes=30, workers=0, progress=False
        ).episodes

    assert run(killed) <= 30 - finished
    assert run(tmp_path / "unbroken") == 30
    assert contents(killed) == contents(tmp_path / "unbroken")


def _wait_for_orphans(folder: Path) -> None:
    """Workers whose parent was killed stop by themselves, within the episode they are at."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        before = set(folder.glob("staging/*"))
        time.sleep(1.0)
        if set(folder.glob("staging/*")) == before:
            return
    pytest.fail("workers went on without their parent")


@pytest.mark.parametrize("workers", [0, 1])
def test_a_mistake_stops_and_keeps(tmp_path: Path, workers: int) -> None:
    with pytest.raises(SayactError, match="no such block"):
        collect_with(
            MakeToyPlayer(broken_at=2),
            TOY_SPEC,
            out=tmp_path,
            episodes=4,
            workers=workers,
            progress=False,
        )
    assert len(Dataset.open(tmp_path)) == 2


def test_a_crash_shows_its_trace(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        collect_with(
            MakeToyPlayer(broken_at=0, mistake=False),
            TOY_SPEC,
            out=tmp_path,
            episodes=1,
            workers=1,
            progress=False,
        )


def test_wrong_names(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="block2block"):
        collect(out=tmp_path / "a", episodes=1, families=["block2blok"])
    with pytest.raises(UnknownNameError, match="language_table"):
        collect("chess", out=tmp_path / "a", episodes=1)
    with pytest.raises(SayactError, match="share"):
        collect(out=tmp_path / "a", episodes=1, noise=3.0)
    with pytest.raises(UnknownNameError, match="N_CHOOSE_K"):
        collect(out=tmp_path / "a", episodes=1, block_mode="BLOCK_9")
    with pytest.raises(SayactError, match="separate needs 2 blocks"):
        collect(out=tmp_path / "a", episodes=1, families=["separate"], block_mode="BLOCK_1")
    with pytest.raises(SayactError, match="seed at least 0"):
        collect(out=tmp_path / "a", episodes=1, seed=-1)
    with pytest.raises(SayactError, match="at least 1 episode"):
        collect(out=tmp_path / "a", episodes=0)
    assert not (tmp_path / "a").exists()


def test_a_mistake_does_not_spoil_the_folder(tmp_path: Path) -> None:
    """The right command may be given again after a wrong one that kept nothing."""
    settings = {"episodes": 1, "families": ["point2block"], "workers": 0, "progress": False}
    with pytest.raises(UnknownNameError, match="oracle"):
        collect(out=tmp_path, policy="nobody", **settings)
    collect(out=tmp_path, **settings)
    assert len(Dataset.open(tmp_path)) == 1
    with pytest.raises(SayactError, match="holds another dataset"):
        collect(out=tmp_path, policy="zero", **settings)


def test_language_table(tmp_path: Path) -> None:
    """Each row: the state before the action, what the oracle says, what was done."""
    families = ["point2block", "block2block"]
    report = collect(
        out=tmp_path, episodes=2, families=families, noise=0.2, workers=0, seed=3, progress=False
    )
    dataset = Dataset.open(tmp_path)
    assert report.frames == dataset.frames
    assert [row.info["family"] for row in dataset.episodes] == families
    for episode in dataset.iterate():
        assert episode.success
        assert episode.executed is not None
        assert not np.allclose(episode.executed, episode.actions)
        assert (np.abs(episode.executed) <= 0.1).all()
        set_points = episode.states[:, 2:]
        np.testing.assert_allclose(np.diff(set_points, axis=0), episode.executed[:-1], atol=1e-6)
        assert episode.images.shape == (len(episode), 180, 320, 3)
        assert episode.images.std() > 10
    pointing = dataset.episode(0)
    np.testing.assert_allclose(pointing.privileged["pushed_xy"], pointing.states[:, 2:])


def test_a_policy_that_speaks_of_something_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both action spaces are printed, as in an evaluation."""
    monkeypatch.setattr(
        "sayact.policies.loading.load_policy", lambda _: FixedPolicy(0.0, space=RT2)
    )
    with pytest.raises(ActionSpaceMismatchError, match=r"'rt2' \(.*'language_table' \("):
        collect(out=tmp_path, episodes=1, policy="fixed", workers=0, progress=False)


def test_nan_from_a_policy_is_never_executed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = FixedPolicy(0.01, float("nan"))
    monkeypatch.setattr("sayact.policies.loading.load_policy", lambda _: broken)
    with pytest.raises(BadActionError, match="delta_y is nan"):
        collect(out=tmp_path, episodes=1, policy="fixed", workers=0, progress=False)


def test_the_oracle_labels_what_a_policy_does(tmp_path: Path) -> None:
    """DAgger: the zero policy gets nowhere, is kept all the same, and told what to do."""
    collect(
        out=tmp_path,
        episodes=1,
        families=["point2block"],
        policy="zero",
        max_steps=4,
        workers=0,
        progress=False,
    )
    episode = Dataset.open(tmp_path).episode(0)
    assert len(episode) == 4
    assert not episode.success
    assert episode.executed is not None
    assert (episode.executed == 0).all()
    assert (np.linalg.norm(episode.actions, axis=1) > 0.005).all()
    np.testing.assert_allclose(episode.actions, episode.actions[:1].repeat(4, 0), atol=1e-6)
