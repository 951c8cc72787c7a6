"""Small holes between the parts: what is left behind, what is nearly right, what breaks inside."""

import asyncio
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import pytest

from robot_by_hand import Moody, robot_at, seen, tiny_policy
from sayact.policies.many import Answer
from sayact.schema import Observation
from sayact.schema.errors import SayactError, ServerUnreachableError
from sayact.serve.batching import Batcher
from sayact.serve.client import connect
from sayact.serve.lasting import LastingLink
from sayact.serve.link import Link
from sayact.serve.pace import Rhythm
from sayact.serve.security import Keys
from sayact.serve.server import start_in_thread

KEY = "0123456789abcdef"


def test_a_server_that_says_nothing_first_costs_no_connection_a_try() -> None:
    """The harness' path waits to be spoken to; a client of the other path gives up, and lets go."""
    with start_in_thread(tiny_policy()) as server:
        before = threading.active_count()
        for _ in range(3):
            with pytest.raises(ServerUnreachableError):
                connect(f"{server.url}/vla-eval", connect_seconds=0.3)
        after = [thread.name for thread in threading.enumerate()]
    assert len(after) <= before + 1, after


class Forgetful(Moody):
    """Answers one robot too few, which no forward pass should."""

    def act_many(
        self, observations: Sequence[Observation], memories: Sequence[object]
    ) -> list[Answer]:
        return super().act_many(observations, memories)[1:]


def test_a_policy_that_answers_too_few_ends_no_server(rng: np.random.Generator) -> None:
    robots = Forgetful(tiny_policy())
    observation = seen(rng)

    async def live() -> object:
        batcher = Batcher(robots)
        serving = asyncio.create_task(batcher.run())
        for _ in range(2):
            with pytest.raises(Exception, match="1 robots"):
                await asyncio.wait_for(batcher.act("a", observation, robots.begin()), 5)
        serving.cancel()
        batcher.close()

    asyncio.run(live())


def test_robots_that_come_once_are_forgotten_with_and_without_a_window() -> None:
    rhythm = Rhythm()
    for second in range(1000):
        rhythm.heard(str(second), float(second))
    assert len(rhythm._beats) < 20


def test_numbers_of_numpy_are_numbers(rng: np.random.Generator) -> None:
    """Who counts with numpy sends its scalars, and openpi's client packs them as such."""
    with start_in_thread(tiny_policy()) as server, robot_at(server) as robot:
        told = {"step": np.int64(3), "reset": np.bool_(False), "deadline_ms": np.float32(9000)}
        reply = robot.act(seen(rng), **told)
        assert isinstance(reply, dict), reply
        assert reply["step"] == 3


def test_a_key_in_other_letters_is_a_wrong_key() -> None:
    with start_in_thread(tiny_policy(), keys=Keys((KEY,))) as server:
        assert not server.options.keys.open_to("Bearer schl\udcfcssel")
        request = urllib.request.Request(
            server.metrics_url, headers={"Authorization": "Bearer schlüssel"}
        )
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=5)
        assert refused.value.code == 401
        with pytest.raises(SayactError, match="ASCII"):
            connect(server.url, key="schlüssel", connect_seconds=1)
        connect(server.url, key=f" {KEY}\n").close()  # of a file that ends with a line


def test_a_file_of_authorities_that_is_none(tmp_path) -> None:
    with pytest.raises(SayactError, match="SAYACT_CA_FILE"):
        connect("wss://localhost:1", ca_file=str(tmp_path / "none.pem"))
    (tmp_path / "empty.pem").write_text("no certificate")
    with pytest.raises(SayactError, match="SAYACT_CA_FILE"):
        connect("wss://localhost:1", ca_file=str(tmp_path / "empty.pem"))


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    from sayact.cli import main

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "zero", "--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert "--port" in said
    assert str(port) in said


def test_tls_asked_of_a_server_without_it() -> None:
    with (
        start_in_thread(tiny_policy()) as server,
        pytest.raises(ServerUnreachableError, match="ws://"),
    ):
        connect(server.url.replace("ws:", "wss:"), connect_seconds=0.5)


def test_an_interrupted_question_is_not_answered_by_the_next_one(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in a notebook, and then the next step."""
    with start_in_thread(tiny_policy()) as server, connect(server.url) as policy:
        receive, pressed = Link.receive, [True]

        def interrupted(self: Link, seconds: float) -> dict[str, object]:
            if pressed and pressed.pop():
                raise KeyboardInterrupt
            return receive(self, seconds)

        monkeypatch.setattr(Link, "receive", interrupted)
        with suppress(KeyboardInterrupt):
            policy.act(seen(rng))
        asked: list[object] = []
        ask = LastingLink.ask

        def noted(self: LastingLink, message: object, seconds: float) -> dict[str, object]:
            reply = ask(self, message, seconds)  # type: ignore[arg-type]
            asked.append(reply["step"])
            return reply

        monkeypatch.setattr(LastingLink, "ask", noted)
        policy.act(seen(rng))
        assert asked == [1]


def test_who_lost_its_session_does_not_close_it_for_the_next(rng: np.random.Generator) -> None:
    """The older connection says one more word before it hears that it was taken over."""
    from sayact.serve.conversation import Conversation

    with start_in_thread(tiny_policy()) as server:
        older, newer, other = (Conversation(server.service, lambda: None) for _ in range(3))

        def resumed(who: Conversation, whose: Conversation) -> dict[str, object]:
            told = {"session": whose.session.name, "resume": whose.session.token}
            return asyncio.run(who.answer({"type": "resume", **told}, 0.0))

        taken = older.session
        assert resumed(newer, older)["resumed"]
        assert resumed(older, other)["resumed"]
        assert taken.holder is newer
        assert taken in list(server.service.sessions)


def test_a_thousand_robots_leave_nothing_behind() -> None:
    import os

    with start_in_thread(tiny_policy(), session_seconds=0) as server:
        connect(server.url).close()
        files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
        for _ in range(200):
            connect(server.url).close()
        server.service.sessions.sweep()
        assert len(server.service.sessions) <= 1
        assert len(os.listdir("/proc/self/fd")) <= files + 4
        assert threading.active_count() <= threads + 2
