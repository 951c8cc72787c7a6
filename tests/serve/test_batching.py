"""Robots share forward passes; nobody waits long, or in vain."""

import asyncio
import threading
import time

import numpy as np
import pytest

from sayact.policies.many import ManyRobots
from sayact.schema import LANGUAGE_TABLE, Action, Observation
from sayact.schema.errors import BadObservationError, DeadlineError, ServerBusyError
from sayact.serve.batching import Acted, Batcher
from sayact.serve.pace import Pace, Rhythm


class Counting(ManyRobots):
    """Answers how often a robot has been seen; takes a while for it."""

    def __init__(self, seconds=0.0):
        self.seconds = seconds
        self.batches = []
        self.threads = set()

    @property
    def action_space(self):
        return LANGUAGE_TABLE

    @property
    def picture(self):
        return None

    def begin(self, seed=0):
        return []

    def act_many(self, observations, memories):
        self.threads.add(threading.current_thread())
        self.batches.append(len(observations))
        time.sleep(self.seconds)
        if any(seen.instruction == "crash" for seen in observations):
            raise RuntimeError("a bug")
        answers = []
        for seen, memory in zip(observations, memories, strict=True):
            if seen.instruction == "bad":
                answers.append(BadObservationError("bad"))
                continue
            memory.append(seen.instruction)
            answers.append(Action(values=np.array([len(memory), 0], np.float32)))
        return answers


def seen(sentence="go"):
    return Observation(image=np.zeros((2, 2, 3), np.uint8), instruction=sentence)


def running(robots, test, **options):
    """`test(batcher)` while the batcher serves."""

    async def live():
        batcher = Batcher(robots, **options)
        serving = asyncio.create_task(batcher.run())
        try:
            return await test(batcher)
        finally:
            batcher.close()
            serving.cancel()

    return asyncio.run(live())


def test_a_robot_alone_never_waits():
    robots, memory = Counting(), []

    async def test(batcher):
        return [await batcher.act("a", seen(), memory) for _ in range(5)]

    acted = running(robots, test, window_seconds=5.0)
    assert [a.action.values[0] for a in acted] == [1, 2, 3, 4, 5]
    assert max(a.queue_seconds for a in acted) < 1.0
    assert [a.batch for a in acted] == [1] * 5
    assert threading.main_thread() not in robots.threads
    assert len(robots.threads) == 1


def test_who_comes_during_a_forward_pass_is_in_the_next_one_together():
    robots = Counting(seconds=0.2)

    async def test(batcher):
        first = asyncio.create_task(batcher.act("first", seen(), []))
        await asyncio.sleep(0.05)
        others = [batcher.act(str(n), seen(), []) for n in range(6)]
        return await asyncio.gather(first, *others)

    acted = running(robots, test)
    assert robots.batches == [1, 6]
    assert [a.batch for a in acted] == [1] + [6] * 6


def test_robots_in_step_are_waited_for():
    """Two that send at the same rate, one 20 ms after the other."""
    robots = Counting()

    async def test(batcher):
        async def robot(name, late):
            await asyncio.sleep(late)
            for _ in range(6):
                began = time.monotonic()
                await batcher.act(name, seen(), [])
                await asyncio.sleep(began + 0.2 - time.monotonic())

        await asyncio.gather(robot("a", 0), robot("b", 0.02))

    running(robots, test, window_seconds=0.1)
    assert robots.batches.count(2) >= 3


def test_robots_out_of_step_are_not_waited_for():
    """While one is far from sending again, the other must not lose the window."""
    robots = Counting()

    async def test(batcher):
        waits = []
        for name in "ab" * 4:
            waits.append((await batcher.act(name, seen(), [])).queue_seconds)
            await asyncio.sleep(0.3)
        return waits

    waits = running(robots, test, window_seconds=0.1)
    assert max(waits) < 0.08
    assert set(robots.batches) == {1}


def test_no_more_than_the_most_at_once():
    robots = Counting(seconds=0.01)

    async def test(batcher):
        await asyncio.gather(*(batcher.act(str(n), seen(), []) for n in range(10)))

    running(robots, test, most=4)
    assert robots.batches == [4, 4, 2]


