"""Too far, too fast, outside: clamped and counted; what no clamp can mend is refused."""

import numpy as np
import pytest

from sayact.robots.limits import Limits, Workspace, standing_still
from sayact.schema import LANGUAGE_TABLE, RT1, ActionSpace, Dimension
from sayact.schema.errors import BadActionError, SayactError

JOINTS = ActionSpace(
    name="joints",
    dimensions=tuple(Dimension(name=n, low=-2.0, high=2.0, unit="rad") for n in ("pan", "lift")),
    rate_hz=10.0,
    frame="joint",
    delta=False,
)
TABLE = Workspace(
    low={"delta_x": 0.2},
    high={"delta_x": 0.5, "delta_y": 0.3},
    state={"delta_x": 0, "delta_y": 1},
)


def numbers(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def test_what_is_within_the_limits_is_untouched() -> None:
    limits = Limits(LANGUAGE_TABLE, 10)
    limited = limits(numbers(0.1, -0.0999))
    assert limited.values.tolist() == numbers(0.1, -0.0999).tolist()
    assert limited.clamped == ()
    assert not limits.counts


def test_beyond_the_bounds_is_clamped_and_counted_by_name() -> None:
    limits = Limits(LANGUAGE_TABLE, 10)
    for _ in range(2):
        limits(numbers(0.5, 0.0))
    limited = limits(numbers(0.5, 0.0))
    assert limited.values.tolist() == numbers(0.1, 0.0).tolist()
    assert limits.counts == {"delta_x: bounds": 3}
    limits.reset()
    assert not limits.counts


def test_a_faster_loop_moves_no_faster_in_metres_a_second() -> None:
    """0.1 m at 10 Hz is 1 m a second; at 20 Hz a step may be half as long, at 5 Hz no longer."""
    assert Limits(LANGUAGE_TABLE, 20)(numbers(0.1, 0.01)).values == pytest.approx([0.05, 0.01])
    assert Limits(LANGUAGE_TABLE, 5)(numbers(0.1, 0.01)).values == pytest.approx([0.1, 0.01])


def test_an_owner_sets_a_lower_speed() -> None:
    limited = Limits(LANGUAGE_TABLE, 10, speed={"delta_y": 0.2})(numbers(0.1, -0.1))
    assert limited.values == pytest.approx([0.1, -0.02])
    assert limited.clamped == ("delta_y: speed",)


def test_set_points_are_slow_from_one_to_the_next() -> None:
    limits = Limits(JOINTS, 10, speed={"pan": 1.0})
    assert limits(numbers(0.0, 0.0)).values == pytest.approx([0.0, 0.0])
    # lift may cross its range of 4 rad in a second: 0.4 a step.
    assert limits(numbers(2.0, 2.0)).values == pytest.approx([0.1, 0.4])
    assert limits(numbers(2.0, 0.0)).values == pytest.approx([0.2, 0.0])
    limits.reset()
    assert limits(numbers(2.0, 2.0)).values == pytest.approx([2.0, 2.0])


def test_displacements_end_at_the_edge_of_the_workspace() -> None:
    limits = Limits(LANGUAGE_TABLE, 10, workspace=TABLE)
    limited = limits(numbers(0.1, 0.1), numbers(0.45, 0.1))
    assert limited.values == pytest.approx([0.05, 0.1])
    assert limited.clamped == ("delta_x: workspace",)


def test_a_robot_outside_may_come_back_and_go_no_further() -> None:
    limits = Limits(LANGUAGE_TABLE, 10, workspace=TABLE)
    outside = numbers(0.6, 0.0)
    assert limits(numbers(-0.05, 0.0), outside).values == pytest.approx([-0.05, 0.0])
    assert limits(numbers(0.05, 0.0), outside).values == pytest.approx([0.0, 0.0])


def test_set_points_are_clipped_to_the_workspace() -> None:
    limits = Limits(JOINTS, 10, workspace=Workspace(low={"pan": -0.5}, high={"pan": 0.5}))
    assert limits(numbers(1.0, 1.0)).values == pytest.approx([0.5, 1.0])


@pytest.mark.parametrize(
    "values", [[np.nan, 0.0], [0.0, np.inf], [0.0], [0.0, 0.0, 0.0], [[0.0, 0.0]]]
)
def test_what_no_clamp_can_mend_is_refused(values: list) -> None:
    with pytest.raises(BadActionError):
        Limits(LANGUAGE_TABLE, 10)(np.array(values, np.float32))


def test_a_choice_that_there_is_not_is_refused() -> None:
    with pytest.raises(BadActionError, match="0 to 2"):
        Limits(RT1, 3)(numbers(3, *[0] * 10))


@pytest.mark.parametrize("state", [None, numbers(), numbers(np.nan, 0.0)])
def test_a_workspace_without_a_known_place_moves_nothing(state: np.ndarray | None) -> None:
    with pytest.raises(BadActionError, match="delta_x"):
        Limits(LANGUAGE_TABLE, 10, workspace=TABLE)(numbers(0.0, 0.0), state)


def test_limits_for_dimensions_that_there_are_not_are_refused() -> None:
    with pytest.raises(SayactError, match="delta_z"):
        Limits(LANGUAGE_TABLE, 10, speed={"delta_z": 1.0})
    with pytest.raises(SayactError, match=r"Observation\.state of delta_x"):
        Limits(LANGUAGE_TABLE, 10, workspace=Workspace(low={"delta_x": 0.0}, high={}))


def test_standing_still() -> None:
    """A displacement of zero; a set-point again; a choice stays; nothing before the first."""
    assert standing_still(LANGUAGE_TABLE, None) is None
    assert standing_still(LANGUAGE_TABLE, numbers(0.1, 0.1)).tolist() == [0, 0]  # type: ignore[union-attr]
    assert standing_still(JOINTS, numbers(1.0, -1.0)).tolist() == [1, -1]  # type: ignore[union-attr]
    arm = standing_still(RT1, numbers(1, *[0.5] * 10))
    assert arm is not None
    assert arm.tolist() == [1, *[0] * 10]
