"""A person at the terminal while a robot moves: the stop key, and sentences to type.

    Esc, Ctrl-C, space on an empty line    emergency stop; also Ctrl-Z, or a terminal that is gone
    a sentence, Enter                      change the instruction
    Enter on an empty line                 this episode is done, and well

The terminal gives single keys while this is open, and is put back whatever happens.
"""

import codecs
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from sayact.robots.desk import Desk

ESCAPE, ENTER, BACKSPACE, SPACE = "\x1b", "\r\n", "\x7f\b", " "
# Ctrl-C, a polite kill, a terminal that is gone (as with ssh), and the keys that would leave the
# robot to itself: Ctrl-\, and Ctrl-Z, which freezes the program and not the robot.
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP")  # Windows has the first two
LOOK_SECONDS = 0.1  # between looks at whether the keyboard was closed; keys wake it at once
READ_BYTES = 1024


class Keyboard:
    """Reads the terminal into a desk; use as a context. Without a terminal it does nothing."""

    def __init__(self, desk: Desk, terminal: int | None = None) -> None:
        """terminal: a file descriptor; standard input unless told."""
        self._desk = desk
        self._terminal = _standard_input() if terminal is None else terminal
        self._typed = ""
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._before: list[Any] | None = None

    @property
    def typed(self) -> str:
        """The line so far."""
        return self._typed

    @property
    def listening(self) -> bool:
        return self._thread is not None

    def __enter__(self) -> "Keyboard":
        if _in_front(self._terminal):
            import termios
            import tty

            self._before = termios.tcgetattr(self._terminal)
            # Keys one by one and not echoed; Ctrl-C still is a signal.
            tty.setcbreak(self._terminal, termios.TCSANOW)
            self._thread = threading.Thread(target=self._read, name="keyboard", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._before is not None:
            import termios

            with suppress(termios.error):  # it may be gone
                termios.tcsetattr(self._terminal, termios.TCSANOW, self._before)

    def _read(self) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")(errors="ignore")
        while not self._closed.is_set():
            ready, _, _ = select.select([self._terminal], [], [], LOOK_SECONDS)
            if not ready:
                continue
            try:
                data = os.read(self._terminal, READ_BYTES)
            except OSError:
                data = b""
            if not data:  # whoever could have pressed stop is gone
                self._desk.stop("the terminal was closed")
                return
            for key in decoder.decode(data):
                self._press(key)

    def _press(self, key: str) -> None:
        if key == ESCAPE or (key == SPACE and not self._typed):
            self._desk.stop("the stop key was pressed")
        elif key in ENTER:
            sentence, self._typed = self._typed.strip(), ""
            if sentence:
                self._desk.say(sentence)
            else:
                self._desk.done(success=True)
        elif key in BACKSPACE:
            self._typed = self._typed[:-1]
        elif key.isprintable():
            self._typed += key


@contextmanager
def stopping_on_signals(desk: Desk) -> Iterator[None]:
    """`SIGNALS` are emergency stops; the second time they do what they do in other programs.

    Also those that this program was started to ignore, as a script's `&` does with Ctrl-C: whoever
    presses it does not know that. But `nohup` means what it says.
    """
    known = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    before: dict[int, Any] = {n: signal.getsignal(n) for n in known}
    if hasattr(signal, "SIGHUP") and before[signal.SIGHUP] is signal.SIG_IGN:
        del before[signal.SIGHUP]

    def stop(number: int, _: FrameType | None) -> None:
        desk.stop(f"{signal.Signals(number).name} was received")
        ignored = before[number] is signal.SIG_IGN
        signal.signal(number, signal.SIG_DFL if ignored else before[number])

    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _standard_input() -> int:
    """Its file descriptor; -1 where there is none: a notebook, a service."""
    try:
        return sys.stdin.fileno()
    except (AttributeError, OSError, ValueError):
        return -1


def _in_front(terminal: int) -> bool:
    """A terminal, and this program is not in its background, where it must not touch it."""
    if os.name != "posix" or not os.isatty(terminal):
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # a terminal, and not ours: of a test, or of another program's child
        return True