def test_what_cannot_be_ready_is_refused_and_computes_nothing():
    robots, memory = Counting(seconds=0.1), []

    async def test(batcher):
        await batcher.act("a", seen(), memory)
        for _ in range(2):
            with pytest.raises(DeadlineError, match=r"takes .* ms"):
                await batcher.act("a", seen(), memory, deadline=time.monotonic() + 0.02)
        return await batcher.act("a", seen(), memory, deadline=time.monotonic() + 5)

    acted = running(robots, test)
    assert acted.action.values[0] == 2
    assert robots.batches == [1, 1]


def test_an_estimate_that_refuses_all_gives_way():
    """The first pass was slow, as first passes are; robots with deadlines are served again."""
    robots = Counting(seconds=0.5)

    async def test(batcher):
        await batcher.act("a", seen(), [])
        robots.seconds = 0.0
        for tried in range(100):
            try:
                await batcher.act("a", seen(), [], deadline=time.monotonic() + 0.2)
            except DeadlineError:
                continue
            return tried

    assert running(robots, test) in range(1, 40)


def test_the_most_pressing_first_and_alone_if_need_be():
    """A batch is not made so large that it misses the first deadline."""
    robots = Counting(seconds=0.02)

    async def test(batcher):
        batcher._pace.measured(1, 0.02)
        batcher._pace.measured(3, 2.0)
        patient = [batcher.act(str(n), seen(), [], time.monotonic() + 9) for n in range(2)]
        pressed = batcher.act("pressed", seen(), [], time.monotonic() + 0.5)
        done = await asyncio.gather(*patient, pressed)
        return [acted.queue_seconds for acted in done]

    *_, pressed = waits = running(robots, test)
    assert pressed == min(waits)
    assert robots.batches[0] == 1


def test_one_robots_fault_is_its_own():
    robots = Counting()

    async def test(batcher):
        sentences = ("go", "bad", "go", "crash")
        asked = [batcher.act(str(n), seen(s), []) for n, s in enumerate(sentences)]
        return await asyncio.gather(*asked, return_exceptions=True)

    good, bad, other, crash = running(robots, test)
    for acted in (good, other):
        assert isinstance(acted, Acted)
        assert acted.action.values[0] == 1
    assert isinstance(bad, BadObservationError)
    assert isinstance(crash, RuntimeError)


def test_who_waits_when_it_closes_is_told():
    robots = Counting(seconds=0.3)

    async def test(batcher):
        asked = [asyncio.create_task(batcher.act(str(n), seen(), [])) for n in range(2)]
        await asyncio.sleep(0.05)
        late = asyncio.create_task(batcher.act("late", seen(), []))
        await asyncio.sleep(0.05)
        assert batcher.queued == 1
        batcher.close()
        return await asyncio.gather(*asked, late, return_exceptions=True)

    assert all(isinstance(answer, ServerBusyError) for answer in running(robots, test))


class TestPace:
    def test_of_the_nearest_larger_size(self):
        pace = Pace()
        assert pace.expected(3) == 0
        pace.measured(2, 0.1)
        pace.measured(8, 0.2)
        assert [pace.expected(n) for n in (1, 2, 5, 8, 16)] == [0.1, 0.1, 0.2, 0.2, 0.4]

    def test_it_follows(self):
        pace = Pace()
        pace.measured(1, 1.0)
        for _ in range(20):
            pace.measured(1, 0.1)
        assert pace.expected(1) == pytest.approx(0.1, abs=0.01)


class TestRhythm:
    def test_who_comes_next(self):
        rhythm = Rhythm()
        rhythm.heard("a", 0.0)
        assert not rhythm.expects(0.1, 5.0, ())  # heard once: nobody knows
        rhythm.heard("a", 1.0)
        assert not rhythm.expects(1.5, 0.4, ())
        assert rhythm.expects(1.5, 0.5, ())
        assert not rhythm.expects(1.5, 0.5, ("a",))

    def test_who_stopped_is_not_waited_for(self):
        rhythm = Rhythm()
        rhythm.heard("a", 0.0)
        rhythm.heard("a", 1.0)
        assert rhythm.expects(2.4, 0.1, ())
        assert not rhythm.expects(2.6, 0.1, ())
