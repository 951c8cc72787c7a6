"""The thread of a table: its pace, its orders, and what it does when something fails."""

import time
from collections.abc import Callable

from odd_policies import Breaking, Endless, table_of

from sayact.play.player import Player
from sayact.play.table import PlayTable
from sayact.policies.baselines import OraclePolicy, ZeroPolicy


def wait(until: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


def laid(player: Player) -> Player:
    player.order(lambda table: table.lay(0))
    wait(lambda: player.view is not None)
    return player


def steps(player: Player) -> int:
    return 0 if player.view is None else player.view.steps


def test_it_keeps_its_rate_and_another_one_when_told() -> None:
    player = laid(Player("zero", table_of(ZeroPolicy()), hz=20.0))
    try:
        wait(lambda: steps(player) >= 15)
        assert player.view is not None
        assert 14 < player.view.hz < 22
        player.hz = 50.0
        started, before = time.monotonic(), steps(player)
        wait(lambda: steps(player) >= before + 40)
        assert time.monotonic() - started < 1.8  # 40 steps take 2 s at 20 Hz
    finally:
        player.close()


def test_time_stands_still_but_for_single_steps_and_orders() -> None:
    player = Player("zero", table_of(ZeroPolicy()), hz=50.0)
    player.going = False
    laid(player)
    try:
        time.sleep(0.2)
        assert steps(player) == 0
        player.order(PlayTable.step)
        wait(lambda: steps(player) == 1)
        player.order(lambda table: table.move("red_moon", (0.3, 0.2)))
        wait(lambda: player.view is not None and player.view.version >= 3)
        assert steps(player) == 1
    finally:
        player.close()


def test_one_that_raises_stops_alone() -> None:
    breaking = laid(Player("breaking", table_of(Breaking()), hz=50.0))
    other = laid(Player("zero", table_of(ZeroPolicy()), hz=50.0))
    try:
        wait(lambda: breaking.view is not None and breaking.view.status == "failed")
        before = steps(other)
        wait(lambda: steps(other) >= before + 5)
        assert steps(breaking) == 2
    finally:
        breaking.close()
        other.close()


def test_one_that_hangs_hangs_alone_and_closing_does_not_wait_for_it() -> None:
    hanging = laid(Player("hanging", table_of(Endless(30.0)), hz=50.0))
    other = laid(Player("zero", table_of(ZeroPolicy()), hz=50.0))
    try:
        wait(lambda: steps(other) >= 5)
        assert steps(hanging) == 0
    finally:
        started = time.monotonic()
        hanging.close()
        other.close()
        assert time.monotonic() - started < 6


def test_a_policy_that_cannot_be_loaded_says_so() -> None:
    def make() -> PlayTable:
        raise FileNotFoundError("no such folder")

    player = Player("lost", make, hz=10.0)
    wait(lambda: player.problem != "")
    assert player.problem == "FileNotFoundError: no such folder"
    assert player.view is None
    player.close()


def test_a_refused_order_is_told_and_forgotten_with_the_next() -> None:
    player = Player("oracle", table_of(OraclePolicy()), hz=50.0)
    player.going = False
    laid(player)
    try:
        player.order(lambda table: table.say("ü" * 300))
        wait(lambda: player.problem.startswith("ShapeError"))
        player.order(PlayTable.step)
        wait(lambda: player.problem == "" and steps(player) == 1)
    finally:
        player.close()
