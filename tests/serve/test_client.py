"""The robot's end of the wire: whatever happens to cable and server, one step is one action."""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
from websockets.sync.server import ServerConnection, serve

from sayact.policies.many import Answer, ManyRobots
from sayact.schema import LANGUAGE_TABLE, RT2, Action, ActionSpace, Observation
from sayact.schema.errors import (
    AnswerLateError,
    HistoryLostError,
    SayactError,
    ServerBusyError,
    ServerError,
    ServerUnreachableError,
    SessionTakenError,
    ShapeError,
)
from sayact.serve.client import PolicyClient, connect
from sayact.serve.lasting import LastingLink
from sayact.serve.server import PolicyServer, start_in_thread
from sayact.serve.wire import pack

pytestmark = pytest.mark.usefixtures("as_it_ships")

HEIGHT, WIDTH = 18, 32
MARK = 1000  # a mark of 7 comes back as 0.007
LOOPBACK = "127.0.0.1"


@dataclass
class Seen:
    """What the server's policy remembers of a robot."""

    seed: int
    marks: list[int] = field(default_factory=list)


class Counting(ManyRobots):
    """Answers (how many pictures of this episode it has seen, the mark on this one) / 1000.

    `busy` is waited for within each pass; `passes` counts the pictures of all robots; `losses` says
    whether the next passes lose the history, the last one first.
    """

    def __init__(self) -> None:
        self.busy = threading.Event()
        self.busy.set()
        self.passes = 0
        self.seeds: list[int] = []
        self.losses: list[bool] = []

    @property
    def action_space(self) -> ActionSpace:
        return LANGUAGE_TABLE

    @property
    def picture(self) -> tuple[int, int]:
        return (HEIGHT, WIDTH)

    def begin(self, seed: int = 0) -> Seen:
        self.seeds.append(seed)
        return Seen(seed)

    def act_many(
        self, observations: Sequence[Observation], memories: Sequence[object]
    ) -> list[Answer]:
        self.busy.wait(20)
        return [self._act(o, m) for o, m in zip(observations, memories, strict=True)]

    def _act(self, observation: Observation, memory: object) -> Answer:
        if observation.image.shape != (HEIGHT, WIDTH, 3):
            return ShapeError(f"the picture must be {HEIGHT} by {WIDTH}")
        assert isinstance(memory, Seen)
        if self.losses and self.losses.pop():
            memory.marks.clear()
            return HistoryLostError("the process that held it is gone")
        memory.marks.append(int(observation.image[0, 0, 0]))
        self.passes += 1
        values = np.array([len(memory.marks), memory.marks[-1]], np.float32) / MARK
        return Action(values=values, tokens=np.array([1, 2], np.int64))


class Cable:
    """Between client and server; it can be cut, and stopped from carrying answers."""

    def __init__(self, server: PolicyServer) -> None:
        self._far = server.port
        self._listener = socket.create_server((LOOPBACK, 0))
        self._ends: list[socket.socket] = []
        self.answers = threading.Event()
        self.answers.set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"ws://{LOOPBACK}:{self._listener.getsockname()[1]}"

    def cut(self) -> None:
        """All that is connected now; new connections are carried again."""
        ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection((LOOPBACK, self._far))
                self._ends += [near, far]
                for source, target, held in ((near, far, None), (far, near, self.answers)):
                    carry = threading.Thread(target=_carry, args=(source, target, held))
                    carry.daemon = True
                    carry.start()


def _carry(source: socket.socket, target: socket.socket, held: threading.Event | None) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            if held is None or held.is_set():
                target.sendall(data)


@pytest.fixture
def robots() -> Counting:
    return Counting()


@pytest.fixture
def server(robots: Counting) -> Iterator[PolicyServer]:
    with start_in_thread(robots) as running:
        yield running
        robots.busy.set()


@pytest.fixture
def cable(server: PolicyServer) -> Iterator[Cable]:
    with closing(Cable(server)) as between:
        yield between


