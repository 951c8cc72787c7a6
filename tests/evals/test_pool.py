"""The pool with real processes: results, errors, and what happens when a process dies."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import toy_tasks

from sayact.evals.pool import SINGLE_THREAD, WorkerDiedError, run_tasks
from sayact.schema.errors import SayactError

HERE = Path(__file__).parent

SCRIPT = """
import sys
sys.path.insert(0, {here!r})
from toy_tasks import accidents
from sayact.evals.pool import run_tasks

if __name__ == "__main__":
    for _ in run_tasks(accidents, {tasks}, workers=2):
        print("done", flush=True)
"""


@contextmanager
def start(folder: Path, tasks: str) -> "Iterator[subprocess.Popen[str]]":
    """A program of its own; its standard output is open for as long as one of its workers lives."""
    script = folder / "run.py"
    script.write_text(SCRIPT.format(here=str(HERE), tasks=tasks))
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()  # a hanging one must fail the test, not stop it


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_any_number_of_workers_gives_the_same_results(workers: int) -> None:
    results = list(run_tasks(toy_tasks.squares, range(8), workers))
    assert sorted(results) == [(n, n**2) for n in range(8)]
    assert list(run_tasks(toy_tasks.squares, [], workers)) == []


def test_a_process_prepares_once_and_is_another_one() -> None:
    turns = [turn for _, turn in run_tasks(toy_tasks.turns, "abcd", 1)]
    assert [number for _, number in turns] == [0, 1, 2, 3]
    assert len({process for process, _ in turns}) == 1
    assert os.getpid() not in {process for process, _ in turns}


def test_a_worker_has_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.delenv("LP_NUM_THREADS", raising=False)
    assert dict(run_tasks(toy_tasks.environment, list(SINGLE_THREAD), 1)) == SINGLE_THREAD
    assert dict(run_tasks(toy_tasks.torch_threads, ["torch"], 1)) == {"torch": 1}
    assert os.environ["OMP_NUM_THREADS"] == "2"
    assert "LP_NUM_THREADS" not in os.environ


def test_a_mistake_arrives_as_such() -> None:
    with pytest.raises(SayactError, match="Did you mean 'red_moon'"):
        list(run_tasks(toy_tasks.accidents, ["mistake"], 1))
    with pytest.raises(SayactError, match="got -1"):
        list(run_tasks(toy_tasks.accidents, ["nothing"], -1))


@pytest.mark.parametrize(
    ("prepare", "place"), [(toy_tasks.accidents, "task 'crash'"), (toy_tasks.no_beginning, "start")]
)
def test_a_crash_arrives_with_place_and_trace(prepare: Callable, place: str) -> None:
    with pytest.raises(RuntimeError, match=rf"(?s){place}:\nTraceback.*toy_tasks.*ZeroDivision"):
        list(run_tasks(prepare, ["crash"], 1))


@pytest.mark.parametrize(("end", "code"), [("kill", -9), ("exit", 0)])
def test_a_dead_worker_is_noticed(end: str, code: int) -> None:
    with pytest.raises(WorkerDiedError, match=rf"exit codes \[{code}\].*fewer workers"):
        list(run_tasks(toy_tasks.accidents, [end, "never done"], 1))


def test_ctrl_c_is_not_for_workers() -> None:
    assert list(run_tasks(toy_tasks.accidents, ["ctrl-c"], 1)) == [("ctrl-c", "ctrl-c")]


def test_an_error_leaves_no_task_to_wait_for(tmp_path: Path) -> None:
    """More tasks than a pipe holds: the program must end although nobody takes them."""
    with start(tmp_path, '["mistake"] * 50_000') as process:
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "red_moon" in errors


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    with start(tmp_path, '["sleep"] * 1000') as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "done\n"
        process.kill()
        process.communicate(timeout=60)  # until the last holder of its output has ended
