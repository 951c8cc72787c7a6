"""The control loop: on time, and standing still when in doubt.

Times are those of a busy machine: a loop of 20 Hz, and tolerances of a period.
"""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from sayact.envs import make_env
from sayact.policies.baselines import OraclePolicy, ZeroPolicy
from sayact.robots.desk import Desk
from sayact.robots.gym_robot import GymRobot
from sayact.robots.keyboard import SIGNALS, stopping_on_signals
from sayact.robots.limits import Limits
from sayact.robots.loop import ControlLoop
from sayact.robots.report import RunReport, Status
from sayact.schema import RT1, ActionSpace
from sayact.schema.errors import ActionSpaceMismatchError, BadObservationError, SayactError
from sayact.testing.toy import FixedPolicy, ToyWorld
from sayact.testing.toy_robot import ScriptedPolicy, ToyRobot

HZ = 20
PERIOD = 1 / HZ
STEP = [0.01, 0.0]


def constant(_: int) -> list[float]:
    return STEP


def slow(seconds: float, *, first: int = 0, last: int = 10**9) -> ScriptedPolicy:
    """Takes so long for each step from `first` to `last`."""

    def script(step: int) -> list[float]:
        if first <= step <= last:
            time.sleep(seconds)
        return STEP

    return ScriptedPolicy(script)


def stuck(after: int, release: threading.Event) -> ScriptedPolicy:
    """Does not return from step `after` before it is released."""

    def script(step: int) -> list[float]:
        if step >= after:
            release.wait(20)
        return STEP

    return ScriptedPolicy(script)


def times(robot: ToyRobot, name: str) -> np.ndarray:
    return np.array([call.at for call in robot.calls if call.name == name])


# -- on time ---------------------------------------------------------------------------------------


def test_actions_are_applied_at_the_rate_asked_for() -> None:
    robot = ToyRobot()
    report = ControlLoop(robot, ScriptedPolicy(constant), HZ).run("walk", steps=20)
    assert (report.outcome, report.counts.steps) == ("time is up", 20)
    assert np.allclose(robot.applied(), STEP)
    assert np.median(np.diff(times(robot, "apply"))) == pytest.approx(PERIOD, rel=0.1)
    assert report.seconds == pytest.approx(19 * PERIOD, abs=3 * PERIOD)


def test_a_slow_robot_does_not_make_the_loop_drift() -> None:
    """Time spent in a call is not added to the period."""
    robot = ToyRobot(before=lambda name: time.sleep(0.01))
    report = ControlLoop(robot, ScriptedPolicy(constant), HZ).run("walk", steps=20)
    at = times(robot, "apply")
    assert at[-1] - at[0] == pytest.approx((report.counts.ticks - 1) * PERIOD, abs=PERIOD)


def test_the_picture_is_taken_as_late_as_latency_allows() -> None:
    """A quick policy acts on pictures that are fresh when their action is applied; a slow one on
    older ones, still in time."""
    ages = []
    for latency in (0.0, 0.6 * PERIOD):
        robot = ToyRobot()
        ControlLoop(robot, slow(latency), HZ).run("walk", steps=20)
        looked, applied = times(robot, "observe"), times(robot, "apply")
        newest = [looked[looked < at][-1] for at in applied]
        ages.append(float(np.median(applied - newest)))
    assert ages[0] < 0.5 * PERIOD
    assert 0.6 * PERIOD <= ages[1] <= 1.3 * PERIOD


def test_a_policy_slower_than_the_rate_acts_less_often_and_the_robot_is_held_between() -> None:
    robot = ToyRobot()
    report = ControlLoop(robot, slow(1.6 * PERIOD), HZ, hold_seconds=2).run("walk", steps=8)
    assert report.counts.steps == 8
    assert report.counts.holds >= 7
    assert report.counts.overruns >= report.counts.holds
    still = np.abs(robot.applied()).sum(1) == 0
    assert still.sum() == report.counts.holds, "held means a displacement of zero"


