"""A robot talks to the server: in the words of openpi, and in ours around them."""

import io
import threading

import numpy as np
import pytest
from PIL import Image
from websockets.exceptions import InvalidStatus

from robot_by_hand import Moody, Robot, alone, closed_with, robot_at, seen, tokens
from sayact.policies.baselines import RandomPolicy
from sayact.schema import LANGUAGE_TABLE, ActionSpace, Observation
from sayact.serve.messages import observation_message
from sayact.serve.server import start_in_thread
from sayact.testing import TINY_IMAGES


class TestOpenpi:
    def test_the_first_message_tells_what_the_robot_needs(self, robot):
        told = robot.metadata
        assert told["server"] == "sayact"
        assert told["policy"] == "tiny"
        assert told["protocol"] == 1
        assert ActionSpace.from_json(told["action_space"]) == LANGUAGE_TABLE
        assert told["picture"] == list(TINY_IMAGES.camera)
        assert told["action_horizon"] == 1
        assert told["window_ms"] == 5
        assert told["max_message_bytes"] == 8 * 2**20
        assert told["session_seconds"] == 60
        assert told["session"] != told["resume"]

    def test_an_episode_is_that_of_the_policy_alone(self, robot, policy, rng):
        episode = [seen(rng) for _ in range(6)]
        replies = [robot.act(observation) for observation in episode]
        assert [tokens(reply) for reply in replies] == alone(policy, episode)
        assert replies[0]["actions"].shape == (1, 2)
        assert replies[0]["actions"].dtype == np.float32
        assert [reply["step"] for reply in replies] == [0, 1, 2, 3, 4, 5]
        assert "prev_total_ms" not in replies[0]["server_timing"]
        assert replies[1]["server_timing"]["prev_total_ms"] > 0
        assert replies[1]["server_timing"]["batch"] == 1
        assert replies[1]["policy_timing"]["infer_ms"] > 0

    def test_pictures_as_files(self, robot, policy, rng):
        smooth = np.full((*TINY_IMAGES.camera, 3), (200, 40, 90), np.uint8)
        observation = Observation(image=smooth, instruction="push it")
        sent = observation_message(observation, jpeg_quality=95)
        decoded = np.asarray(Image.open(io.BytesIO(sent["observation/image"])))
        seen_there = Observation(image=decoded, instruction="push it")
        assert tokens(robot.say(sent)) == alone(policy, [seen_there])[0]


class TestEpisodes:
    @pytest.mark.parametrize("how", ["reset", "episode_start", "episode_end"])
    def test_a_new_one_remembers_nothing(self, robot, policy, rng, how):
        episode = [seen(rng) for _ in range(3)]
        for observation in episode:
            robot.act(observation)
        said = robot.say(type=how)
        assert said["type"] == how
        assert said["ok"] is True
        assert said["steps"] == (3 if how == "episode_end" else 0)
        replies = [robot.act(observation) for observation in episode]
        assert [tokens(reply) for reply in replies] == alone(policy, episode)
        assert replies[-1]["episode"] == 1

    def test_reset_with_an_observation(self, robot, policy, rng):
        first, second = seen(rng), seen(rng)
        robot.act(first, step=0)
        reply = robot.act(second, step=0, reset=True)
        assert tokens(reply) == alone(policy, [second])[0]
        assert (reply["episode"], reply["step"]) == (1, 0)

    @pytest.mark.parametrize(
        ("late", "told"),
        [({"deadline_ms": 0.0}, "DeadlineError"), ({"prompt": 7}, "BadObservationError")],
    )
    def test_a_refused_reset_changes_nothing(self, robot, policy, rng, late, told):
        episode = [seen(rng) for _ in range(3)]
        for observation in episode[:2]:
            robot.act(observation)
        assert robot.act(seen(rng), reset=True, **late).startswith(told)
        reply = robot.act(episode[2])
        assert tokens(reply) == alone(policy, episode)[2]
        assert (reply["episode"], reply["step"]) == (0, 2)

    def test_the_sentence_of_an_episode_and_another_in_its_middle(self, robot, policy, rng):
        bare = [seen(rng, "") for _ in range(4)]
        robot.say(type="episode_start", instruction="go up")
        told = ["go up", "go up", "go down", "go up"]
        replies = []
        for observation, sentence in zip(bare, told, strict=True):
            message = observation_message(observation)
            del message["prompt"]
            replies.append(
                robot.say(message, **({} if sentence == "go up" else {"prompt": sentence}))
            )
        heard = [Observation(image=o.image, instruction=s) for o, s in zip(bare, told, strict=True)]
        assert [tokens(reply) for reply in replies] == alone(policy, heard)

    def test_a_step_asked_twice_is_acted_on_once(self, robot, policy, rng):
        episode = [seen(rng) for _ in range(3)]
        robot.act(episode[0], step=0)
        first = robot.act(episode[1], step=1)
        again = robot.act(episode[1], step=1)
        assert tokens(first) == tokens(again)
        assert tokens(robot.act(episode[2], step=2)) == alone(policy, episode)[2]
        assert robot.say(type="episode_end")["steps"] == 3

    def test_seeds_are_those_of_the_policy(self, rng):
        with start_in_thread(RandomPolicy()) as server, robot_at(server) as robot:
            drawn = []
            for seed in (7, 8, 7):
                robot.say(type="episode_start", seed=seed)
                drawn.append([tuple(robot.act(seen(rng))["actions"][0]) for _ in range(3)])
        assert drawn[0] == drawn[2]
        assert drawn[0] != drawn[1]


