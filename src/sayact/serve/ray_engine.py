"""Many copies of one policy on Ray Serve, each keeping the episodes of its own robots.

    robots ─▶ server ─┬─ robot 7 ─▶ batcher ─▶ Lane 0 ═▶ replica 0   Ray Serve: a process each,
                      ├─ robot 8 ─▶ batcher ─▶ Lane 1 ═▶ replica 1   on this machine or others
                      └─ robot 9 ─▶ batcher ─▶ Lane 0

An episode keeps to the lane where it began, since its history lies there. Every replica is a
deployment of its own, of one copy, because Ray Serve promises no caller the same copy twice. When
a replica dies, Ray Serve starts another; the robots of that lane are told so once, by a
`HistoryLostError`, and go on with an empty history. Those of other lanes wait for nothing of it.

Between these processes Ray pickles, as it always does: keep a cluster's network closed.
"""

import logging
import os
import uuid
import weakref
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sayact.policies.loading import load_policy
from sayact.policies.many import Answer, ManyRobots, Memory, many_robots
from sayact.schema import ActionSpace, Observation
from sayact.schema.errors import HistoryLostError, MissingExtraError, SayactError, ServerBusyError
from sayact.serve.lanes import Lanes

LOADING_S = 300.0  # a big checkpoint is read from a slow disk
# Longer than any step takes, and shorter than a robot's patience: a replica that died is back after
# two seconds and the time that its weights take to load.
ANSWER_S = 5.0
HEALTH_S = 1.0  # how often Ray Serve asks a replica whether it lives


@dataclass(eq=False)
class Ticket:
    """What the server remembers of a robot's episode: where its memory lies.

    names: of the memories it has had, the newest last. life: of the replica that began that one;
    None before the first step.
    """

    seed: int
    names: list[str] = field(default_factory=lambda: [uuid.uuid4().hex])
    life: str | None = None

    def renew(self) -> None:
        """The next step begins with an empty history, whatever a replica still holds."""
        self.names.append(uuid.uuid4().hex)
        self.life = None


class Replica:
    """One copy of the policy in a process of its own; Ray Serve makes, watches and restarts it."""

    def __init__(self, checkpoint: str, device: str, plan_every: int | None = None) -> None:
        self._robots = many_robots(load_policy(checkpoint, device, plan_every=plan_every))
        self._memories: dict[str, Memory] = {}
        self._life = uuid.uuid4().hex

    def describe(self) -> tuple[ActionSpace, tuple[int, int] | None, int]:
        """Action space, picture, and the number of the process."""
        return self._robots.action_space, self._robots.picture, os.getpid()

    def episodes(self) -> int:
        """How many are remembered."""
        return len(self._memories)

    def act(
        self,
        observations: Sequence[Observation],
        tickets: Sequence[tuple[str, int, str | None]],
        forgotten: Sequence[str],
    ) -> tuple[str, list[Answer]]:
        """This replica's life, and an answer for every ticket (name, seed, life)."""
        for name in forgotten:
            self._memories.pop(name, None)
        answers: list[Answer] = [_lost() for _ in tickets]
        kept = [place for place, (_, _, life) in enumerate(tickets) if life in (None, self._life)]
        for place in kept:
            name, seed, _ = tickets[place]
            if name not in self._memories:
                self._memories[name] = self._robots.begin(seed)
        acted = self._robots.act_many(
            [observations[place] for place in kept],
            [self._memories[tickets[place][0]] for place in kept],
        )
        for place, answer in zip(kept, acted, strict=True):
            answers[place] = answer
        return self._life, answers


