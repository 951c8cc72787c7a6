"""A robot whose policy is on a server needs no torch."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "my_robot.py"

LIGHT = (
    "sayact.serve.client",
    "sayact.policies.remote",
    "sayact.robots.robot",
    "sayact.robots.loop",
)


@pytest.mark.parametrize("module", LIGHT)
def test_it_is_imported_without_torch_and_without_a_world(module: str) -> None:
    code = (
        f"import sys, {module}\n"
        "heavy = {'torch', 'mujoco', 'viser', 'transformers'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_loop_runs_without_torch() -> None:
    """Not only its import: a whole episode."""
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from sayact.policies.baselines import ZeroPolicy\n"
        "from sayact.robots.loop import ControlLoop\n"
        "from sayact.robots.loading import make_robot\n"
        f"robot = make_robot({str(EXAMPLE)!r} + ':MyArm')\n"
        "report = ControlLoop(robot, ZeroPolicy(), 50).run('walk', steps=3)\n"
        "sys.exit(report.counts.steps != 3)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
