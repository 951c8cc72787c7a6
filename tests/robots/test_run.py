"""`sayact run`, as a person has it: with a terminal, without one, and with the stop key."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sayact.cli import main
from sayact.commands.run_display import Display
from sayact.data.dataset import Dataset
from sayact.policies.loading import load_policy
from sayact.robots.loading import make_robot
from sayact.schema.errors import SayactError, UnknownNameError
from sayact.serve.server import start_in_thread

EXAMPLE = Path(__file__).parents[2] / "examples" / "my_robot.py"
MY_ARM = f"{EXAMPLE}:MyArm"
SENTENCE = "push the red moon to the blue cube"
PATIENCE = 60.0  # seconds for a command to begin on a busy machine


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, *arguments: str) -> None:
        self._person, program = pty.openpty()
        self.before = termios.tcgetattr(program)
        self._program = program
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sayact.cli", "run", *arguments],
            stdin=program,
            stdout=program,
            stderr=program,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "150", "LINES": "40"},
        )
        self.screen = ""

    def until(self, shown: Callable[[str], object]) -> None:
        """Read the screen until it shows this."""
        end = time.monotonic() + PATIENCE
        while not shown(self.screen):
            assert time.monotonic() < end, self.screen
            if select.select([self._person], [], [], 0.1)[0]:
                text = os.read(self._person, 65536).decode(errors="replace")
                self.screen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)

    def type(self, keys: str) -> None:
        os.write(self._person, keys.encode())

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def ended(self) -> int:
        """The exit status, after everything on the screen was read."""
        self.until(lambda _: self._process.poll() is not None)
        while select.select([self._person], [], [], 0.2)[0]:
            self.screen += os.read(self._person, 65536).decode(errors="replace")
        assert termios.tcgetattr(self._program) == self.before, "the terminal is as it was"
        os.close(self._person)
        os.close(self._program)
        return self._process.returncode


def moving(screen: str) -> object:
    return re.search(r"step [3-9]", screen)


@pytest.mark.parametrize("key", ["\x1b", " ", "\x03"])
def test_the_stop_key(key: str) -> None:
    terminal = Terminal(MY_ARM, "--policy", "random", "--instruction", SENTENCE)
    terminal.until(moving)
    if key == "\x03":  # the terminal is not the session's own here: what Ctrl-C would send
        terminal.signal(signal.SIGINT)
    else:
        terminal.type(key)
    assert terminal.ended() == 1
    assert "stopped" in terminal.screen
    assert "latency, ms" in terminal.screen, "the report is told all the same"


def test_a_typed_sentence_is_the_new_instruction_and_enter_ends_the_episode() -> None:
    terminal = Terminal(MY_ARM, "--policy", "random", "--instruction", SENTENCE)
    terminal.until(moving)
    terminal.type("come back")
    terminal.until(lambda screen: "› come back" in screen)
    terminal.type("\n")
    terminal.until(lambda screen: "acts  come back" in screen)
    terminal.type("\n")
    assert terminal.ended() == 0
    assert f"success: {SENTENCE} → come back" in terminal.screen


def test_a_stop_between_two_episodes_is_told(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Display, "ended", lambda *_: signal.raise_signal(signal.SIGTERM))
    asked = ["--policy", "zero", "--instruction", SENTENCE, "--steps", "3", "--episodes", "2"]
    assert main(["run", MY_ARM, *asked]) == 1
    assert "ended after 1 of 2 episodes: SIGTERM was received" in capsys.readouterr().out


def test_without_a_terminal_there_are_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--policy", "zero", "--instruction", SENTENCE, "--steps", "13"]
    assert main(["run", MY_ARM, *arguments]) == 0
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert said.count(SENTENCE) in (3, 4), "a line a second, and the result"
    assert "13 in" in said


def test_a_world_is_told_its_own_task_and_tells_success(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out, folder = tmp_path / "run.json", tmp_path / "recorded"
    asked = ["--policy", "oracle", "--hz", "50", "--families", "separate", "--episodes", "2"]
    kept = ["--json", str(out), "--record", str(folder)]
    assert main(["run", "language_table", *asked, *kept]) == 0
    episodes = json.loads(out.read_text())["episodes"]
    assert [e["success"] for e in episodes] == [True, True]
    assert "2 of 2" in capsys.readouterr().out
    dataset = Dataset.open(folder)
    assert dataset.tasks == list(dict.fromkeys(e["instructions"][0] for e in episodes))
    assert main(["data", "check", str(folder)]) == 0


def test_the_example_is_limited_recorded_and_trainable(tmp_path: Path) -> None:
    arguments = ["--policy", "rt1-nano", "--instruction", SENTENCE, "--steps", "12"]
    assert main(["run", MY_ARM, *arguments, "--record", str(tmp_path)]) == 0
    episode = Dataset.open(tmp_path).episode(0)
    assert abs(episode.executed).max() <= 0.03 + 1e-6  # type: ignore[arg-type]  # 0.3 m/s at 10 Hz
    assert episode.instruction == SENTENCE


def test_a_dry_run_records_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--policy", "random", "--instruction", SENTENCE, "--steps", "3", "--dry-run"]
    assert main(["run", MY_ARM, *arguments, "--record", str(tmp_path / "x")]) == 0
    assert "nothing was applied" in capsys.readouterr().out
    assert not (tmp_path / "x").exists()


def test_a_policy_behind_a_socket(capsys: pytest.CaptureFixture[str]) -> None:
    with start_in_thread(load_policy("zero")) as server:
        arguments = ["--policy", server.url, "--instruction", SENTENCE, "--steps", "5"]
        assert main(["run", MY_ARM, *arguments]) == 0
    assert "5 in" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["kitchen", "--policy", "zero"], "language_table"),
        ([MY_ARM, "--policy", "zero"], "instruction"),
        ([MY_ARM, "--policy", "oracle", "--instruction", "x"], "oracle"),
        (["language_table", "--policy", "zero", "--hz", "0"], "0 Hz"),
        (["language_table", "--policy", "ws://127.0.0.1:9x"], "ws://"),
        ([MY_ARM, "--policy", "zero", "--families", "separate"], "family"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert says in said


def test_a_robot_is_found_by_file_and_by_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a_robot_of_mine.py").write_text(EXAMPLE.read_text() + "\n\nNUMBER = 3\n")
    monkeypatch.chdir(tmp_path)
    for name in ("a_robot_of_mine:MyArm", "a_robot_of_mine.py:MyArm", MY_ARM):
        assert type(make_robot(name)).__name__ == "MyArm"
    with pytest.raises(UnknownNameError, match="MyArm"):
        make_robot("a_robot_of_mine:MyArn")
    with pytest.raises(SayactError, match="no module"):
        make_robot("nowhere_at_all:MyArm")
    with pytest.raises(SayactError, match=r"there is no .*missing\.py"):
        make_robot("missing.py:MyArm")
    with pytest.raises(SayactError, match="observe, apply, stop, action_space missing"):
        make_robot("pathlib:Path")
