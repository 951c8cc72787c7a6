"""Around a server's port: health, metrics, keys, TLS, pages of browsers; and the command."""

import json
import os
import signal
import ssl
import time
import urllib.error
import urllib.request

import pytest
from websockets.exceptions import InvalidStatus

from robot_by_hand import Moody, Robot, closed_with, robot_at, seen
from sayact.cli import main
from sayact.serve.messages import observation_message
from sayact.serve.process import running
from sayact.serve.security import Keys, tls_context
from sayact.serve.server import start_in_thread
from sayact.serve.wire import pack

KEY = "0123456789abcdef"


def fetched(url, key=None, context=None):
    request = urllib.request.Request(url)
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=20, context=context) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


class TestTheDoor:
    def test_health_and_metrics(self, server, robot, rng):
        robot.act(seen(rng))
        root = server.metrics_url.removesuffix("/metrics")
        assert fetched(f"{root}/healthz") == (200, "OK\n")
        status, text = fetched(server.metrics_url)
        assert status == 200
        assert "sayact_request_seconds_count" in text
        assert "sayact_sessions " in text
        assert fetched(f"{root}/etc")[0] == 404
        assert fetched(f"{root}/")[0] == 426

    def test_health_is_told_while_a_forward_pass_runs(self, policy, rng):
        robots = Moody(policy)
        with start_in_thread(robots) as server, robot_at(server) as robot:
            robots.happens = lambda: time.sleep(1.5)
            robot.socket.send(pack(observation_message(seen(rng))))
            time.sleep(0.2)
            began = time.monotonic()
            assert fetched(server.metrics_url.replace("metrics", "healthz"))[0] == 200
            assert time.monotonic() - began < 1.0
            assert isinstance(robot.heard(), dict)

    def test_keys(self, policy, rng):
        with start_in_thread(policy, keys=Keys((KEY, "another key"))) as server:
            for header in ({}, {"Authorization": f"Api-Key {KEY}x"}):
                with pytest.raises(InvalidStatus, match="401"):
                    Robot(server.url, additional_headers=header)
            good = {"Authorization": f"Api-Key {KEY}"}
            with robot_at(server, additional_headers=good) as robot:
                assert isinstance(robot.act(seen(rng)), dict)
            assert fetched(server.metrics_url)[0] == 401
            assert fetched(server.metrics_url, KEY)[0] == 200
            assert fetched(server.metrics_url.replace("metrics", "healthz"))[0] == 200

    def test_pages_in_browsers_stay_outside(self, server):
        with pytest.raises(InvalidStatus, match="403"):
            Robot(server.url, origin="https://example.org")

    def test_tls(self, policy, rng, certificate):
        with start_in_thread(policy, tls=tls_context(*certificate)) as server:
            trusting = ssl.create_default_context(cafile=certificate[0])
            assert server.url.startswith("wss://")
            with robot_at(server, ssl=trusting) as robot:
                assert isinstance(robot.act(seen(rng)), dict)
            assert fetched(server.metrics_url, context=trusting)[0] == 200
            with pytest.raises(ssl.SSLCertVerificationError):
                Robot(server.url, ssl=ssl.create_default_context())


def test_the_command_serves_until_it_is_told_to_stop(tmp_path, rng):
    log = tmp_path / "log"
    with running("random", "--json", str(tmp_path / "end.json"), log=log) as process:
        with robot_at(process) as robot:
            assert robot.act(seen(rng))["actions"].shape == (1, 2)
            os.kill(process.number, signal.SIGTERM)
            with closed_with(1001):
                robot.heard()
        assert process.status() == 0
    assert f"random (language_table) at {process.url}, without a key" in log.read_text()
    assert f":{process.port}/metrics" in log.read_text()
    assert json.loads((tmp_path / "end.json").read_text())["url"] == process.url


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("oracle",), "reads the true state"),
        (("random", "--host", "0.0.0.0"), "--insecure"),
        (("random", "--certificate", "c.pem"), "give both"),
        (("random", "--window-ms", "-1"), "--window-ms -1 is out of range"),
        (("random", "--replicas", "2"), "--engine ray"),
        (("random", "--key-file", "no such file"), "no file of keys"),
        (("nonsense",), "unknown policy"),
    ],
)
def test_the_command_refuses_what_would_not_work(arguments, why, capsys, monkeypatch):
    monkeypatch.delenv("SAYACT_KEY", raising=False)
    assert main(["serve", *arguments]) == 2
    assert why in capsys.readouterr().err