def look(mark: int = 0) -> Observation:
    image = np.full((HEIGHT, WIDTH, 3), mark, np.uint8)
    return Observation(image=image, instruction="push")


def numbers(action: Action) -> tuple[int, int]:
    """How many pictures the policy had seen, and the mark of the newest."""
    count, mark = np.round(action.values * MARK).astype(int).tolist()
    return count, mark


# -- acting ----------------------------------------------------------------------------------------


def test_it_acts_and_tells_what_it_acts_in(server: PolicyServer) -> None:
    with connect(server.url) as policy:
        assert policy.action_space == LANGUAGE_TABLE
        assert policy.metadata["picture"] == [HEIGHT, WIDTH]
        assert [numbers(policy.act(look(mark))) for mark in (5, 6)] == [(1, 5), (2, 6)]
        action = policy.act(look())
        assert action.tokens is not None
        assert action.tokens.tolist() == [1, 2]
        assert policy.last_timing is not None
        assert 0 < policy.last_timing.server["infer_ms"] < policy.last_timing.round_trip_ms


def test_episodes_begin_anew_with_their_seed_and_sentence(
    server: PolicyServer, robots: Counting
) -> None:
    with connect(server.url) as policy:
        policy.act(look())
        policy.reset()
        assert numbers(policy.act(look())) == (1, 0)
        policy.episode_start("separate the blocks", seed=7)
        assert robots.seeds[-1] == 7
        assert numbers(policy.act(look())) == (1, 0)
        policy.episode_end()
        assert numbers(policy.act(look())) == (1, 0)
        assert policy.history_lost == 0


def test_robots_are_apart(server: PolicyServer) -> None:
    with connect(server.url) as one, connect(server.url, session="arm-2") as two:
        assert two.session == "arm-2" != one.session
        for expected in (1, 2, 3):
            assert numbers(one.act(look()))[0] == expected
        assert numbers(two.act(look()))[0] == 1


def test_pictures_as_jpeg(server: PolicyServer) -> None:
    with connect(server.url, jpeg_quality=90) as policy:
        assert numbers(policy.act(look(100)))[1] == pytest.approx(100, abs=2)


def test_a_mistake_comes_back_by_its_name_and_the_connection_stays(server: PolicyServer) -> None:
    small = Observation(image=np.zeros((4, 4, 3), np.uint8), instruction="push")
    with connect(server.url) as policy:
        policy.act(look())
        with pytest.raises(ShapeError, match="18 by 32"):
            policy.act(small)
        assert numbers(policy.act(look()))[0] == 2


# -- broken cables, restarted servers --------------------------------------------------------------


def test_a_cut_cable_between_steps_changes_nothing(cable: Cable) -> None:
    with connect(cable.url) as policy:
        for expected in range(1, 5):
            assert numbers(policy.act(look()))[0] == expected
            cable.cut()
        assert policy.history_lost == 0


def test_a_step_whose_answer_was_lost_is_not_acted_on_twice(cable: Cable, robots: Counting) -> None:
    with connect(cable.url) as policy:
        policy.act(look(1))
        cable.answers.clear()
        before = robots.passes

        def mend() -> None:
            cable.answers.set()
            cable.cut()

        threading.Timer(0.3, mend).start()
        assert numbers(policy.act(look(2))) == (2, 2)
        assert robots.passes == before + 1
        assert numbers(policy.act(look(3))) == (3, 3)


def test_a_restarted_server_is_found_again_and_the_loss_of_history_is_told() -> None:
    before, after = Counting(), Counting()
    with start_in_thread(before) as first:
        port = first.port
        policy = connect(first.url)
        for _ in range(3):
            policy.act(look())
    restarted = threading.Event()

    def restart() -> None:
        time.sleep(0.3)
        with start_in_thread(after, port=port):
            restarted.wait(20)

    thread = threading.Thread(target=restart)
    thread.start()
    try:
        assert numbers(policy.act(look(9))) == (1, 9)
        assert policy.history_lost == 1
        assert numbers(policy.act(look())) == (2, 0)
        policy.close()
    finally:
        restarted.set()
        thread.join()


