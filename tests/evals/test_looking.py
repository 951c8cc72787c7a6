"""Where a policy looks on suites: judged on the board, under the camera of each start."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sayact.cli import main
from sayact.envs.language_table.camera import PICTURE, project
from sayact.envs.language_table.simulator import Simulator
from sayact.evals import looking
from sayact.evals.looking_tables import markdown_table, terminal_table
from sayact.evals.suites.catalogue import SUITES
from sayact.evals.suites.suite import first_sight, starts
from sayact.policies.loading import load_rt2
from sayact.policies.looking import look
from sayact.policies.rt2 import RT2Policy
from sayact.schema import Observation
from sayact.schema.errors import SayactError
from sayact.testing.tiny_rt2 import tiny_nano_vlm, tiny_text_processor


@pytest.fixture(scope="module")
def nano() -> RT2Policy:
    return load_rt2("rt2-nano", "say where it looks")


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    made = Simulator()
    yield made
    made.close()


@pytest.mark.parametrize("suite", ["seen", "sums", "environments_hard"])
def test_who_looks_at_the_truth_is_right_and_who_looks_beside_it_is_not(
    suite: str, simulator: Simulator, nano: RT2Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = [
        (start, first_sight(simulator, start), simulator.state())
        for start in starts(SUITES[suite], seed=7, episodes=4)
    ]

    def told(shift: float) -> None:
        def truth(_: RT2Policy, observations: Sequence[Observation]) -> np.ndarray:
            board = [
                [(0, 0), start.task.mover(state), start.task.goal(state)]
                for start, _, state in shown
            ]
            pixels = [
                project(np.array(xy) + shift, view=start.setting.view)
                for xy, (start, _, _) in zip(board, shown, strict=True)
            ]
            return (np.stack(pixels) / np.array(PICTURE[::-1])).astype(np.float32)

        monkeypatch.setattr(looking, "look", truth)

    told(0.01)
    found = looking.judge(nano, suite, shown)
    assert (found.asked, found.moved, found.goal) == (4, 4, 4)
    told(0.1)
    found = looking.judge(nano, suite, shown)
    assert (found.moved, found.goal) == (0, 0)


def test_the_policy_in_the_box_looks_at_what_it_moves(
    simulator: Simulator, nano: RT2Policy
) -> None:
    shown = [
        (start, first_sight(simulator, start), simulator.state())
        for start in starts(SUITES["seen"], seed=7, episodes=10)
    ]
    found = looking.judge(nano, "seen", shown)
    assert found.moved >= 8
    together = look(nano, [seen for _, seen, _ in shown])
    assert together.shape == (10, 3, 2)
    alone = look(nano, [shown[3][1]])
    np.testing.assert_allclose(together[3], alone[0], atol=1e-4)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet, result = tmp_path / "look.png", tmp_path / "look.json"
    asked = ["look", "rt2-nano", "--suite", "seen", "people", "--starts", "3", "--across", "2"]
    assert main([*asked, "--sheet", str(sheet), "--json", str(result)]) == 0
    assert "rt2-nano: goal" in capsys.readouterr().out
    pixels = np.asarray(Image.open(sheet).convert("RGB")).reshape(-1, 3).astype(int)
    for ink in (looking.MOVED_INK, looking.GOAL_INK):
        assert (np.abs(pixels - ink).sum(1) < 40).sum() > 100, "a ring of this colour"
    found = json.loads(result.read_text())
    assert [one["suite"] for one in found["rows"][0]["looked"]] == ["seen", "people"]
    assert all(one["asked"] == 3 for one in found["rows"][0]["looked"])
    assert "| people | **" in markdown_table(found)


def test_many_policies_have_a_line_each():
    row = {"policy": "x", "looked": [{"suite": "seen", "asked": 4, "moved": 3, "goal": 1}]}
    found = {
        "rows": [{**row, "policy": name} for name in "abcde"],
        "looking": {"episodes": 4, "seed": 0},
        "hardware": "here",
        "commit": "0",
    }
    assert "| e | 75 / 25 |" in markdown_table(found)
    few = found | {"rows": found["rows"][:2]}
    assert "b: goal" in markdown_table(few).replace("`", "")
    assert terminal_table(found).row_count == 5


def test_what_cannot_be(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["look", "rt1-nano"]) == 2
    assert "give an RT-2" in capsys.readouterr().err
    assert main(["look", "rt2-nano", "--starts", "0"]) == 2
    assert "at least 1 start" in capsys.readouterr().err
    processor = tiny_text_processor()
    blind = RT2Policy(tiny_nano_vlm(processor), processor)  # of the kind without FiLM
    with pytest.raises(SayactError, match="cannot say where it looks"):
        look(blind, [])
