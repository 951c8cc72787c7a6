"""What the robot is told: the numbers of the chosen mode, zero elsewhere, nothing at the end."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sayact.policies.controller import Controller
from sayact.schema import LANGUAGE_TABLE, RT1, RT1_X, RT2, Action, ActionSpace, Dimension
from sayact.schema.errors import BadActionError, SayactError

ARM, BASE = slice(1, 8), slice(8, 11)


def moving(mode: float, size: int = 11) -> Action:
    """Everything moves, as a network that answers every dimension would have it."""
    values = np.full(size, 0.5, np.float32)
    values[0] = mode
    return Action(values=values)


@pytest.mark.parametrize("space", [RT1, RT1_X], ids=lambda space: space.name)
def test_in_arm_mode_the_base_holds_still(space: ActionSpace) -> None:
    command = Controller(space)(moving(1))
    assert command.modes == ("arm",)
    assert command.values[ARM].tolist() == [0.5] * 7
    assert command.values[BASE].tolist() == [0] * 3
    assert not command.ended


def test_in_base_mode_the_arm_holds_still() -> None:
    command = Controller(RT1)(moving(2))
    assert command.modes == ("base",)
    assert command.values[ARM].tolist() == [0] * 7
    assert command.values[BASE].tolist() == [0.5] * 3
    assert not command.ended


def test_terminate_moves_nothing_and_says_so() -> None:
    command = Controller(RT1)(moving(0))
    assert command.ended
    assert command.modes == ("terminate",)
    assert command.values.tolist() == [0] * 11


def test_numbers_of_the_other_mode_change_nothing(rng: np.random.Generator) -> None:
    controller = Controller(RT1)
    for mode, ignored in ((1, BASE), (2, ARM), (0, slice(1, 11))):
        one, other = moving(mode), moving(mode)
        other.values[ignored] = rng.uniform(-1, 1, other.values[ignored].shape)
        assert np.array_equal(controller(one).values, controller(other).values)


def test_the_action_itself_stays_as_it_was() -> None:
    action = moving(2)
    Controller(RT1)(action)
    assert action.values[ARM].tolist() == [0.5] * 7


def test_a_space_without_modes_passes_everything_on() -> None:
    action = Action(values=np.array([0.1, -0.1], np.float32))
    command = Controller(LANGUAGE_TABLE)(action)
    assert command.values is action.values
    assert (command.modes, command.ended) == ((), False)


def test_rt2_moves_until_its_flag_is_up() -> None:
    controller = Controller(RT2)
    going, ending = (controller(moving(flag, 8)) for flag in (0, 1))
    assert going.values.tolist() == [0] + [0.5] * 7
    assert not going.ended
    assert ending.values.tolist() == [1] + [0] * 7
    assert ending.ended


@pytest.mark.parametrize("mode", [1.5, -1.0, 3.0, np.nan, np.inf])
def test_a_mode_that_is_none_is_refused(mode: float) -> None:
    with pytest.raises(BadActionError, match="0 to 2, for terminate, arm, base"):
        Controller(RT1)(moving(mode))


def test_set_points_cannot_be_held_by_zero() -> None:
    with pytest.raises(SayactError, match="displacements"):
        Controller(replace(RT1, delta=False))
    assert Controller(replace(LANGUAGE_TABLE, delta=False)).space.delta is False


def test_a_dimension_outside_every_mode_always_moves() -> None:
    head = Dimension(name="head", low=-1.0, high=1.0, unit="rad")
    controller = Controller(replace(RT1, dimensions=(*RT1.dimensions, head)))
    for mode, expected in ((1, 0.5), (2, 0.5), (0, 0.0)):
        assert controller(moving(mode, 12)).values[-1] == expected


def test_the_page_shows_what_comes_out() -> None:
    page = (Path(__file__).parents[2] / "docs" / "acting.md").read_text()
    for mode in (1, 2, 0):
        command = Controller(RT1)(moving(mode))
        assert f"{command.modes} {command.ended} {command.values}\n" in page
    with pytest.raises(BadActionError) as refused:
        Controller(RT1)(moving(3))
    assert f"BadActionError: {refused.value} |" in page