class Lane(ManyRobots):
    """One replica, as the server sees it: a policy for many robots, far away."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._forgotten: deque[str] = deque()
        self._space, self._picture, _ = handle.describe.remote().result(timeout_s=LOADING_S)

    @property
    def action_space(self) -> ActionSpace:
        return self._space

    @property
    def picture(self) -> tuple[int, int] | None:
        return self._picture

    def process(self) -> int:
        """Number of the replica's process; another one after it died."""
        return self._handle.describe.remote().result(timeout_s=LOADING_S)[2]

    def episodes(self) -> int:
        """How many the replica remembers."""
        return self._handle.episodes.remote().result(timeout_s=LOADING_S)

    def begin(self, seed: int = 0) -> Memory:
        """The memory itself is made where it will lie, at the first step."""
        ticket = Ticket(seed)
        # When the server drops the ticket, the next step tells the replica.
        weakref.finalize(ticket, self._forgotten.extend, ticket.names).atexit = False
        return ticket

    def act_many(
        self, observations: Sequence[Observation], memories: Sequence[Memory]
    ) -> list[Answer]:
        forgotten = [self._forgotten.popleft() for _ in range(len(self._forgotten))]
        tickets = [(ticket.names[-1], ticket.seed, ticket.life) for ticket in memories]
        try:
            call = self._handle.act.remote(list(observations), tickets, forgotten)
            life, answers = call.result(timeout_s=ANSWER_S)
        except _replica_failures() as problem:
            logging.getLogger(__name__).warning("a replica does not answer: %s", problem)
            return [_unanswered(ticket) for ticket in memories]
        for ticket, answer in zip(memories, answers, strict=True):
            ticket.life = life
            if isinstance(answer, HistoryLostError):
                ticket.renew()
        return answers


@contextmanager
def ray_robots(
    checkpoint: str, replicas: int, *, device: str = "cpu", plan_every: int | None = None
) -> Generator[Lanes, None, None]:
    """`replicas` copies of the policy, all loaded; ended behind the block.

    On the cluster that RAY_ADDRESS names, or else on one of its own on this machine.
    Raises MissingExtraError without Ray, and SayactError where a copy cannot be loaded.
    """
    if replicas < 1:
        raise SayactError(f"--replicas is a whole number from 1 on; got {replicas}")
    ray, serve = _ray()
    # Tried here, where its error reaches the person; a replica's would end up in Ray's log.
    many_robots(load_policy(checkpoint, device, plan_every=plan_every))
    # A cluster may have other applications, and these are ended alone.
    family = f"sayact-{uuid.uuid4().hex[:8]}"
    names = [f"{family}-{number}" for number in range(replicas)]
    _connect(ray, replicas)
    try:
        serve.start(proxy_location="Disabled", logging_config={"log_level": "WARNING"})
        given = checkpoint, device, plan_every
        yield Lanes([Lane(_deploy(serve, name, given)) for name in names])
    finally:
        for name in names:
            serve.delete(name)
        ray.shutdown()


def _connect(ray: Any, replicas: int) -> None:
    """Raises SayactError where Ray does not start."""
    # Ray sends statistics of its use to its makers unless told not to; nobody here asked for it.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    where: dict[str, Any] = {}
    if "RAY_ADDRESS" not in os.environ:
        # As many places as there are replicas: they share the cores of this machine.
        where = {"num_cpus": replicas, "include_dashboard": False}
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **where)
    except Exception as problem:  # of many kinds; on a busy machine it gives up after 30 s
        raise SayactError(f"Ray did not start: {problem}") from problem


def _deploy(serve: Any, name: str, given: tuple[str, str, int | None]) -> Any:
    """The handle of one replica, once it is loaded."""
    gpus = 1 if given[1].startswith("cuda") else 0
    deployment = serve.deployment(
        Replica,
        num_replicas=1,
        health_check_period_s=HEALTH_S,
        ray_actor_options={"num_cpus": 1, "num_gpus": gpus},
    )
    return serve.run(deployment.bind(*given), name=name, route_prefix=None)


def _lost() -> HistoryLostError:
    return HistoryLostError(
        "the replica that held this episode's history has died and another took its place; this "
        "step was not acted on, and the next begins with an empty history"
    )


def _unanswered(ticket: Ticket) -> SayactError:
    begun = ticket.life is not None
    ticket.renew()
    if begun:
        return _lost()
    return ServerBusyError("the replica of this session is being started; try again")


def _replica_failures() -> tuple[type[Exception], ...]:
    ray, serve = _ray()
    return (
        ray.exceptions.RayActorError,
        ray.exceptions.GetTimeoutError,
        serve.exceptions.BackPressureError,
        serve.exceptions.DeploymentUnavailableError,
        TimeoutError,
    )


def _ray() -> tuple[Any, Any]:
    try:
        import ray  # pyright: ignore[reportMissingImports]
        from ray import serve  # pyright: ignore[reportMissingImports]
    except ModuleNotFoundError:
        raise MissingExtraError("ray", "ray") from None
    return ray, serve
