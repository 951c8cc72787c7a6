"""Scenes of the table: drawn as the robot's world draws them, with every thing where it is said."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from sayact.envs.language_table.blocks import RGB, color_of, shape_of
from sayact.envs.language_table.camera import PICTURE, View
from sayact.envs.language_table.setting import PLAIN, Setting, Tile
from sayact.envs.language_table.simulator import Simulator
from sayact.web.scenes import (
    ALL_COLORS,
    ALL_SHAPES,
    RADIUS,
    ROBOT_OBJECTS,
    Objects,
    Scene,
    draw_scene,
)
from sayact.web.table import LEAST_SEEN, LEAST_TILE_SEEN, Painter, area
from sayact.web.tile_scenes import clear_of_tiles


@pytest.fixture(scope="module")
def painter() -> Iterator[Painter]:
    painter = Painter()
    yield painter
    painter.close()


def scene_of(**things: tuple[float, float, float]) -> Scene:
    colors = {name: RGB[color_of(name)] for name in things}
    return Scene(things=things, effector_xy=np.array((0.16, 0.3)), colors=colors)


def scenes(count: int, objects: Objects = "all") -> list[Scene]:
    return [draw_scene(np.random.default_rng([9, i]), objects) for i in range(count)]


@pytest.mark.parametrize("number", range(12))
def test_a_thing_is_drawn_in_its_colour_where_it_is_said_to_be(
    painter: Painter, number: int
) -> None:
    """All colours and all shapes, at places all over the board."""
    rng = np.random.default_rng(number)
    name = f"{ALL_COLORS[number]}_{ALL_SHAPES[(5 * number) % 12]}"
    pose = (0.2 + 0.03 * number, 0.25 - 0.04 * number, float(rng.uniform(0, 6)))
    scene = scene_of(**{name: pose})
    picture = painter.paint(scene).astype(float)
    x, y = (scene.place(name) * PICTURE[::-1]).astype(int)
    near = picture[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3)
    rgb = np.array(RGB[color_of(name)])
    shade = near @ rgb / (rgb @ rgb) / 255  # how brightly lit, if it is of this colour
    off = np.abs(near / 255 - shade[:, None] * rgb).max(1)
    assert np.median(off) < 0.03
    assert 0.5 < np.median(shade) < 1.0


def test_pictures_are_those_of_the_robot_s_world(painter: Painter) -> None:
    """Bit for bit, whatever was drawn before."""
    simulator = Simulator()
    things = [one.things for one in scenes(3)] + [scenes(1, "robot")[0].things]
    for each in things:
        scene = scene_of(**each)
        simulator.place(scene.things, scene.effector_xy)
        assert np.array_equal(painter.paint(scene), simulator.render())
    simulator.close()


def test_tables_with_tiles_are_those_of_the_robot_s_world(painter: Painter) -> None:
    """Whatever setting was painted before: no tile, texture or view is left behind."""
    simulator = Simulator()
    for index in range(8):
        scene = draw_scene(np.random.default_rng([6, index]), tiles=0.7)
        if scene.setting.look.color_jitter:  # drawn from another generator there
            painter.paint(scene)
            scene = replace(scene, setting=Setting(tiles=scene.setting.tiles))
            scene = replace(scene, colors={name: RGB[color_of(name)] for name in scene.things})
        simulator.place(scene.things, scene.effector_xy, scene.setting)
        assert np.array_equal(painter.paint(scene), simulator.render())
    simulator.close()


def test_a_tile_is_painted_where_it_is_said_to_be(painter: Painter) -> None:
    for x, y in ((0.25, -0.2), (0.4, 0.1), (0.52, 0.25)):
        plate = Tile(name="red plate", xy=(x, y), picture=np.full((64, 64, 3), (255, 0, 0), "u1"))
        scene = replace(scene_of(), setting=Setting(tiles=(plate,)))
        red = painter.paint(scene).astype(int) @ (1, -1, 0) > 100
        assert red.sum() == pytest.approx(area(scene, plate), rel=0.1)
        column, row = scene.in_picture(np.array(plate.xy)) * (320, 180)
        assert red[int(row), int(column)]
        assert painter.seen_tiles(scene) == pytest.approx(1.0, rel=0.1)


def test_tiles_lie_apart_and_mostly_clear_of_blocks(painter: Painter) -> None:
    """And what is left of a scene shows enough of each."""
    covered = total = 0
    for index in range(60):
        rng = np.random.default_rng([7, index])
        scene = draw_scene(rng, tiles=1.0)
        tiles = scene.setting.tiles
        assert tiles
        for i, one in enumerate(tiles):
            for other in tiles[:i]:
                gap = np.abs(np.subtract(one.xy, other.xy)).max()
                assert gap > (one.side + other.side) / 2
        for name, (x, y, _) in scene.things.items():
            total += 1
            covered += not clear_of_tiles((x, y), RADIUS[shape_of(name)], tiles)
        if index < 20:
            shown = painter.with_all_seen(scene, rng)
            if shown.setting.tiles:
                assert painter.seen_tiles(shown).min() >= LEAST_TILE_SEEN
    assert 0.04 < covered / total < 0.25


def test_a_table_with_tiles_is_what_its_share_says() -> None:
    drawn = [draw_scene(np.random.default_rng([9, i]), tiles=0.5) for i in range(200)]
    assert 0.4 < np.mean([bool(scene.setting.tiles) for scene in drawn]) < 0.6
    control = [draw_scene(np.random.default_rng(i), "robot", 1.0) for i in range(20)]
    assert not any(scene.setting.tiles for scene in control)
    assert not any(
        tile.name in {shape_of(thing) for thing in scene.things}
        for scene in drawn
        for tile in scene.setting.tiles
    )


def test_every_thing_can_be_seen(painter: Painter) -> None:
    hidden = 0
    for i, scene in enumerate(scenes(40)):
        hidden += int(painter.seen(scene).min() < LEAST_SEEN)
        shown = painter.with_all_seen(scene, np.random.default_rng(i))
        assert shown.things
        assert painter.seen(shown).min() >= LEAST_SEEN
    assert hidden, "the arm hides nothing: this tested nothing"


def test_an_arm_that_hides_a_thing_is_moved(painter: Painter) -> None:
    scene = replace(scene_of(red_moon=(0.25, 0.0, 0.0)), effector_xy=np.array((0.29, 0.0)))
    assert painter.seen(scene).min() < LEAST_SEEN
    assert not np.array_equal(
        painter.with_all_seen(scene, np.random.default_rng(0)).effector_xy, scene.effector_xy
    )


def test_a_camera_that_sees_no_thing_is_moved_back(painter: Painter) -> None:
    away = Setting(view=View(shift=(0.0, -0.3, 0.0)))
    scene = replace(scene_of(red_moon=(0.55, 0.25, 0.0)), setting=away)
    assert painter.seen(scene).max() < LEAST_SEEN
    shown = painter.with_all_seen(scene, np.random.default_rng(0))
    assert painter.seen(shown).min() >= LEAST_SEEN


def test_things_do_not_overlap_and_the_arm_touches_none() -> None:
    for scene in scenes(100):
        poses = list(scene.things.items())
        for i, (name, pose) in enumerate(poses):
            for other, there in poses[:i]:
                apart = np.hypot(pose[0] - there[0], pose[1] - there[1])
                assert apart >= RADIUS[shape_of(name)] + RADIUS[shape_of(other)] - 1e-9


def test_scenes_are_varied() -> None:
    drawn = scenes(400)
    counts = Counter(len(scene.things) for scene in drawn)
    assert set(counts) == set(range(1, 11))
    assert 4 <= np.mean([len(scene.things) for scene in drawn]) <= 6
    assert len({color_of(n) for s in drawn for n in s.things}) == 12
    assert len({shape_of(n) for s in drawn for n in s.things}) == 12
    assert 0.42 < np.mean([scene.setting == PLAIN for scene in drawn]) < 0.58
    several = [scene for scene in drawn if len(scene.things) > 1]
    for part in (color_of, shape_of):
        shared = [len(set(map(part, s.things))) < len(s.things) for s in several]
        assert np.mean(shared) > 0.4


def test_the_control_experiment_shows_the_robot_s_objects_only() -> None:
    assert {name for s in scenes(200, "robot") for name in s.things} == set(ROBOT_OBJECTS)
