"""The simulator: placement, determinism, block sets."""

import numpy as np
import pytest

from sayact.envs.language_table.blocks import (
    BLOCK_MODES,
    BLOCKS,
    SHAPES,
    all_subsets,
    convex_hull,
    outline,
    split_subsets,
)
from sayact.envs.language_table.simulator import Simulator
from sayact.schema.errors import UnknownNameError

EFFECTOR = np.array([0.25, 0.0])


def placed(*, height: int = 180, width: int = 320) -> Simulator:
    """Eight blocks in two rows, the effector before them."""
    simulator = Simulator(picture=(height, width))
    spots = [(0.33 + 0.07 * row, -0.12 + 0.08 * column) for row in (0, 1) for column in range(4)]
    blocks = zip(BLOCK_MODES["BLOCK_8"], spots, strict=True)
    simulator.place({name: (x, y, 10 * x) for name, (x, y) in blocks}, EFFECTOR)
    return simulator


def drive(simulator: Simulator, *, look: bool) -> list[np.ndarray]:
    """Stirs the blocks; pictures on the way when asked to `look`."""
    rng = np.random.default_rng(1)
    pictures = []
    target = EFFECTOR
    for _ in range(30):
        target = np.clip(target + rng.uniform(-0.02, 0.03, 2), (0.2, -0.2), (0.5, 0.2))
        simulator.step(target)
        if look:
            pictures.append(simulator.render())
    return pictures


def test_same_inputs_same_pixels_and_state_to_the_bit():
    first, second = placed(), placed()
    assert all(map(np.array_equal, drive(first, look=True), drive(second, look=True)))
    assert first.state().blocks == second.state().blocks
    second.place({name: (0.3, 0.1 * i, 0.0) for i, name in enumerate(BLOCKS[:3])}, EFFECTOR)
    assert first.state().blocks != second.state().blocks


def test_placing_again_forgets_the_past():
    fresh, used = placed(), placed()
    drive(used, look=False)
    state = placed().state()
    used.place(state.blocks, state.effector_xy)
    drive(fresh, look=False)
    drive(used, look=False)
    assert fresh.state().blocks == used.state().blocks


def test_looking_changes_nothing():
    watched, unwatched = placed(), placed()
    drive(watched, look=True)
    drive(unwatched, look=False)
    assert watched.state().blocks == unwatched.state().blocks


def test_stirring_moves_blocks():
    simulator = placed()
    before = simulator.state().blocks
    drive(simulator, look=False)
    after = simulator.state().blocks
    moved = [np.hypot(after[n][0] - before[n][0], after[n][1] - before[n][1]) for n in before]
    assert max(moved) > 0.02


def test_placement_is_exact_and_still():
    simulator = Simulator()
    pose = (0.4, -0.1, 1.0)
    simulator.place({"blue_star": pose}, EFFECTOR)
    assert simulator.state().blocks["blue_star"] == pytest.approx(pose, abs=1e-12)
    assert np.array_equal(simulator.state().effector_target_xy, EFFECTOR)
    simulator.settle(1.0)
    assert simulator.state().blocks["blue_star"] == pytest.approx(pose, abs=1e-4)


def test_overlapping_blocks_part_without_being_flung():
    simulator = Simulator()
    simulator.place({"red_cube": (0.40, 0.0, 0.0), "blue_cube": (0.42, 0.0, 0.0)}, EFFECTOR)
    simulator.settle(200 / 240)
    state = simulator.state()
    assert 0.037 < np.hypot(*(state.xy("red_cube") - state.xy("blue_cube"))) < 0.06


def test_blocks_not_named_are_not_there():
    simulator = placed()
    simulator.place({"green_star": (0.4, 0.0, 0.0)}, EFFECTOR)
    assert list(simulator.state().blocks) == ["green_star"]


def test_an_unknown_block_is_refused():
    with pytest.raises(UnknownNameError, match="green_star"):
        Simulator().place({"green_stair": (0.4, 0.0, 0.0)}, EFFECTOR)


def test_picture_size_is_free():
    simulator = placed(height=90, width=160)
    assert simulator.render().shape == (90, 160, 3)


def test_the_pole_stands():
    simulator = Simulator()
    simulator.place({"purple_pole": (0.4, 0.0, 0.0)}, EFFECTOR)
    picture = simulator.render().astype(int)
    assert ((picture[..., 0] > 150) & (picture[..., 1] < 110)).any()


@pytest.mark.parametrize(
    ("shape", "box_mm", "hull_cm2"),
    [
        ("cube", (39.65, 39.65), 15.6),
        ("pentagon", (44.4, 41.3), 13.1),
        ("star", (44.4, 40.8), 12.6),
        ("moon", (52.5, 25.7), 10.5),
    ],
)
def test_outlines_have_the_measured_size(shape, box_mm, hull_cm2):
    plan = outline(shape)
    assert np.ptp(plan, axis=0) * 1000 == pytest.approx(box_mm, abs=0.3)
    hull = convex_hull(plan)
    x, y = hull.T
    area = 0.5 * np.abs(x @ np.roll(y, -1) - y @ np.roll(x, -1))
    assert area * 1e4 == pytest.approx(hull_cm2, rel=0.04)


@pytest.mark.parametrize("shape", SHAPES)
def test_outlines_run_counter_clockwise(shape):
    x, y = outline(shape).T
    assert x @ np.roll(y, -1) - y @ np.roll(x, -1) > 0


def test_subset_counts_are_the_originals():
    assert len(BLOCKS) == 16
    assert len(set(all_subsets())) == 57_954
    train, test = split_subsets(np.random.default_rng(0))
    assert (len(train), len(test)) == (52_158, 5_796)
    assert not set(train) & set(test)
