"""`sayact run`: a robot, or a world, does what it is told, at a fixed rate."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from rich.console import Console
from rich.markup import escape
from tyro.conf import Positional, arg

from sayact.commands.verb import Outcome, Verb
from sayact.schema.errors import SayactError

if TYPE_CHECKING:
    from sayact.robots.recording import Recording
    from sayact.robots.report import RunReport
    from sayact.robots.robot import Robot


@dataclass(frozen=True, kw_only=True)
class Run(Verb):
    """Drive a robot with a policy: observation, action, at a fixed rate, within limits.

    The robot is held when no action is there in time, and stopped when none comes at all. While it
    runs, Esc, Ctrl-C, or the space bar on an empty line stop it at once; a typed sentence and Enter
    change what it does; Enter alone ends the episode as done. docs/serve.md shows how a robot of
    your own is made.

    For instance:

        sayact run language_table --policy rt1-nano
        sayact run language_table --policy ws://localhost:8000 --hz 5 --episodes 3
        sayact run examples/my_robot.py:MyArm --policy rt2-nano --dry-run \\
            --instruction "push the red moon to the blue cube"
        sayact run my_robot:MyArm --policy runs/mine --hz 10 --record runs/on-the-robot \\
            --instruction "separate the blocks"
    """

    robot: Annotated[Positional[str], arg(metavar="WORLD_OR_ROBOT")]
    """A world's name, or MODULE:CLASS or FILE.py:CLASS of a robot."""
    policy: Annotated[str, arg(metavar="CHECKPOINT_OR_URL")]
    """A checkpoint's folder, a policy in the box, random, zero, oracle, or ws://HOST:PORT."""
    hz: float | None = None
    """Control steps a second, such as 3, 5 or 10; the robot's own rate unless told."""
    instruction: Annotated[str | None, arg(metavar="SENTENCE")] = None
    """What to do; unless told, the sentence of the task that a world sets."""
    episodes: int = 1
    """How often to do it; a world lays its table anew each time."""
    steps: int = 200
    """Actions after which an episode is over."""
    seconds: float | None = None
    """Seconds after which it is over, if that comes first."""
    hold_seconds: float = 1.0
    """Without an action for so long, a robot that is held is stopped for good."""
    stale_seconds: float = 0.5
    """How old a picture may be when its action is applied."""
    dry_run: bool = False
    """Look, ask and count; move nothing."""
    record: Annotated[Path | None, arg(metavar="DIR")] = None
    """Write the episodes as a dataset; one that is there already is gone on with."""
    families: Annotated[tuple[str, ...], arg(metavar="FAMILY ...")] = ()
    """Which tasks a world sets; its own choice unless told."""
    block_mode: str | None = None
    """Which blocks lie on a world's table."""
    seed: int = 0
    """Of the first episode's table; each further one has the next."""
    device: str = "cpu"
    """Where PyTorch computes: cpu, cuda, cuda:1 …"""
    engine: str | None = None
    """What computes the network: torch, openvino or onnx."""

    def run(self, console: Console) -> Outcome:
        from sayact.commands.run_display import Display
        from sayact.policies import load_policy
        from sayact.robots.desk import Desk
        from sayact.robots.keyboard import Keyboard, stopping_on_signals
        from sayact.robots.loop import ControlLoop

        if self.hz is not None and not 0 < self.hz < float("inf"):
            raise SayactError(f"a robot is driven at more than 0 Hz; got {self.hz:g}")
        if self.episodes < 1 or self.steps < 1:
            raise SayactError(
                f"at least 1 episode of 1 step; got {self.episodes} of {self.steps} steps"
            )
        desk = Desk()
        with ExitStack() as closing:
            robot = self._robot()
            closing.callback(_close, robot)
            policy = load_policy(self.policy, self.device, self.engine)
            closing.callback(_close, policy)
            hz = robot.action_space.rate_hz if self.hz is None else self.hz
            recording = self._recording(robot, hz)
            closing.enter_context(stopping_on_signals(desk))
            keyboard = closing.enter_context(Keyboard(desk))
            display = closing.enter_context(Display(console, keyboard, hz))
            loop = ControlLoop(
                robot,
                policy,
                hz,
                hold_seconds=self.hold_seconds,
                stale_seconds=self.stale_seconds,
                dry_run=self.dry_run,
                desk=desk,
                watch=display.show,
            )
            reports: list[RunReport] = []
            for number in range(self.episodes):
                report = loop.run(
                    self.instruction,
                    steps=self.steps,
                    seconds=self.seconds,
                    seed=self.seed + number,
                    record=recording,
                )
                reports.append(report)
                display.ended(report)
                if desk.stopped is not None or report.outcome == "stopped":
                    break
            display.close()
            if recording is not None:
                recording.close()
        return self._told(console, reports, desk.stopped or reports[-1].reason)

    def _told(self, console: Console, reports: "list[RunReport]", why: str) -> Outcome:
        from sayact.commands.run_display import summary

        console.print(summary(reports))
        if self.record is not None and any(report.recorded for report in reports):
            console.print(f"recorded: sayact data show {self.record}", soft_wrap=True)
        if self.dry_run:
            console.print("a dry run: nothing was applied")
        if len(reports) < self.episodes:
            so_far = f"{len(reports)} of {self.episodes} episodes"
            console.print(f"ended after {so_far}: {escape(why)}", soft_wrap=True)
        stopped = any(report.outcome == "stopped" for report in reports)
        ok = not stopped and len(reports) == self.episodes
        return Outcome(result={"episodes": [r.to_json() for r in reports]}, ok=ok)

    def _robot(self) -> "Robot":
        from sayact.robots.loading import make_robot

        options: dict[str, Any] = {}
        if self.families:
            options["family"] = self.families
        if self.block_mode is not None:
            options["block_mode"] = self.block_mode
        return make_robot(self.robot, self.hz, **options)

    def _recording(self, robot: "Robot", hz: float) -> "Recording | None":
        from sayact.evals.provenance import policy_title
        from sayact.robots.recording import Recording
        from sayact.robots.robot import Named

        if self.record is None or self.dry_run:
            return None
        return Recording(
            directory=self.record,
            action_space=robot.action_space,
            hz=hz,
            robot_type=self.robot,
            state_names=robot.state_names if isinstance(robot, Named) else (),
            about={"robot": self.robot, "policy": policy_title(self.policy)},
        )


def _close(thing: object) -> None:
    """Robots and policies that hold something have a `close`."""
    close = getattr(thing, "close", None)
    if callable(close):
        close()
