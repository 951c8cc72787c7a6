"""Blocks that only the web data shows: outlines, block modes, and that no robot data holds them."""

import json
import re

import numpy as np
import pytest

from sayact import experiments
from sayact.config import to_json
from sayact.envs.language_table.blocks import (
    BLOCK_BEVEL,
    BLOCK_HEIGHT,
    BLOCK_MODES,
    BLOCKS,
    COLORS,
    POLE,
    RGB,
    ROBOT_MODES,
    SHAPES,
    check_blocks,
    color_of,
    outline,
    shape_of,
)
from sayact.envs.language_table.env import LanguageTableEnv
from sayact.envs.language_table.meshes import bevelled_prism, inset
from sayact.envs.language_table.scene import build_model
from sayact.envs.language_table.simulator import Simulator
from sayact.envs.language_table.starts import draw_block_set
from sayact.envs.language_table.web_blocks import (
    WEB_COLORS,
    WEB_MODES,
    WEB_SHAPES,
    centroid,
    radius_of_gyration_squared,
)
from sayact.experiments import find
from sayact.experiments.recipe import Experiment
from sayact.schema.errors import UnknownNameError

AWAY = (0.2, 0.28)  # an effector that hides nothing


def is_web_only(block: str) -> bool:
    """Whether a block has a colour or a shape that none of the sixteen has."""
    return color_of(block) in WEB_COLORS or shape_of(block) in WEB_SHAPES


def winding(plan: np.ndarray) -> np.ndarray:
    """Twice the area of the triangle from the origin to each edge: all positive if star-shaped."""
    after = np.roll(plan, -1, axis=0)
    return plan[:, 0] * after[:, 1] - plan[:, 1] * after[:, 0]


@pytest.mark.parametrize("shape", WEB_SHAPES)
def test_outlines_are_closed_centred_and_as_large_as_the_others(shape: str) -> None:
    plan = outline(shape)
    assert np.allclose(centroid(plan), 0, atol=1e-9)
    assert (winding(plan) > 0).all()
    assert (winding(inset(plan, BLOCK_BEVEL)) > 0).all(), "the bevel must not fold it"
    extent = np.ptp(plan, axis=0)
    assert extent.max() == pytest.approx(0.05, abs=0.012)
    assert 0.4 < winding(plan).sum() / winding(outline("cube")).sum() < 1.2
    _, normals, _ = bevelled_prism(plan, height=BLOCK_HEIGHT, bevel=BLOCK_BEVEL, about_origin=True)
    assert np.isfinite(normals).all()


def test_inertia_of_a_square_is_the_textbook_s() -> None:
    square = np.array([(1.0, -1.0), (1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0)])
    assert radius_of_gyration_squared(square) == pytest.approx(2 / 3)


def test_a_long_block_is_harder_to_turn_than_a_compact_one() -> None:
    model = build_model(("red_bar", "red_cube", "red_drop"), picture=(180, 320))
    bar, cube, drop = (model.body(name).inertia[2] for name in ("red_bar", "red_cube", "red_drop"))
    assert bar > cube > drop > 0


def test_no_robot_mode_holds_what_only_the_web_shows() -> None:
    for blocks in ROBOT_MODES.values():
        assert {b for b in blocks if is_web_only(b)} <= {POLE}
    rng = np.random.default_rng(0)
    assert not any(is_web_only(b) for _ in range(200) for b in draw_block_set("N_CHOOSE_K", rng))
    assert not any(map(is_web_only, BLOCKS))


@pytest.mark.parametrize("name", experiments.names())
def test_no_recipe_trains_on_web_blocks_or_the_pole(name: str) -> None:
    found = re.findall(r'"block_mode": "(\w+)"', json.dumps(to_json(find(name, Experiment))))
    if name.startswith("rt1"):
        assert found, "a recipe of RT-1 says which blocks it collects with"
    for mode in found:
        assert mode in ROBOT_MODES
        assert not any(map(is_web_only, ROBOT_MODES[mode]))


def test_web_modes_hold_new_colours_and_new_shapes() -> None:
    eight = WEB_MODES["WEB_8"]
    assert len({color_of(b) for b in eight}) == len({shape_of(b) for b in eight}) == 8
    assert {color_of(b) for b in eight}.isdisjoint(COLORS)
    assert {shape_of(b) for b in eight}.isdisjoint(SHAPES)
    assert set(WEB_MODES["WEB_4"]) < set(eight)
    mixed = WEB_MODES["MIXED_8"]
    assert sum(map(is_web_only, mixed)) == 4
    assert {b for b in mixed if not is_web_only(b)} < set(BLOCK_MODES["BLOCK_8"])


def test_names_are_checked() -> None:
    check_blocks(["purple_heart", "red_heart", "purple_cube", "red_moon", POLE])
    for wrong in ("purple_banana", "mauve_heart", "heart"):
        with pytest.raises(UnknownNameError, match="purple"):
            check_blocks([wrong])


def look_of(simulator: Simulator, block: str, yaw: float, empty: np.ndarray) -> np.ndarray:
    """At half resolution, as small policies see it: how much of each pixel the block covers."""
    simulator.place({block: (0.4, 0.0, yaw)}, AWAY)
    changed = (np.abs(simulator.render().astype(float) - empty).max(-1) > 8).astype(float)
    return changed.reshape(90, 2, 160, 2).mean((1, 3))[32:62, 60:100]


def test_shapes_differ_at_half_resolution() -> None:
    """No turn of one shape looks like any turn of another."""
    simulator = Simulator()
    simulator.place({}, AWAY)
    empty = simulator.render().astype(float)
    turns = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    looks = {
        shape: np.array([look_of(simulator, f"red_{shape}", turn, empty) for turn in turns])
        for shape in (*SHAPES, *WEB_SHAPES)
    }
    simulator.close()
    for shape in WEB_SHAPES:
        for other in looks:
            if other != shape:
                apart = np.abs(looks[shape][:, None] - looks[other][None]).sum((2, 3))
                assert apart.min() > 8, f"{shape}, {other}: {apart.min():.1f} pixels"


def test_colours_are_well_apart() -> None:
    shades = {name: np.array(rgb) for name, rgb in RGB.items()}
    for name in WEB_COLORS:
        for other, rgb in shades.items():
            if other != name:
                assert np.abs(shades[name] - rgb).max() >= 0.24, f"{name} and {other}"


@pytest.mark.parametrize("family", ["block2block", "point2block"])
def test_the_oracle_works_with_web_blocks(family: str) -> None:
    env = LanguageTableEnv(
        family=family, block_mode="WEB_8", seed=3, max_steps=200, render_observations=False
    )
    oracle = env.oracle()
    for _ in range(2):
        _, info = env.reset()
        oracle.reset()
        done = False
        while not done:
            _, _, terminated, truncated, info = env.step(oracle.act().values)
            done = terminated or truncated
        assert info["success"]
    env.close()
