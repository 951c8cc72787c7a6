"""Which numbers of an action move in which mode."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import sayact
from sayact.schema import LANGUAGE_TABLE, RT1, RT1_X, RT2, ActionSpace, Dimension
from sayact.schema.actions import TERMINATE

BOX = Path(sayact.__file__).parent / "policies" / "box"


@pytest.mark.parametrize("space", [RT1, RT1_X], ids=lambda space: space.name)
def test_rt1_has_seven_arm_and_three_base_numbers(space: ActionSpace) -> None:
    mode, *others = space.dimensions
    assert mode.choices == (TERMINATE, "arm", "base")
    assert [d.mode for d in others] == ["arm"] * 7 + ["base"] * 3
    assert [d.name for d in others if d.mode == "base"] == ["base_yaw", "base_x", "base_y"]


def test_spaces_without_modes_have_none() -> None:
    assert {d.mode for d in (*LANGUAGE_TABLE.dimensions, *RT2.dimensions)} == {None}
    assert RT2.dimensions[0].choices == ("go on", TERMINATE)


@pytest.mark.parametrize("space", [LANGUAGE_TABLE, RT1, RT1_X, RT2], ids=lambda space: space.name)
def test_choices_and_modes_survive_json(space: ActionSpace) -> None:
    assert ActionSpace.from_json(json.loads(json.dumps(space.to_json()))) == space


def test_a_file_of_before_there_were_modes_still_loads() -> None:
    text = (BOX / "rt1-nano" / "action_space.json").read_text()
    assert "choices" not in text
    assert ActionSpace.from_json(json.loads(text)) == LANGUAGE_TABLE


def test_a_mode_that_nothing_chooses_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'delta_x' moves in mode 'arm', which no .* none"):
        replace(RT1, dimensions=RT1.dimensions[1:])


def test_every_value_needs_its_name() -> None:
    with pytest.raises(ValueError, match="2 choices for 3 values"):
        replace(RT1.dimensions[0], choices=("arm", "base"))
    with pytest.raises(ValueError, match="2 choices for None values"):
        Dimension(name="x", low=0.0, high=1.0, unit="m", choices=("near", "far"))


def test_a_difference_of_modes_is_told() -> None:
    loose = tuple(replace(d, mode=None) for d in RT1.dimensions)
    lines = RT1.differences(replace(RT1, dimensions=loose))
    assert len(lines) == 10
    assert lines[-1] == (
        "dimension base_y -1..1 normalised in mode base here, base_y -1..1 normalised there"
    )
    assert str(RT1.dimensions[0]) == "mode one of 3 mode (terminate|arm|base)"
