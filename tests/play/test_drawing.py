"""What is drawn, as far as it can be told without a browser."""

import numpy as np
import pytest
from odd_policies import Breaking, Sure, table_of

from sayact.play.card import answers, head, waiting
from sayact.play.player import Player
from sayact.play.scene import offset, on_plane, page_colour, segments
from sayact.play.stage import viewpoint
from sayact.play.table import PlayTable
from sayact.policies.policy import Policy
from sayact.serve.security import is_loopback

FOV = np.radians(75)


def stepped(policy: Policy, steps: int = 1) -> PlayTable:
    table = PlayTable("tested", policy)
    table.lay(0)
    for _ in range(steps):
        table.step()
    return table


def test_bars_tell_tokens_probabilities_and_what_was_illegal() -> None:
    said = answers(stepped(Sure()).view)
    for part in ("delta_x", "+0.010 m", "token 140", "25.0 %", "width:50.0%", "12.5 %"):
        assert part in said
    assert "push &lt;i&gt;it" in said


def test_what_others_wrote_is_never_markup() -> None:
    table = stepped(Breaking(), 3)
    player = Player("tested", table_of(Breaking()), hz=1.0)
    try:
        player.problem = "<script>"
        said = head(table.view, player)
        assert "&lt;b&gt;no more" in said
        assert "<b>" not in said + waiting("<b>")
        assert "<script>" not in said
    finally:
        player.close()


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("aspect", [0.5, 1.1, 2.0])
def test_the_first_view_shows_every_corner_of_every_table(count: int, aspect: float) -> None:
    eye, look_at = (np.array(point) for point in viewpoint(count, aspect, FOV))
    forward = (look_at - eye) / np.linalg.norm(look_at - eye)
    right = np.array([0.0, 1.0, 0.0])
    up = np.cross(right, forward)
    up *= np.sign(up[2])
    for index in range(count):
        away = np.array(offset(index, count))
        for corner in ((0.12, -0.3), (0.12, 0.3), (0.58, -0.3), (0.58, 0.3)):
            ray = np.array([*(corner + away), 0.0]) - eye
            depth = ray @ forward
            assert depth > 0
            assert abs(ray @ right / depth) <= np.tan(FOV / 2) * aspect * 1.02
            assert abs(ray @ up / depth) <= np.tan(FOV / 2)


def test_tables_stand_around_the_middle_and_never_in_each_other() -> None:
    assert offset(0, 1) == (0, 0)
    assert offset(0, 2) == (0, -offset(1, 2)[1])
    places = [offset(index, 4) for index in range(4)]
    assert np.mean(places, axis=0) == pytest.approx((0, 0))
    for one in range(4):
        for other in range(one):
            apart = np.abs(np.subtract(places[one], places[other]))
            assert apart[0] > 0.5 or apart[1] > 0.65


def test_a_line_of_sight_meets_the_height_of_the_hand() -> None:
    eye = np.array([1.0, 0.0, 1.0])
    assert on_plane(eye, np.array([0.5, 0.0, 0.5]), 0.0) == pytest.approx((0.0, 0.0))
    assert on_plane(eye, np.array([0.5, 0.2, 0.5]), 0.25) == pytest.approx((0.25, 0.3))
    assert on_plane(eye, np.array([0.5, 0.0, 1.0]), 0.0) is None  # level
    assert on_plane(eye, np.array([0.5, 0.0, 1.5]), 0.0) is None  # above the horizon


def test_a_path_of_one_point_is_a_line_of_no_length() -> None:
    assert segments(np.zeros((1, 2))).shape == (1, 2, 3)
    line = segments(np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 2.0]]))
    assert line.shape == (2, 2, 3)
    np.testing.assert_array_equal(line[0, 1], line[1, 0])


def test_colours_stay_colours() -> None:
    red, green, blue = page_colour((1.0, 0.4, 0.4))
    assert red > 2 * green == 2 * blue > 0


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("192.168.0.7", False),
        ("robot.example", False),
    ],
)
def test_hosts_that_others_reach_are_known(host: str, alone: bool) -> None:
    assert is_loopback(host) is alone
