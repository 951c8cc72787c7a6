"""Keys on a real (pseudo-)terminal, and the terminal as it was before."""

import contextlib
import os
import pty
import termios
import threading
import time
from collections.abc import Iterator

import pytest

from sayact.robots.desk import Desk, Finished, Message, Said, Stopped
from sayact.robots.keyboard import Keyboard


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """The person's end and the program's end."""
    person, program = pty.openpty()
    yield person, program
    for end in (person, program):
        with contextlib.suppress(OSError):  # a test may have closed it
            os.close(end)


def typed(terminal: tuple[int, int], *keys: str) -> list[Message]:
    """What reaches the desk."""
    desk = Desk()
    with Keyboard(desk, terminal[1]) as keyboard:
        assert keyboard.listening
        for key in keys:
            os.write(terminal[0], key.encode())
            time.sleep(0.02)
        found = [message for _ in range(8) if (message := desk.wait(0.1))]
    return found


@pytest.mark.parametrize("key", ["\x1b", " "])
def test_stop_keys(terminal: tuple[int, int], key: str) -> None:
    assert typed(terminal, key) == [Stopped(reason="the stop key was pressed")]


def test_a_sentence(terminal: tuple[int, int]) -> None:
    keys = [*"push the blue cupe", "\x7f", "\x7f", "be", "\n"]
    assert typed(terminal, *keys) == [Said(sentence="push the blue cube")]


def test_a_sentence_in_any_script_even_when_its_bytes_come_apart(
    terminal: tuple[int, int],
) -> None:
    desk = Desk()
    with Keyboard(desk, terminal[1]):
        for byte in "schiebe den Würfel 推".encode() + b"\n":
            os.write(terminal[0], bytes([byte]))
            time.sleep(0.002)
        assert desk.wait(2) == Said(sentence="schiebe den Würfel 推")


def test_enter_alone_ends_the_episode_as_done(terminal: tuple[int, int]) -> None:
    assert typed(terminal, "\n") == [Finished(success=True)]


def test_escape_stops_in_the_middle_of_a_sentence(terminal: tuple[int, int]) -> None:
    assert typed(terminal, "push", "\x1b") == [Stopped(reason="the stop key was pressed")]


def test_the_terminal_is_put_back(terminal: tuple[int, int]) -> None:
    before = termios.tcgetattr(terminal[1])
    with contextlib.suppress(ZeroDivisionError), Keyboard(Desk(), terminal[1]):
        assert termios.tcgetattr(terminal[1]) != before
        raise ZeroDivisionError
    assert termios.tcgetattr(terminal[1]) == before


def test_a_terminal_that_goes_away_stops_the_robot(terminal: tuple[int, int]) -> None:
    desk = Desk()
    with Keyboard(desk, terminal[1]):
        os.close(terminal[0])
        message = desk.wait(2)
    assert message == Stopped(reason="the terminal was closed")


def test_without_a_terminal_nothing_is_read() -> None:
    reader, writer = os.pipe()
    with Keyboard(Desk(), reader) as keyboard:
        os.write(writer, b"\x1b")
        assert not keyboard.listening
    assert threading.active_count() < 50
    os.close(reader)
    os.close(writer)
