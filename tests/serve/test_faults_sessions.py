"""Robots whose histories must never mix, on a server that answers them together."""

import threading
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from sayact.policies.loading import load_policy
from sayact.policies.rt1 import RT1Policy
from sayact.schema import Action, Observation
from sayact.serve.messages import observation_message
from sayact.serve.server import PolicyServer, start_in_thread
from wires import CLOSE, Wire, alone, assert_same, chances, pictures

pytestmark = pytest.mark.usefixtures("as_it_ships")


def play_together(
    server: PolicyServer, episodes: Sequence[Sequence[Observation]]
) -> list[list[Action]]:
    """Every robot in a thread of its own, all at once; half of them begin a second time."""
    played: list[list[Action]] = [[] for _ in episodes]
    ready = threading.Barrier(len(episodes))

    def play(number: int) -> None:
        robot = Wire(server)
        ready.wait(30)
        if number % 2:  # a false start that must leave nothing behind
            robot.act(episodes[number - 1][0])
            robot.say({"type": "episode_start"})
        for seen in episodes[number]:
            played[number].append(robot.act(seen))
        robot.socket.close()

    robots = [threading.Thread(target=play, args=(n,)) for n in range(len(episodes))]
    for robot in robots:
        robot.start()
    for robot in robots:
        robot.join(60)
    return played


def test_64_robots_with_histories_of_their_own_never_mix(
    tiny: RT1Policy, rng: np.random.Generator
) -> None:
    episodes = [pictures(rng, 7 + robot % 3) for robot in range(64)]
    with start_in_thread(tiny, window_ms=20) as server:
        played = play_together(server, episodes)
    lone = [alone(tiny, episode) for episode in episodes]
    for robot in range(64):
        for action, expected in zip(played[robot], lone[robot], strict=True):
            assert_same(action, expected)
    # That could fail: what a robot sees and has seen moves its answer by more than rounding does.
    last = [chances(actions[-1]) for actions in lone]
    assert min(abs(a - b).max() for a, b in pairwise(last)) > 10 * CLOSE
    for episode, actions in zip(episodes[:8], lone[:8], strict=True):
        fresh = chances(alone(tiny, episode[-1:])[0])
        assert abs(fresh - chances(actions[-1])).max() > 10 * CLOSE


def test_64_robots_of_the_trained_policy_never_mix(rng: np.random.Generator) -> None:
    policy = load_policy("rt1-nano")
    episodes = [pictures(rng, 3, (180, 320)) for _ in range(64)]
    with start_in_thread(policy, window_ms=20) as server:
        played = play_together(server, episodes)
        assert "sayact_batch_robots_count" in server.service.metrics.text()
    for episode, actions in zip(episodes, played, strict=True):
        for action, expected in zip(actions, alone(policy, episode), strict=True):
            assert_same(action, expected)


def test_two_robots_with_one_session_id(tiny: RT1Policy, rng: np.random.Generator) -> None:
    episode = pictures(rng, 2)
    with start_in_thread(tiny) as server:
        first, second = Wire(server), Wire(server)
        before = first.act(episode[0], session="arm")
        asked = {**observation_message(episode[0]), "session": "arm"}
        assert second.refused(asked) == "SessionTakenError"
        token = {"type": "resume", "session": "arm", "resume": "guessed"}
        assert second.refused(token) == "SessionTakenError"
        assert_same(second.act(episode[0]), before)  # in its own session it goes on
        reply = first.say({**observation_message(episode[1]), "session": "arm"})
        assert reply["step"] == 1
