"""The picture, against four pictures of the original simulator."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sayact.envs.language_table.bench import arm_by_color, compare_frames, draw
from sayact.envs.language_table.rendering import backends_to_try, open_context
from sayact.envs.language_table.simulator import Simulator
from sayact.schema.errors import RenderingError, UnknownNameError

FRAMES = Path(__file__).parents[1] / "golden/language_table/frames"
WORLD_PAGE = Path(__file__).parents[2] / "docs/world.md"


def test_pictures_match_the_originals():
    figures = compare_frames(FRAMES)
    assert figures.mean_abs_diff < 0.5  # of 255; the aim was 6
    assert figures.mean_abs_diff_with_arm < 1.2
    page = WORLD_PAGE.read_text()
    for name, measured in (
        ("outside the arm", figures.mean_abs_diff),
        ("with the arm", figures.mean_abs_diff_with_arm),
    ):
        written = re.search(rf"\| {name} \| ([0-9.]+) \|", page)
        assert written is not None
        assert float(written[1]) == pytest.approx(measured, abs=0.05)


def test_colours_are_the_originals():
    simulator = Simulator()
    simulator.place({"red_cube": (0.45, 0.0, 0.0)}, np.array([0.2, -0.2]))
    picture = simulator.render()
    simulator.close()
    assert picture.shape == (180, 320, 3)
    assert picture.dtype == np.uint8
    assert picture[100, 240].tolist() == [47, 47, 47]  # board
    assert picture[175, 20].tolist() == [162, 186, 224]  # floor, left half
    assert picture[175, 300].tolist() == [239, 239, 239]  # floor, right half
    colors = {tuple(color) for color in picture[90:140, 140:180].reshape(-1, 3).tolist()}
    assert (239, 95, 95) in colors  # top of the block
    assert (153, 61, 61) in colors  # its side


def test_the_arm_stands_where_the_originals_does():
    for state in json.loads((FRAMES / "states.json").read_text()):
        theirs = arm_by_color(np.array(Image.open(FRAMES / state["file"]).convert("RGB")))
        _, ours = draw(state, picture=(180, 320))
        overlap = (ours & theirs).sum() / (ours | theirs).sum()
        assert overlap > 0.8


def test_the_arm_does_not_touch_blocks():
    """The forearm reaches over blocks near the robot; only the effector may move them."""
    simulator = Simulator()
    simulator.place({"red_cube": (0.40, 0.0, 0.3)}, np.array([0.5, 0.0]))
    simulator.settle(0.5)
    before = simulator.state().blocks["red_cube"]
    for _ in range(10):
        simulator.step(np.array([0.5, 0.0]))
    assert simulator.state().blocks["red_cube"] == pytest.approx(before, abs=1e-6)


def test_the_users_choice_of_backend_counts_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    assert backends_to_try() == ("egl", "osmesa")
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    assert backends_to_try() == ("osmesa",)
    monkeypatch.setenv("MUJOCO_GL", "vulkan")
    with pytest.raises(UnknownNameError, match="osmesa"):
        backends_to_try()


@pytest.mark.parametrize("backend", ["vulkan", "egl"])
def test_a_backend_that_does_not_load_is_one_line(backend: str):
    """MuJoCo loads the user's choice while it is imported; here no EGL driver is to be found."""
    nowhere = {"__EGL_VENDOR_LIBRARY_DIRS": "/nowhere", "LIBGL_DRIVERS_PATH": "/nowhere"}
    arguments = [sys.executable, "-m", "sayact.cli", "bench", "world", "--steps", "1"]
    surroundings = os.environ | nowhere | {"MUJOCO_GL": backend}
    done = subprocess.run(arguments, capture_output=True, text=True, env=surroundings, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("sayact: ")
    assert done.stderr.count("\n") == 1
    assert "libegl1" in done.stderr
    assert "libosmesa6" in done.stderr


def test_no_backend_names_the_packages(monkeypatch: pytest.MonkeyPatch):
    def fails(name: str) -> None:
        raise ImportError(f"no library for {name}")

    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr("importlib.import_module", fails)
    with pytest.raises(RenderingError, match=r"libegl1.*libosmesa6"):
        open_context(180, 320)