def test_an_answer_to_an_old_picture_is_not_acted_on() -> None:
    robot = ToyRobot()
    loop = ControlLoop(
        robot, slow(0.4, first=5, last=5), HZ, hold_seconds=2, stale_seconds=3 * PERIOD
    )
    report = loop.run("walk", steps=10)
    assert report.counts.stale == 1
    assert report.counts.holds >= 3


def test_a_first_answer_that_takes_its_time_moves_nothing_before_and_counts_for_nothing() -> None:
    robot = ToyRobot()
    report = ControlLoop(robot, slow(0.8, last=0), HZ).run("walk", steps=5)
    assert report.outcome == "time is up"
    assert max(report.latency_ms) < 800
    assert times(robot, "apply")[0] - times(robot, "observe")[0] > 0.8
    assert times(robot, "apply")[0] - times(robot, "observe")[1] < 0.8, "it looked again"


def test_a_policy_that_never_gives_a_first_action() -> None:
    robot, release = ToyRobot(), threading.Event()
    loop = ControlLoop(robot, stuck(0, release), HZ, start_seconds=0.3, hold_seconds=0.2)
    report = loop.run("walk")
    release.set()
    assert (report.outcome, report.counts.steps) == ("stopped", 0)
    assert robot.count("apply") == 0
    assert "no first action" in report.reason


def test_a_policy_that_is_always_too_slow_moves_nothing_and_is_told_why() -> None:
    robot = ToyRobot()
    report = ControlLoop(robot, slow(0.25), HZ, stale_seconds=0.1).run("walk")
    assert (report.outcome, report.counts.steps) == ("stopped", 0)
    assert "takes 0.25 s for an action" in report.reason
    assert robot.count("apply") == 0


def test_a_date_that_jumps_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    real, jumps = time.time, iter(range(10**6))
    monkeypatch.setattr(time, "time", lambda: real() + 3600 * (-1) ** next(jumps))
    robot = ToyRobot()
    report = ControlLoop(robot, ScriptedPolicy(constant), HZ).run("walk", steps=10)
    assert report.counts.steps == 10
    assert np.median(np.diff(times(robot, "apply"))) == pytest.approx(PERIOD, rel=0.2)


def test_ticks_that_pass_within_a_call_are_counted_and_not_caught_up() -> None:
    calls = iter(range(100))

    def hang_once(name: str) -> None:
        if name == "apply" and next(calls) == 3:
            time.sleep(4.5 * PERIOD)

    robot = ToyRobot(before=hang_once)
    report = ControlLoop(robot, ScriptedPolicy(constant), HZ).run("walk", steps=8)
    assert report.counts.missed >= 3
    at = times(robot, "apply")
    assert at[-1] - at[0] > (len(at) - 1 + report.counts.missed - 1.5) * PERIOD


# -- hold, then stop -------------------------------------------------------------------------------


def test_a_policy_that_hangs_is_held_and_then_stopped() -> None:
    robot, release, desk = ToyRobot(), threading.Event(), Desk()
    loop = ControlLoop(robot, stuck(5, release), HZ, hold_seconds=0.4, desk=desk)
    report = loop.run("walk")
    last_action = robot.calls[[c.name for c in robot.calls].index("stop") - 1]
    assert report.outcome == "stopped"
    assert "no action for 0.4 s" in report.reason
    assert report.counts.steps == 5
    assert 0.4 * HZ <= report.counts.holds <= 0.4 * HZ + 3
    assert last_action.values is not None
    assert not last_action.values.any()
    assert robot.calls[-1].name == "stop"
    assert loop.run("walk").counts.ticks == 0, "it still hangs: no other episode begins"
    release.set()


def test_errors_of_the_policy_hold_the_robot_and_it_goes_on_after_them() -> None:
    def script(step: int) -> list[float]:
        if 3 <= step < 6:
            raise BadObservationError("nothing to be seen")
        return STEP

    robot = ToyRobot()
    report = ControlLoop(robot, ScriptedPolicy(script), HZ).run("walk", steps=8)
    assert report.outcome == "time is up"
    assert report.counts.errors == {"BadObservationError": 3}
    assert report.counts.holds >= 3