MISTAKES = {
    "a picture of another size": (
        {"image": np.zeros((3, 4, 3), np.uint8), "prompt": ""},
        "ShapeError: the picture must be uint8 of shape (36, 64, 3)",
    ),
    "no picture": ({"prompt": ""}, "BadObservationError: no picture"),
    "an unknown type": ({"type": "rest"}, "UnknownNameError: unknown type of message 'rest'"),
    "a type that is none": ({"type": [1]}, "UnknownNameError"),
    "a step of text": ({"step": "one"}, "WireError: step must be"),
    "a step that was": ({"step": 1}, "WireError: step 1 comes after step 2"),
    "a session without a name": ({"session": ""}, "WireError: a session's name"),
    "a session that is a number": ({"session": 7}, "WireError: session must be text"),
    "a deadline of text": ({"deadline_ms": "soon", "step": 3}, "WireError: deadline_ms"),
    "a deadline that has passed": ({"deadline_ms": -1.0, "step": 3}, "DeadlineError: an action"),
    "half a resume": ({"type": "resume"}, "WireError: to resume takes both"),
}


@pytest.mark.usefixtures("as_it_ships")
@pytest.mark.parametrize(("message", "told"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_and_changes_nothing(robot, policy, rng, message, told):
    episode = [seen(rng) for _ in range(4)]
    for step in range(3):
        robot.act(episode[step], step=step)
    if "image" not in message and "type" not in message and "step" in message:
        message = {**observation_message(episode[3]), **message}
    answer = robot.say(message)
    assert isinstance(answer, str)
    assert answer.startswith(told)
    assert "\n" not in answer
    assert tokens(robot.act(episode[3], step=3)) == alone(policy, episode)[3]


@pytest.mark.parametrize(
    ("frame", "name", "code"),
    [
        (b"\xc1", "WireError", 1007),
        (b"\x80\x80", "WireError", 1007),
        (b"\x81\xa1a\xdd\xff\xff\xff\xff", "WireError", 1007),
        ("hello", "WireError", 1003),
    ],
)
def test_what_cannot_be_read_ends_the_connection(robot, frame, name, code):
    robot.socket.send(frame)
    assert robot.heard().startswith(f"{name}: ")
    with closed_with(code):
        robot.heard()


def test_a_message_that_is_too_large():
    with (
        start_in_thread(RandomPolicy(), max_message_bytes=1000) as server,
        robot_at(server) as robot,
    ):
        robot.socket.send(bytes(2000))
        with closed_with(1009):
            robot.heard()


def test_a_fault_of_the_server_keeps_its_traceback(policy, rng):
    robots = Moody(policy)
    with start_in_thread(robots) as server, robot_at(server) as robot:
        robots.happens = lambda: 1 // 0
        told = robot.act(seen(rng))
        assert told.startswith("InternalError: ")
        assert "division" not in told
        with closed_with(1011):
            robot.heard()
        robots.happens = None
        with robot_at(server) as another:
            assert isinstance(another.act(seen(rng)), dict)


class TestSessions:
    def test_a_robot_comes_back_to_its_episode(self, server, policy, rng):
        episode = [seen(rng) for _ in range(4)]
        with robot_at(server) as robot:
            for observation in episode[:2]:
                robot.act(observation)
            told = robot.metadata
        with robot_at(server) as robot:
            back = robot.say(type="resume", session=told["session"], resume=told["resume"])
            assert back["resumed"] is True
            assert back["steps"] == 2
            replies = [robot.act(observation) for observation in episode[2:]]
        assert [tokens(reply) for reply in replies] == alone(policy, episode)[2:]
        assert replies[0]["session"] == told["session"]

    def test_the_older_connection_is_closed(self, server, rng):
        with robot_at(server) as older, robot_at(server) as newer:
            older.act(seen(rng))
            told = older.metadata
            newer.say(type="resume", session=told["session"], resume=told["resume"])
            with closed_with(1008, "session taken over"):
                older.heard()
            assert newer.act(seen(rng))["step"] == 1

    def test_another_robots_session_stays_its_own(self, server, policy, rng):
        episode = [seen(rng), seen(rng)]
        with robot_at(server) as robot, robot_at(server) as thief:
            name = robot.metadata["session"]
            robot.act(episode[0])
            own = thief.act(episode[0])
            for message in (
                {**observation_message(episode[1]), "session": name},
                {"type": "reset", "session": name},
                {"type": "resume", "session": name, "resume": "guessed"},
            ):
                assert thief.say(message).startswith("SessionTakenError: ")
            assert tokens(robot.act(episode[1])) == alone(policy, episode)[1]
            assert tokens(own) == alone(policy, episode)[0]
            assert tokens(thief.act(episode[1])) == alone(policy, episode)[1]

    def test_a_session_the_server_does_not_know_begins_anew(self, robot, rng):
        back = robot.say(type="resume", session="of yesterday", resume="any token at all")
        assert back["resumed"] is False
        assert back["steps"] == 0
        reply = robot.act(seen(rng))
        assert (reply["session"], reply["step"]) == ("of yesterday", 0)
        robot.say(type="close")

    def test_a_robot_that_did_not_hear_that_it_begins_anew_comes_again(self, server):
        """Its token, of a server's life before, is taken over; a short one is not."""
        asked = {"type": "resume", "session": "restarted", "resume": "t" * 32}
        for known in (False, True):
            with robot_at(server) as robot:
                back = robot.say(**asked)
                assert (back["resumed"], back["resume"]) == (known, "t" * 32)
        with robot_at(server) as robot:
            back = robot.say(type="resume", session="short", resume="t")
            assert back["resume"] != "t"

    def test_one_connection_may_speak_for_many_robots(self, robot, policy, rng):
        episodes = {name: [seen(rng) for _ in range(3)] for name in ("left", "right")}
        replies = {name: [] for name in episodes}
        for step in range(3):
            for name, episode in episodes.items():
                replies[name].append(tokens(robot.act(episode[step], session=name)))
        assert replies == {name: alone(policy, episode) for name, episode in episodes.items()}

    def test_close_ends_session_and_connection(self, server):
        with robot_at(server) as robot:
            before = len(server.service.sessions)
            assert robot.say(type="close")["ok"] is True
            with closed_with(1000, "session closed"):
                robot.heard()
            assert len(server.service.sessions) == before - 1

    def test_a_full_house(self, policy, rng):
        with start_in_thread(policy, max_sessions=1) as server, robot_at(server) as robot:
            robot.act(seen(rng))
            with pytest.raises(InvalidStatus, match="503"):
                Robot(server.url)


def test_robots_that_send_together_share_a_forward_pass(policy, rng):
    """And each is answered as if it were alone."""
    episodes = [[seen(rng) for _ in range(6)] for _ in range(4)]
    with start_in_thread(policy, window_ms=200.0) as server:
        ready, replies = threading.Barrier(4), {}

        def live(number):
            with robot_at(server) as robot:
                ready.wait()
                replies[number] = [robot.act(observation) for observation in episodes[number]]

        threads = [threading.Thread(target=live, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    for number, episode in enumerate(episodes):
        assert [tokens(reply) for reply in replies[number]] == alone(policy, episode)
    batches = [reply["server_timing"]["batch"] for reply in replies[0]]
    assert max(batches) > 1