def test_a_history_that_a_living_server_lost_is_told_and_the_step_asked_again(
    server: PolicyServer, robots: Counting
) -> None:
    with connect(server.url) as policy:
        for _ in range(3):
            policy.act(look())
        robots.losses = [True]
        assert numbers(policy.act(look(4))) == (1, 4)
        assert policy.history_lost == 1
        robots.losses = [True, True]
        with pytest.raises(HistoryLostError):
            policy.act(look(5))


def test_a_restart_between_episodes_loses_nothing() -> None:
    with start_in_thread(Counting()) as first:
        port = first.port
        policy = connect(first.url)
        policy.act(look())
    with start_in_thread(Counting(), port=port):
        policy.reset()
        assert numbers(policy.act(look())) == (1, 0)
        assert policy.history_lost == 0
        policy.close()


def test_a_server_with_another_action_space_is_not_gone_on_with() -> None:
    class Others(Counting):
        @property
        def action_space(self) -> ActionSpace:
            return RT2

    with start_in_thread(Counting()) as first:
        port = first.port
        policy = connect(first.url)
    with (
        start_in_thread(Others(), port=port),
        pytest.raises(ServerError, match="2 dimensions here, 8 there"),
    ):
        policy.act(look())


# -- silence ---------------------------------------------------------------------------------------


def test_no_answer_in_time_and_a_late_one_is_not_taken_for_the_next(
    server: PolicyServer, robots: Counting
) -> None:
    with connect(server.url, timeout_s=0.3) as policy:
        policy.act(look(1))
        robots.busy.clear()
        started = time.monotonic()
        with pytest.raises(AnswerLateError, match=r"0\.3 s"):
            policy.act(look(2))
        assert 0.25 < time.monotonic() - started < 1
        robots.busy.set()
        policy.timeout_s = 5
        assert numbers(policy.act(look(3)))[1] == 3
        assert policy.history_lost == 0


def test_a_fallback_acts_meanwhile_and_is_counted(server: PolicyServer, robots: Counting) -> None:
    still = Action(values=np.zeros(2, np.float32))
    with connect(server.url, timeout_s=0.2, fallback=lambda _: still) as policy:
        assert numbers(policy.act(look(1)))[1] == 1
        robots.busy.clear()
        assert policy.act(look(2)) is still
        assert policy.act(look(3)) is still
        assert policy.fallbacks == 2
        robots.busy.set()
        policy.timeout_s = 5
        assert numbers(policy.act(look(4)))[1] == 4


def test_a_fallback_when_the_server_is_gone() -> None:
    still = Action(values=np.zeros(2, np.float32))
    with start_in_thread(Counting()) as server:
        policy = connect(server.url, timeout_s=0.2, fallback=lambda _: still)
        policy.act(look())
    started = time.monotonic()
    assert [policy.act(look()) is still for _ in range(4)] == [True] * 4
    assert time.monotonic() - started < 2
    policy.fallback = None
    with pytest.raises(ServerUnreachableError):
        policy.act(look())


def test_mistakes_do_not_fall_back(server: PolicyServer) -> None:
    small = Observation(image=np.zeros((4, 4, 3), np.uint8), instruction="push")
    fallback = Action(values=np.zeros(2, np.float32))
    with connect(server.url, fallback=lambda _: fallback) as policy, pytest.raises(ShapeError):
        policy.act(small)


def test_close_does_not_wait_for_an_answer_that_does_not_come(
    server: PolicyServer, robots: Counting
) -> None:
    policy = connect(server.url, timeout_s=20)
    robots.busy.clear()
    failed: list[Exception] = []

    def act() -> None:
        try:
            policy.act(look())
        except SayactError as error:
            failed.append(error)

    thread = threading.Thread(target=act)
    thread.start()
    time.sleep(0.2)
    started = time.monotonic()
    policy.close()
    thread.join(5)
    assert time.monotonic() - started < 2
    assert isinstance(failed[0], ServerUnreachableError)


# -- who may ---------------------------------------------------------------------------------------