@pytest.mark.parametrize("values", [[np.nan, 0.0], [0.0, 0.0, 0.0]])
def test_what_is_no_action_is_never_applied(values: list[float]) -> None:
    robot = ToyRobot()
    policy = ScriptedPolicy(lambda step: STEP if step < 2 else values)
    report = ControlLoop(robot, policy, HZ, hold_seconds=0.3).run("walk")
    assert (report.outcome, report.counts.steps) == ("stopped", 2)
    assert "BadActionError" in report.reason
    assert np.isfinite(robot.applied()).all()


def test_a_mistake_before_anything_moved_is_raised() -> None:
    def script(_: int) -> list[float]:
        raise BadObservationError("nothing to be seen")

    robot = ToyRobot()
    with pytest.raises(BadObservationError):
        ControlLoop(robot, ScriptedPolicy(script), HZ).run("walk")
    with pytest.raises(ActionSpaceMismatchError, match="robot"):
        ControlLoop(robot, FixedPolicy(*[0] * 11, space=RT1), HZ).run("walk")
    assert robot.count("apply") == 0
    assert robot.calls[-1].name == "stop"


@pytest.mark.parametrize("name", ["observe", "apply"])
def test_a_robot_that_fails_is_stopped_and_the_error_is_not_hidden(name: str) -> None:
    calls = iter(range(100))

    def fail(called: str) -> None:
        if called == name and next(calls) == 3:
            raise OSError("the cable is out")

    robot = ToyRobot(before=fail)
    with pytest.raises(OSError, match="cable"):
        ControlLoop(robot, ScriptedPolicy(constant), HZ).run("walk")
    assert robot.calls[-1].name == "stop"


def test_a_policy_that_is_broken_ends_the_run() -> None:
    robot = ToyRobot()
    with pytest.raises(ZeroDivisionError):
        ControlLoop(robot, ScriptedPolicy(lambda step: [1 / (3 - step), 0]), HZ).run("walk")
    assert robot.calls[-1].name == "stop"


# -- stop ------------------------------------------------------------------------------------------


def later(seconds: float, do: object) -> None:
    threading.Timer(seconds, do).start()  # type: ignore[arg-type]


def test_an_emergency_stop_is_at_once() -> None:
    robot, desk = ToyRobot(), Desk()
    pressed: list[float] = []

    def press() -> None:
        pressed.append(time.monotonic())
        desk.stop("the red button")

    later(0.31, press)
    # So slow a loop waits most of the time.
    report = ControlLoop(robot, ScriptedPolicy(constant), 2, hold_seconds=1, desk=desk).run("walk")
    assert (report.outcome, report.reason) == ("stopped", "the red button")
    assert times(robot, "stop")[0] - pressed[0] < 0.1
    assert ControlLoop(robot, ScriptedPolicy(constant), HZ, desk=desk).run("x").counts.ticks == 0


def test_an_emergency_stop_gets_through_while_a_call_to_the_robot_hangs() -> None:
    release, desk = threading.Event(), Desk()

    def hang(name: str) -> None:
        if name == "apply" and robot.count("apply") == 4:
            release.wait(10)

    robot = ToyRobot(before=hang)
    later(0.4, lambda: desk.stop("the red button"))
    later(1.2, release.set)
    report = ControlLoop(robot, ScriptedPolicy(constant), HZ, hold_seconds=5, desk=desk).run("walk")
    assert report.outcome == "stopped"
    first_stop = times(robot, "stop")[0] - times(robot, "apply")[0]
    assert first_stop < 1.0, "from the guard's thread, while the loop hung"


def test_a_robot_whose_call_does_not_return_is_stopped_from_outside() -> None:
    release = threading.Event()

    def hang(name: str) -> None:
        if name == "observe" and robot.count("observe") == 4:
            release.wait(10)

    robot = ToyRobot(before=hang)
    later(1.2, release.set)
    report = ControlLoop(robot, ScriptedPolicy(constant), HZ, hold_seconds=0.3).run("walk")
    assert report.outcome == "stopped"
    assert "has not returned for" in report.reason
    assert times(robot, "stop")[0] - times(robot, "observe")[3] < 0.9


