"""`kill -9` of the server in the middle of an episode, and its return."""

import threading
import time
from collections.abc import Generator

import numpy as np
import pytest

from sayact.policies.policy import Policy
from sayact.policies.remote import RemotePolicy
from sayact.robots.loop import ControlLoop
from sayact.schema import LANGUAGE_TABLE, ActionSpace, Observation
from sayact.schema.errors import HistoryLostError, ServerUnreachableError
from sayact.serve.client import connect
from sayact.serve.process import ServerProcess, running

HZ = 10.0
BEFORE, AFTER = 8, 8  # steps of the episode before the server dies, and once it is back
TIMEOUT_S = 0.5
PATIENCE_S = 100.0  # for the server to start again on a busy machine


@pytest.fixture(scope="module")
def server() -> Generator[ServerProcess, None, None]:
    with running("random") as process:
        yield process


class Arm:
    """Writes down what it is told to do, and when."""

    action_space: ActionSpace = LANGUAGE_TABLE

    def __init__(self) -> None:
        self.moves: list[tuple[float, bool]] = []
        self.stops = 0
        self.moved = threading.Semaphore(0)

    def observe(self) -> Observation:
        return Observation(image=np.zeros((18, 32, 3), np.uint8), instruction="")

    def apply(self, values: np.ndarray) -> None:
        moving = bool(np.any(values != 0))
        self.moves.append((time.monotonic(), moving))
        if moving:
            self.moved.release()

    def stop(self) -> None:
        self.stops += 1


def test_the_robot_stands_still_until_the_server_is_back(server: ServerProcess) -> None:
    arm, away = Arm(), list[float]()

    def die_and_return() -> None:
        for _ in range(BEFORE):
            arm.moved.acquire()
        server.kill()
        away.append(time.monotonic())
        time.sleep(1.0)
        away.append(time.monotonic())
        server.start()

    accident = threading.Thread(target=die_and_return)
    client = connect(server.url, timeout_s=TIMEOUT_S)
    policy: Policy = RemotePolicy(client)
    loop = ControlLoop(arm, policy, HZ, hold_seconds=PATIENCE_S)
    accident.start()
    report = loop.run("push the red moon", steps=BEFORE + AFTER, seconds=2 * PATIENCE_S)
    accident.join()
    client.close()

    died, returns = away
    assert report.counts.steps == BEFORE + AFTER
    assert report.counts.holds >= 3
    # What was asked before it died may come a tick later; nothing else moves.
    while_away = [moving for at, moving in arm.moves if died + 2 / HZ < at < returns]
    assert len(while_away) >= 3
    assert not any(while_away)
    assert client.history_lost == 1  # it is told, and counted, that the server forgot
    assert arm.stops >= 1


def test_a_client_waits_no_longer_than_it_said(server: ServerProcess) -> None:
    seen = Arm().observe()
    with connect(server.url, timeout_s=TIMEOUT_S) as client:
        client.act(seen)
        server.kill()
        try:
            for _ in range(2):
                began = time.monotonic()
                with pytest.raises(ServerUnreachableError):
                    client.act(seen)
                assert time.monotonic() - began < 3 * TIMEOUT_S
        finally:
            server.start()
        client.act(seen)


def test_history_lost_is_an_error_that_clients_know() -> None:
    from sayact.serve.link import said

    assert isinstance(said("HistoryLostError: the replica died"), HistoryLostError)
