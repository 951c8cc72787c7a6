"""Every robot has a session, and nobody else's."""

import pytest

from sayact.policies.baselines import RandomPolicy
from sayact.policies.many import many_robots
from sayact.schema.errors import ServerBusyError, SessionTakenError
from sayact.serve.sessions import Answered, Sessions


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


class Connection:
    def __init__(self):
        self.told = 0

    def taken_over(self):
        self.told += 1


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sessions(clock):
    return Sessions(many_robots(RandomPolicy()), most=3, seconds=60, clock=clock)


def test_new_ones_have_names_and_tokens_of_their_own(sessions):
    one, two = sessions.open(Connection()), sessions.open(Connection())
    assert len({one.name, two.name, one.token, two.token}) == 4
    assert one.memory is not two.memory
    assert len(sessions) == 2


def test_a_name_belongs_to_who_came_first(sessions):
    first, second = Connection(), Connection()
    session = sessions.open(first, "robot 7")
    assert sessions.open(first, "robot 7") is session
    with pytest.raises(SessionTakenError, match="'robot 7'"):
        sessions.open(second, "robot 7")
    sessions.release(first)  # kept, and still nobody else's
    with pytest.raises(SessionTakenError):
        sessions.open(second, "robot 7")
    assert session.holder is None


def test_the_token_takes_over(sessions):
    first, second = Connection(), Connection()
    session = sessions.open(first, "robot 7")
    with pytest.raises(SessionTakenError, match="not the token"):
        sessions.resume(second, "robot 7", "guessed, in ünïcode")
    assert sessions.resume(second, "robot 7", session.token) is session
    assert (first.told, session.holder) == (1, second)
    sessions.release(first)  # its end comes later, and changes nothing
    assert session.holder is second
    assert sessions.resume(second, "robot 7", session.token) is session
    assert second.told == 0


def test_kept_for_a_while(sessions, clock):
    robot = Connection()
    session = sessions.open(robot)
    clock.now += 1000  # a connection that is open may be silent
    sessions.sweep()
    assert len(sessions) == 1
    sessions.release(robot)
    clock.now += 59
    assert sessions.resume(robot, session.name, session.token) is session
    sessions.release(robot)
    clock.now += 61
    assert sessions.resume(robot, session.name, session.token) is None
    assert len(sessions) == 0


def test_no_more_than_there_is_room_for(sessions):
    robots = [Connection() for _ in range(3)]
    held = [sessions.open(robot) for robot in robots]
    assert sessions.full
    with pytest.raises(ServerBusyError, match="3 robots"):
        sessions.open(Connection())
    held[1].steps = 4
    sessions.release(robots[1])
    assert sessions.full  # it may come back to its episode
    sessions.release(robots[2])
    assert not sessions.full  # that one had done nothing yet
    new = sessions.open(Connection())
    assert set(sessions) == {held[0], held[1], new}


def test_an_episode_begins_with_nothing(sessions):
    session = sessions.open(Connection())
    sessions.begin(session, sessions.new_memory(session))
    assert session.episode == 0  # the one before had no step
    session.steps, session.answered, before = 3, Answered(2, {}), session.memory
    sessions.begin(session, sessions.new_memory(session), "push it")
    assert (session.episode, session.steps, session.answered) == (1, 0, None)
    assert session.instruction == "push it"
    assert session.memory is not before


def test_closed_is_forgotten(sessions):
    robot = Connection()
    session = sessions.open(robot, "robot 7")
    sessions.close(session)
    assert session.holder is None
    assert sessions.held_by(robot) == []
    assert sessions.open(Connection(), "robot 7") is not session