@contextmanager
def inheriting(number: signal.Signals, handler: signal.Handlers | None) -> Iterator[None]:
    """As if this program had been started so; None: with a handler of Python's own."""
    before = signal.signal(number, handler or signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", [getattr(signal, name) for name in SIGNALS])
def test_signals_stop(number: signal.Signals) -> None:
    with inheriting(number, None):
        _stopped_by(number)


def test_ctrl_c_stops_where_a_script_has_started_the_program_to_ignore_it() -> None:
    with inheriting(signal.SIGINT, signal.SIG_IGN):
        _stopped_by(signal.SIGINT)


def test_the_second_ctrl_c_ends_the_program_even_there() -> None:
    with inheriting(signal.SIGINT, signal.SIG_IGN), stopping_on_signals(Desk()):
        signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL


def test_under_nohup_a_hang_up_is_ignored() -> None:
    with inheriting(signal.SIGHUP, signal.SIG_IGN), stopping_on_signals(desk := Desk()):
        signal.raise_signal(signal.SIGHUP)
    assert desk.stopped is None


def _stopped_by(number: signal.Signals) -> None:
    robot, desk, before = ToyRobot(), Desk(), signal.getsignal(number)
    main = threading.main_thread().ident
    assert main is not None
    later(0.3, lambda: signal.pthread_kill(main, number))
    with stopping_on_signals(desk):
        loop = ControlLoop(robot, ScriptedPolicy(constant), HZ, desk=desk)
        report = loop.run("walk", seconds=10)
    assert (report.outcome, report.reason) == ("stopped", f"{number.name} was received")
    assert signal.getsignal(number) is before


# -- what else a person may do ---------------------------------------------------------------------


def test_another_sentence_counts_from_the_next_picture_on() -> None:
    desk = Desk()
    policy = ScriptedPolicy(constant)

    def watch(status: Status) -> None:
        if status.counts.steps == 5:
            desk.say("come back")

    report = ControlLoop(ToyRobot(), policy, HZ, desk=desk, watch=watch).run("walk", steps=12)
    assert report.instructions == ("walk", "come back")
    assert policy.sentences.count("walk") in (5, 6)
    assert policy.sentences[-1] == "come back"
    assert policy.resets == 1, "a new sentence is no new episode"


@pytest.mark.parametrize("well", [True, False])
def test_a_person_ends_an_episode(well: bool) -> None:
    desk = Desk()
    later(0.3, lambda: desk.done(well))
    report = ControlLoop(ToyRobot(), ScriptedPolicy(constant), HZ, desk=desk).run("walk")
    assert (report.success, report.outcome) == (well, "done" if well else "failed")


def test_what_was_said_before_an_episode_is_not_about_it() -> None:
    desk = Desk()
    desk.done()
    desk.say("come back")
    loop = ControlLoop(ToyRobot(), ScriptedPolicy(constant), HZ, desk=desk)
    report = loop.run("walk", steps=3)
    assert (report.counts.steps, report.instructions) == (3, ("walk",))


def test_a_dry_run_moves_nothing_and_counts_all() -> None:
    robot = ToyRobot()
    report = ControlLoop(robot, ScriptedPolicy(constant), HZ, dry_run=True).run("walk", steps=5)
    assert (report.counts.steps, report.dry_run) == (5, True)
    assert robot.count("apply") == 0


def test_limits_stand_between() -> None:
    robot = ToyRobot()
    limits = Limits(robot.action_space, HZ, speed={"delta_x": 0.1})
    policy = ScriptedPolicy(lambda _: [0.04, 0.5])
    report = ControlLoop(robot, policy, HZ, limits=limits).run("walk", steps=5)
    assert np.allclose(robot.applied(), [0.005, 0.05])
    assert report.clamped == {"delta_x: speed": 5, "delta_y: bounds": 5, "delta_y: speed": 5}


def test_modes_are_obeyed_and_the_policy_can_end() -> None:
    """RT-1's controller is between: in mode arm the base is still; terminate ends."""
    robot = ToyRobot(RT1)
    policy = ScriptedPolicy(lambda step: [1.0 if step < 4 else 0.0, *[0.1] * 10], RT1)
    report = ControlLoop(robot, policy, HZ).run("walk")
    assert report.outcome == "ended by the policy"
    assert np.allclose(robot.applied()[:4, -3:], 0)
    assert not robot.applied()[4].any()


# -- worlds ----------------------------------------------------------------------------------------


def test_a_world_tells_success_and_sets_the_sentence() -> None:
    robot = GymRobot(ToyWorld())
    report = ControlLoop(robot, OraclePolicy(), HZ).run(seed=3)
    assert (report.outcome, report.success, report.counts.steps) == ("done", True, 3)
    assert report.instructions[0].startswith("go to ")
    failed = ControlLoop(robot, ZeroPolicy(), HZ).run(seed=3)
    assert (failed.outcome, failed.success, failed.counts.steps) == ("failed", False, 10)


def test_a_world_judges_what_it_was_told_and_says_nothing_of_what_it_does_not_know() -> None:
    robot = GymRobot(make_env("language_table", family="block2block", max_steps=None))
    robot.begin(0)
    assert robot.success is False
    robot.tell("dance a little")
    assert robot.success is None
    robot.tell("separate the red moon from the blue moon")
    assert robot.success is False
    loop = ControlLoop(GymRobot(ToyWorld()), OraclePolicy(), HZ)
    assert loop.run("dance a little").success is None


def test_a_world_judges_a_new_instruction() -> None:
    """The oracle follows the task that the world has; it was another one at the start."""
    desk, told = Desk(), "push the blue cube to the red moon"

    def watch(status: Status) -> None:
        if status.counts.steps == 5:
            desk.say(told)
            desk.say("x" * 600)  # longer than an instruction may be

    robot = GymRobot(make_env("language_table", family="separate", max_steps=None))
    loop = ControlLoop(robot, OraclePolicy(), 4 * HZ, desk=desk, watch=watch)
    report = loop.run(steps=200, seed=1)
    assert report.instructions[1:] == (told,)
    assert report.success


def test_a_slower_loop_lets_the_worlds_time_pass() -> None:
    world = ToyWorld(max_steps=9)
    report = ControlLoop(GymRobot(world, hz=10 / 3), ZeroPolicy(), HZ).run()
    assert (report.counts.steps, world.steps) == (3, 9)


def test_a_loop_faster_than_the_world_is_not_limited_in_speed() -> None:
    report = ControlLoop(GymRobot(ToyWorld()), OraclePolicy(), 4 * HZ).run()
    assert report.success
    assert not report.clamped


def test_an_oracle_has_nothing_to_read_in_a_robot() -> None:
    with pytest.raises(SayactError, match="oracle"):
        ControlLoop(ToyRobot(), OraclePolicy(), HZ).run("walk")


@pytest.mark.parametrize("hz", [0, -1, float("inf"), float("nan"), 0.5])
def test_rates_that_make_no_sense_are_refused(hz: float) -> None:
    with pytest.raises(SayactError, match="Hz"):
        ControlLoop(ToyRobot(), ScriptedPolicy(constant), hz)


def test_a_robot_must_be_told_what_to_do() -> None:
    with pytest.raises(SayactError, match="instruction"):
        ControlLoop(ToyRobot(), ScriptedPolicy(constant), HZ).run()


def test_the_report_is_plain_data() -> None:
    import json

    report: RunReport = ControlLoop(ToyRobot(), ScriptedPolicy(constant), HZ).run("x", steps=3)
    told = json.loads(json.dumps(report.to_json()))
    assert told["counts"]["steps"] == 3
    assert told["latency_ms"]["p50"] > 0
    assert isinstance(ToyRobot().action_space, ActionSpace)