def test_keys() -> None:
    from sayact.serve.security import Keys

    with start_in_thread(Counting(), keys=Keys(("open sesame please",))) as server:
        for wrong in (None, "something else"):
            started = time.monotonic()
            with pytest.raises(ServerError, match="SAYACT_KEY"):
                connect(server.url, key=wrong)
            assert time.monotonic() - started < 2, "a wrong key is not tried again"
        with connect(server.url, key="open sesame please") as policy:
            policy.act(look())


def test_a_session_of_another_robot_is_not_taken(server: PolicyServer) -> None:
    with connect(server.url, session="arm") as one:
        one.act(look())
        with pytest.raises(SessionTakenError):
            connect(server.url, session="arm")
        assert numbers(one.act(look()))[0] == 2


def test_a_session_that_was_taken_over_is_not_fought_for(server: PolicyServer) -> None:
    one = connect(server.url)
    one.act(look())
    held = one._link
    link = LastingLink(server.url, key=None, session=one.session, ca_file=None)
    link._token, link.steps = held._token, held.steps
    link.open(5)
    two = PolicyClient(link)
    assert numbers(two.act(look()))[0] == 2
    with pytest.raises(SessionTakenError, match="two robots need two sessions"):
        one.act(look())
    assert numbers(two.act(look()))[0] == 3
    two.close()


def test_a_full_server() -> None:
    with start_in_thread(Counting(), max_sessions=1) as server, connect(server.url) as one:
        one.act(look())
        with pytest.raises(ServerBusyError):
            connect(server.url)


def test_a_message_that_is_too_large_is_no_reason_to_go_on_trying() -> None:
    wide = Observation(image=np.zeros((100, 100, 3), np.uint8), instruction="push")
    with (
        start_in_thread(Counting(), max_message_bytes=4000) as server,
        connect(server.url) as policy,
    ):
        policy.act(look())
        with pytest.raises(ServerError, match="1009"):
            policy.act(wide)
        assert numbers(policy.act(look()))[0] == 2


# -- who is not a policy server --------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["http://localhost:8000", "localhost:8000", "rt1-nano", "ws://", "ws://localhost:9x"]
)
def test_what_is_no_address_of_a_server(url: str) -> None:
    with pytest.raises(ServerUnreachableError, match="ws://HOST:PORT"):
        connect(url)


def test_nobody_there() -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:
        port = listener.getsockname()[1]
    started = time.monotonic()
    with pytest.raises(ServerUnreachableError, match=f":{port} cannot be reached"):
        connect(f"ws://{LOOPBACK}:{port}", connect_seconds=0.4)
    assert 0.3 < time.monotonic() - started < 1.5


def test_somebody_there_who_says_nothing() -> None:
    with socket.create_server((LOOPBACK, 0)) as listener:
        url = f"ws://{LOOPBACK}:{listener.getsockname()[1]}"
        started = time.monotonic()
        with pytest.raises(ServerUnreachableError):
            connect(url, connect_seconds=0.4)
        assert time.monotonic() - started < 2


def test_a_web_server() -> None:
    class Page(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None: ...

    with HTTPServer((LOOPBACK, 0), Page) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        with pytest.raises(ServerUnreachableError, match="404"):
            connect(f"ws://{LOOPBACK}:{web.server_port}", connect_seconds=2)
        web.shutdown()


@contextmanager
def saying(*frames: bytes | str) -> Iterator[str]:
    """A websocket server that says these on connect."""

    def talk(connection: ServerConnection) -> None:
        for frame in frames:
            connection.send(frame)
        with suppress(Exception):
            connection.recv(timeout=5)

    with serve(talk, LOOPBACK, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"ws://{LOOPBACK}:{server.socket.getsockname()[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (pack({"model": "pi0"}), "what its actions mean"),
        ("Traceback (most recent call last): …", "Traceback"),
        (b"\xc1", "byte 0"),
    ],
)
def test_servers_of_others(frame: bytes | str, says: str) -> None:
    with saying(frame) as url, pytest.raises(SayactError, match=says):
        connect(url, connect_seconds=2)
