"""The control loop: look, ask, limit, apply, at a fixed rate, and stand still when in doubt.

    robot.observe ─▶ Observation ─▶ policy (own thread) ─▶ Action ─▶ Controller ─▶ Limits ─▶ apply
         ▲                                                                                     │
         └──────────────── tick after tick; no action in time: hold, then stop ◀───────────────┘

What happens at a tick:
- its action is there: it is applied, on the tick;
- it comes up to a quarter of a period (`GRACE`) later: it is applied late, an overrun;
- it does not come: the robot is held (a displacement of zero, or the last set-point again). The
  answer may still serve a later tick, if its picture is then no older than `stale_seconds`;
- for `hold_seconds` nothing came: the robot is stopped and the run ends.
The first action of an episode has no tick to be late for: nothing moves before it is there.

Whatever happens, errors included, `robot.stop()` is the last call to the robot.
"""

from collections.abc import Callable

from sayact.robots.desk import Desk
from sayact.robots.episode import Episode
from sayact.robots.limits import Limiting, Limits
from sayact.robots.pacing import GRACE
from sayact.robots.recording import Recording
from sayact.robots.report import RunReport, Status
from sayact.robots.robot import Robot, Staged, Told
from sayact.robots.setup import Setup
from sayact.robots.thinking import Acting
from sayact.robots.watchdog import Guard
from sayact.schema.errors import SayactError

# Until the first action is there; a network that is compiled or woken takes its time.
START_SECONDS = 60.0
# How old a picture may be when its action is applied: RT-1's period of 1/3 s, and half of that.
STALE_SECONDS = 0.5
HOLD_SECONDS = 1.0


class ControlLoop:
    """Drives `robot` with `policy` at `hz`; `run` is one episode.

    limits: None for those of the robot, or those that follow from its action space.
    hold_seconds: after how long without an action a robot that is held is stopped for good.
    stale_seconds: how old a picture may be when its action is applied.
    start_seconds: how long the first action may take; nothing moves before it.
    dry_run: look, ask and count, and move nothing.
    desk: where others may stop, say and end; see `Desk`.
    watch: is told after every tick; it must return at once.
    """

    def __init__(
        self,
        robot: Robot,
        policy: Acting,
        hz: float,
        *,
        limits: Limits | None = None,
        hold_seconds: float = HOLD_SECONDS,
        stale_seconds: float = STALE_SECONDS,
        start_seconds: float = START_SECONDS,
        dry_run: bool = False,
        desk: Desk | None = None,
        watch: Callable[[Status], None] | None = None,
    ) -> None:
        if not 0 < hz < float("inf"):
            raise SayactError(f"the rate of a control loop is above 0 Hz; got {hz:g}")
        if not 0 < stale_seconds < float("inf"):
            raise SayactError(f"pictures grow stale after more than 0 s; got {stale_seconds:g}")
        if not hold_seconds * hz >= 1:
            raise SayactError(
                f"a robot that is held for {hold_seconds:g} s at most would stop before its next "
                f"step, {1 / hz:.2g} s later at {hz:g} Hz; hold it for longer"
            )
        self.desk = desk or Desk()
        self._setup = Setup(
            robot=robot,
            policy=policy,
            hz=hz,
            limits=limits or _limits_of(robot, hz),
            hold_seconds=hold_seconds,
            # At a low rate even a picture in time is older than that.
            stale_seconds=max(stale_seconds, (1 + 2 * GRACE) / hz),
            start_seconds=start_seconds,
            dry_run=dry_run,
            desk=self.desk,
            watch=watch or (lambda _: None),
        )

    def run(
        self,
        instruction: str | None = None,
        *,
        steps: int | None = None,
        seconds: float | None = None,
        seed: int = 0,
        record: Recording | None = None,
    ) -> RunReport:
        """One episode, from the first look to `robot.stop()`.

        instruction: None for the sentence that the robot's own table sets.
        steps, seconds: the episode is over after so many actions, or so long.
        seed: of the table and of a policy that draws, where they do.
        Raises what robot or policy raise, the robot standing still. Only a SayactError of the
        policy after its first action raises nothing: the robot is held, as if no answer had come.
        """
        setup = self._setup
        sentence = setup.robot.begin(seed) if isinstance(setup.robot, Staged) else ""
        sentence = sentence if instruction is None else instruction
        if not sentence.strip():
            raise SayactError("what shall the robot do? Give an instruction")
        if isinstance(setup.robot, Told):
            setup.robot.tell(sentence)
        hang_seconds = setup.hold_seconds + 1 / setup.hz
        with Guard(setup.robot.stop, self.desk, hang_seconds) as guard:
            episode = Episode(setup, guard, sentence, steps, seconds, record)
            try:
                return episode.play(seed)
            finally:
                setup.robot.stop()
                guard.rest()
                episode.close()


def _limits_of(robot: Robot, hz: float) -> Limits:
    return robot.limits(hz) if isinstance(robot, Limiting) else Limits(robot.action_space, hz)
