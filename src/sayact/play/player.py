"""A table in a thread of its own: steps at a rate, takes orders in between, shows what it is like.

    page ── order(table) ──▶ queue ──▶ thread: load, lay, step, step … ──▶ view ──▶ page

Nothing here waits for a browser and no browser waits for it. Policies and pictures of one table are
only touched by its thread, so a policy that hangs or raises stops its own table alone.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable

from sayact.play.table import PlayTable
from sayact.play.view import View
from sayact.robots.pacing import Clock
from sayact.schema.errors import SayactError

logger = logging.getLogger(__name__)

Order = Callable[[PlayTable], None]

IDLE_SECONDS = 0.2  # longest wait for an order, so that the end of a page is noticed
JOIN_SECONDS = 2.0  # for a thread to end; one that hangs in a policy is left behind


class Player:
    """`view` and `problem` are for any thread to read; orders are obeyed one after the other."""

    def __init__(self, name: str, make: Callable[[], PlayTable], *, hz: float) -> None:
        """`make` is called in the thread; it loads the policy."""
        self.name = name
        self.hz = hz  # steps a second; may be changed at any time
        self.going = True  # False: only single steps
        self.view: View | None = None  # None until the first table lies there
        self.problem = ""  # why there is no table, or why the last order was refused
        self._make = make
        self._orders: queue.Queue[Order] = queue.Queue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"table {name}", daemon=True)
        self._thread.start()

    def order(self, order: Order) -> None:
        """Do this at the table, soon; what it raises becomes the `problem`."""
        self._orders.put(order)

    def end(self) -> None:
        """Let the thread end after the step or the order at hand; does not wait for it."""
        self._closing.set()

    def close(self) -> None:
        """End the thread, and wait a while for it."""
        self.end()
        self._thread.join(JOIN_SECONDS)

    def _run(self) -> None:
        try:
            table = self._make()
        except Exception as error:  # whatever loading a policy, or reaching a server, fails with
            logger.warning("%s cannot play", self.name, exc_info=not isinstance(error, SayactError))
            self.problem = f"{type(error).__name__}: {error}"
            return
        try:
            self._play(table)
        except Exception as error:  # nothing foreseen: it must not look as if the table played on
            logger.exception("%s ended", self.name)
            self.problem = f"{type(error).__name__}: {error}"
        finally:
            _leave(table)

    def _play(self, table: PlayTable) -> None:
        clock, acted = Clock(self.hz), False
        while not self._closing.is_set():
            acting = self.going and table.status == "playing" and self.view is not None
            if not (acting and acted):  # at rest, or from rest: the next step is due at once
                clock.start(latency=0.0)
            acted = acting
            if self._obeyed(table, clock.due if acting else clock.due + IDLE_SECONDS):
                continue
            if acting and not self._closing.is_set():
                table.step()
                self._show(table)
                clock.period = 1 / self.hz
                clock.next()

    def _obeyed(self, table: PlayTable, until: float) -> bool:
        """Waits so long for one order and carries it out; False: none came."""
        try:
            order = self._orders.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            return False
        try:
            order(table)
            self.problem = ""
            self._show(table)
        except Exception as error:  # an order that cannot be obeyed must not end the table
            logger.warning("%s refused an order", self.name, exc_info=True)
            self.problem = f"{type(error).__name__}: {error}"
        return True

    def _show(self, table: PlayTable) -> None:
        self.view = table.view


def _leave(table: PlayTable) -> None:
    """A thread that `close` did not wait for may find the drawing library gone with the program."""
    try:
        table.close()
    except Exception:
        logger.info("%s was not left in good order", table.name, exc_info=True)
