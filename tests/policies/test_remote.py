"""A server's URL wherever a policy is named: the same answers, titles, tables and folders."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from sayact.cli import main
from sayact.evals.provenance import policy_title
from sayact.policies import load_policy
from sayact.policies.loading import checkpoint_folder
from sayact.policies.remote import RemotePolicy
from sayact.schema import Observation
from sayact.schema.errors import SayactError
from sayact.serve.link import KEY_VARIABLE
from sayact.serve.security import Keys
from sayact.serve.server import PolicyServer, start_in_thread


@pytest.fixture(scope="module")
def server() -> Iterator[PolicyServer]:
    with start_in_thread(load_policy("rt1-nano"), "rt1-nano") as running:
        yield running


def noise(seed: int) -> Observation:
    image = np.random.default_rng(seed).integers(0, 256, (180, 320, 3), np.uint8)
    return Observation(image=image, instruction="push the red moon to the blue cube")


def test_it_answers_as_the_policy_does_here(server: PolicyServer) -> None:
    here, there = load_policy("rt1-nano"), load_policy(server.url)
    assert isinstance(there, RemotePolicy)
    assert there.action_space == here.action_space
    for _ in range(2):
        here.reset()
        there.reset()
        for step in range(8):  # past the roll of the window of 6 frames
            mine, theirs = here.act(noise(step)), there.act(noise(step))
            assert mine.tokens is not None
            assert theirs.tokens is not None
            assert mine.tokens.tolist() == theirs.tokens.tolist()
            assert np.allclose(mine.values, theirs.values)
    there.close()


def test_a_policy_that_draws_takes_the_same_seed_there() -> None:
    with start_in_thread(load_policy("random"), "random") as server:
        policy = load_policy(server.url)
        assert isinstance(policy, RemotePolicy)
        drawn: list[np.ndarray] = []
        for seed in (5, 6, 5):
            policy.seed(seed)
            policy.reset()
            drawn.append(policy.act(noise(0)).values)
        policy.close()
    assert np.array_equal(drawn[0], drawn[2])
    assert not np.array_equal(drawn[0], drawn[1])


def test_the_key_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with start_in_thread(load_policy("zero"), keys=Keys(("open sesame please",))) as server:
        monkeypatch.delenv(KEY_VARIABLE, raising=False)
        with pytest.raises(SayactError, match=KEY_VARIABLE):
            load_policy(server.url)
        monkeypatch.setenv(KEY_VARIABLE, "open sesame please")
        load_policy(server.url).act(noise(0))


def test_what_the_server_has_settled_is_not_asked_for(server: PolicyServer) -> None:
    with pytest.raises(SayactError, match="engine is settled"):
        load_policy(server.url, engine="onnx")
    with pytest.raises(SayactError, match="plan_every is settled"):
        load_policy(server.url, plan_every=3)
    with pytest.raises(SayactError, match="its server's"):
        checkpoint_folder(server.url)


@pytest.mark.parametrize(
    ("url", "title"),
    [
        ("ws://localhost:8000", "localhost-8000"),
        ("wss://user:word@robots.example.org/", "robots.example.org"),
        ("ws://[::1]:8000", "1-8000"),
        ("runs/mine/steps/000200", "mine"),
        ("rt1-nano", "rt1-nano"),
    ],
)
def test_a_title_is_short_and_the_name_of_a_file(url: str, title: str) -> None:
    assert policy_title(url) == title


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_a_server_is_evaluated(
    server: PolicyServer, workers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By worker processes, each with a session of its own, beside the same policy here."""
    monkeypatch.chdir(tmp_path)
    asked = "language_table --families separate --episodes 2 --max-steps 12 --videos 1"
    arguments = [*asked.split(), "--beside", "rt1-nano", "--workers", workers, "--json", "out.json"]
    assert main(["eval", server.url, *arguments]) == 0
    folder = tmp_path / "runs" / "eval" / policy_title(server.url)
    assert (folder / "report.html").exists()
    assert len(list((folder / "videos").glob("*.mp4"))) == 2
    told = json.loads((tmp_path / "out.json").read_text())
    assert "a server of rt1-nano" in (tmp_path / "out.json").read_text()
    there, here = told, told["beside"]["rt1-nano"]
    for key in ("success", "steps", "instruction"):
        assert [e[key] for e in there["episodes"]] == [e[key] for e in here["episodes"]]
