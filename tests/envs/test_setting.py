"""Settings change the picture as they say, and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from sayact.envs.language_table import simulator as simulator_module
from sayact.envs.language_table.blocks import BLOCK_HEIGHT
from sayact.envs.language_table.camera import FORWARD, OFFICIAL, View, project, unproject
from sayact.envs.language_table.dressing import jittered
from sayact.envs.language_table.setting import (
    EFFECTORS,
    MOST_TILES,
    PLAIN,
    TEXTURES,
    Look,
    Setting,
    Table,
    Tile,
)
from sayact.envs.language_table.simulator import Simulator
from sayact.envs.language_table.textures import paint_texture
from sayact.schema.errors import SayactError, ShapeError, UnknownNameError

BLOCKS = {"red_moon": (0.45, -0.1, 0.5), "blue_cube": (0.30, 0.08, 1.0)}
EFFECTOR = (0.2, -0.2)
TOP = 0.937  # how bright a face is that looks up
QUARTERS = {(-1, -1): (255, 0, 0), (1, -1): (0, 255, 0), (-1, 1): (0, 0, 255), (1, 1): (255,) * 3}


def quarters(xy: tuple[float, float] = (0.45, 0.1), **options) -> Tile:
    """A tile of four colours: red and green above, blue and white below."""
    picture = np.empty((64, 64, 3), np.uint8)
    for (right, down), color in QUARTERS.items():
        rows, columns = slice(0, 32) if down < 0 else slice(32, 64), slice(0, 32)
        picture[rows, columns if right < 0 else slice(32, 64)] = color
    return Tile(name="quarters", xy=xy, picture=picture, **options)


VARIED = Setting(
    look=Look(
        board_texture="wood", floor_texture="checker", shadows=True, color_jitter=0.1, arm=(0, 0, 1)
    ),
    view=View(shift=(0.02, 0.05, 0.03), turn=(0.02, 0.1, -0.05)),
    tiles=(quarters(), quarters((0.3, -0.1))),
    table=Table(size=(0.4, 0.5), yaw=0.2),
    effector="ball",
)


@pytest.fixture(scope="module")
def simulator():
    made = Simulator()
    yield made
    made.close()


def seen(simulator: Simulator, setting: Setting = PLAIN, blocks=BLOCKS) -> np.ndarray:
    simulator.place(blocks, EFFECTOR, setting)
    return simulator.render().astype(int)


def at(picture: np.ndarray, xy, view: View = OFFICIAL, z: float = 0.0) -> list[int]:
    """The colour of a point of the board."""
    x, y = np.round(project(np.array(xy, float), z, view) - 0.5).astype(int)
    return picture[y, x].tolist()


def moved_blocks(setting: Setting) -> dict:
    simulator = Simulator()
    simulator.place(BLOCKS, (0.45, -0.17), setting)
    for step in range(15):
        simulator.step((0.45 - 0.005 * step, -0.17 + 0.015 * step))
    return simulator.state().blocks


# --- the robot's own world stays what it is ---


def test_settings_leave_no_trace(simulator: Simulator) -> None:
    before = seen(Simulator())
    assert (seen(simulator, VARIED) != before).any(2).mean() > 0.5
    np.testing.assert_array_equal(seen(simulator), before)


def test_blocks_move_alike_in_all_settings() -> None:
    plain = moved_blocks(PLAIN)
    assert plain["red_moon"] != pytest.approx(BLOCKS["red_moon"], abs=0.02)
    assert moved_blocks(VARIED) == plain


def test_another_setting_needs_no_other_model(simulator: Simulator, monkeypatch) -> None:
    seen(simulator)
    monkeypatch.setattr(simulator_module, "build_model", None)
    seen(simulator, VARIED)
    with pytest.raises(TypeError):
        seen(simulator, VARIED, blocks={"red_star": (0.4, 0.0, 0.0)})


def test_other_blocks_in_the_same_setting(simulator: Simulator) -> None:
    """The model is another one, and so is what the camera has to load."""
    others = {"green_star": (0.4, 0.0, 0.0)}
    seen(simulator, VARIED)
    np.testing.assert_array_equal(
        seen(simulator, VARIED, others), seen(Simulator(), VARIED, others)
    )


# --- tiles ---


@pytest.mark.parametrize("view", [OFFICIAL, VARIED.view], ids=["official", "moved"])
@pytest.mark.parametrize("yaw", [0.0, 0.6])
@pytest.mark.parametrize("side", [0.08, 0.05])
def test_tiles_lie_upright_where_they_should(
    simulator: Simulator, view: View, yaw: float, side: float
) -> None:
    tile = quarters(yaw=yaw, side=side)
    picture = seen(simulator, Setting(tiles=(tile,), view=view))
    # The picture's right is y, its down is x; a turn by yaw is counterclockwise.
    right = np.array([-np.sin(yaw), np.cos(yaw)])
    down = np.array([np.cos(yaw), np.sin(yaw)])
    for (across, along), color in QUARTERS.items():
        for share in (0.3, 0.75):
            spot = np.array(tile.xy) + share * side / 2 * (across * right + along * down)
            np.testing.assert_allclose(at(picture, spot, view), TOP * np.array(color), atol=25)
    beside = np.array(tile.xy) + 0.6 * side * right
    assert max(at(picture, beside, view)) < 60  # the board


def test_blocks_stand_on_tiles_and_tiles_on_each_other(simulator: Simulator) -> None:
    under = quarters(BLOCKS["red_moon"][:2], side=0.1)
    over = quarters((0.45, -0.06), side=0.06)
    picture = seen(simulator, Setting(tiles=(under, over)))
    assert at(picture, (0.449, -0.098), z=BLOCK_HEIGHT) == at(
        seen(simulator), (0.449, -0.098), z=BLOCK_HEIGHT
    )
    np.testing.assert_allclose(at(picture, (0.435, -0.075)), (239, 0, 0), atol=5)  # over's corner


def test_most_tiles(simulator: Simulator) -> None:
    spots = [(0.28 + 0.16 * row, 0.1 * column - 0.2) for row in (0, 1) for column in range(5)]
    picture = seen(simulator, Setting(tiles=tuple(quarters(xy) for xy in spots)), {})
    arm = simulator.arm_mask()
    for x, y in spots:
        column, row = project(np.array([x - 0.02, y + 0.02]), 0.0).astype(int)
        if not arm[row, column]:
            assert picture[row, column, 1] > 200  # green


# --- colours, textures, light ---


def test_plain_colors(simulator: Simulator) -> None:
    look = Look(board=(0.2, 0.4, 0.6), floor_right=(0.5, 0.1, 0.3))
    picture = seen(simulator, Setting(look=look))
    assert at(picture, (0.5, 0.0)) == pytest.approx([255 * TOP * c for c in look.board], abs=2)
    assert picture[175, 310].tolist() == pytest.approx(
        [255 * TOP * c for c in look.floor_right], abs=2
    )


@pytest.mark.parametrize("texture", TEXTURES)
def test_textures_run_between_two_colors(simulator: Simulator, texture: str) -> None:
    ground, ink = (0.9, 0.6, 0.2), (0.1, 0.2, 0.6)
    look = Look(board=ground, board_texture=texture, board_ink=ink, seed=3)
    picture, plain = seen(simulator, Setting(look=look), {}), seen(simulator, PLAIN, {})
    changed = (picture != plain).any(2)
    board = (plain == plain[120, 160]).all(2)
    assert changed[board].all()
    assert not changed[~board].any()
    reds = picture[board][:, 0]
    assert reds.std() > 8  # not one colour
    assert 0.1 * 239 - 3 < reds.min() < reds.max() < 0.9 * 239 + 3
    np.testing.assert_array_equal(picture, seen(simulator, Setting(look=look), {}))
    other = seen(simulator, Setting(look=replace(look, seed=5)), {})
    assert (other != picture).any()


def test_the_floor_has_textures_too(simulator: Simulator) -> None:
    picture = seen(simulator, Setting(look=Look(floor_texture="speckle")), {})
    plain = seen(simulator, PLAIN, {})
    np.testing.assert_array_equal(picture[100, 100:200], plain[100, 100:200])  # the board
    floor = slice(0, 100), slice(0, 20)
    assert (picture[floor] != plain[floor]).any()


@pytest.mark.parametrize("texture", TEXTURES)
def test_textures_repeat_without_a_seam(texture: str) -> None:
    picture = paint_texture(texture, (0, 0, 0), (1, 1, 1), np.random.default_rng(0)).astype(int)
    steps = np.abs(np.diff(picture[..., 0], axis=1)).mean(0)
    seam = np.abs(picture[:, 0, 0] - picture[:, -1, 0]).mean()
    assert seam <= 1.2 * steps.max()


def test_shadows_only_darken(simulator: Simulator) -> None:
    plain, shady = seen(simulator), seen(simulator, Setting(look=Look(shadows=True)))
    assert (shady <= plain + 1).all()
    darker = (shady < plain - 8).any(2)
    assert 0.01 < darker.mean() < 0.3
    mask = simulator.arm_mask()
    seen(simulator)
    np.testing.assert_array_equal(mask, simulator.arm_mask())


def test_light_from_elsewhere_shades_other_sides(simulator: Simulator) -> None:
    for side in (-1, 1):
        look = Look(light_from=(0.2, 0.8 * side, 0.6))
        picture = seen(simulator, Setting(look=look), {"red_cube": (0.4, 0.0, np.pi / 4)})
        left, right = (at(picture, (0.42, 0.012 * way), z=0.015)[0] for way in (-1, 1))
        assert (right - left) * side > 20


def test_colors_of_blocks_shift_within_the_jitter(simulator: Simulator) -> None:
    look = Look(color_jitter=0.1, seed=4)
    spot = BLOCKS["blue_cube"][:2]
    plain = at(seen(simulator), spot, z=BLOCK_HEIGHT)
    shifted = at(seen(simulator, Setting(look=look)), spot, z=BLOCK_HEIGHT)
    assert shifted != plain
    assert np.abs(np.subtract(shifted, plain)).max() <= 0.1 * 239 + 1
    assert jittered((0.0, 1.0, 0.5), 0.0, np.random.default_rng(0)) == (0.0, 1.0, 0.5)


# --- table, effector, camera ---


def test_another_table(simulator: Simulator) -> None:
    table = Table(centre=(0.4, 0.05), size=(0.2, 0.3))
    picture = seen(simulator, Setting(table=table), {})
    for x, y in ((0.31, -0.09), (0.31, 0.19), (0.49, -0.09), (0.49, 0.19)):
        assert at(picture, (x, y)) == [47, 47, 47]
    for x, y in ((0.52, 0.0), (0.48, 0.22), (0.4, -0.12)):
        assert at(picture, (x, y)) != [47, 47, 47]
    turned = seen(simulator, Setting(table=replace(table, yaw=0.3)), {})
    # Counterclockwise: the right half goes up, away from its lower corner.
    assert at(turned, (0.49, 0.19)) != [47, 47, 47]
    assert at(turned, (0.51, -0.03)) == [47, 47, 47]


@pytest.mark.parametrize("effector", EFFECTORS[1:])
def test_other_effectors_are_seen_where_the_official_one_is(
    simulator: Simulator, effector: str
) -> None:
    plain = seen(simulator)
    official = simulator.arm_mask()
    other = seen(simulator, Setting(effector=effector))
    mask = simulator.arm_mask()
    changed = (other != plain).any(2)
    assert 30 < changed.sum() < 900
    assert not changed[~(mask | official)].any()
    lowest, officially = (np.flatnonzero(shown.any(1)).max() for shown in (mask, official))
    assert abs(lowest - officially) <= 5


def test_the_arm_can_be_painted(simulator: Simulator) -> None:
    plain = seen(simulator)
    mask = simulator.arm_mask()
    painted = seen(simulator, Setting(look=Look(arm=(1, 0, 0), effector=(0, 1, 0))))
    assert (painted[mask][:, 2] == 0).all()
    rest = ~mask
    rest[:15] = False  # there the base plate shows, which counts as the world's
    np.testing.assert_array_equal(painted[rest], plain[rest])


def test_the_official_view_is_the_measured_one() -> None:
    np.testing.assert_array_equal(View().axes[2], FORWARD)
    xy = np.random.default_rng(0).uniform(-0.3, 0.6, (20, 2))
    np.testing.assert_array_equal(project(xy), project(xy, view=View()))


@pytest.mark.parametrize(
    ("turn", "moved"),
    [((0.1, 0, 0), (0, 1)), ((0, 0.1, 0), (1, 0)), ((0, 0, 0.1), (0, 0))],
    ids=["up", "left", "about the middle"],
)
def test_a_turned_camera_sees_the_middle_elsewhere(turn, moved) -> None:
    middle = unproject(np.array([160.0, 90.0]), 0.0)
    shift = project(middle, 0.0, View(turn=turn)) - (160.0, 90.0)
    np.testing.assert_allclose(shift, 256.96 * np.tan(0.1) * np.array(moved), atol=0.5)


def test_unproject_undoes_project_in_any_view() -> None:
    xy = np.random.default_rng(0).uniform((0.2, -0.2), (0.5, 0.2), (20, 2))
    for view in (OFFICIAL, VARIED.view, View(turn=(0.1, -0.2, 0.3))):
        np.testing.assert_allclose(unproject(project(xy, 0.01, view), 0.01, view), xy, atol=1e-5)


# --- errors ---


def test_settings_that_cannot_be() -> None:
    with pytest.raises(SayactError, match="at most 10 tiles"):
        Setting(tiles=(quarters(),) * (MOST_TILES + 1))
    with pytest.raises(UnknownNameError, match="cylinder"):
        Setting(effector="spoon")
    with pytest.raises(UnknownNameError, match="checker"):
        Look(board_texture="chequered")
    with pytest.raises(SayactError, match="above the board"):
        Look(light_from=(1.0, 0.0, -0.1))
    with pytest.raises(ShapeError, match=r"'three'.*\[32, 64, 3\]"):
        Tile(name="three", xy=(0.4, 0.0), picture=np.zeros((32, 64, 3), np.uint8))
