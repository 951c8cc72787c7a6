"""A robot that speaks to a policy server by hand, and the policy there."""

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from sayact.models.rt1 import RT1
from sayact.policies.engines import TorchEngine
from sayact.policies.engines.stand_in import draw_weights
from sayact.policies.many import ManyRobots, many_robots
from sayact.policies.rt1 import RT1Policy
from sayact.schema import Observation
from sayact.serve.messages import observation_message
from sayact.serve.wire import pack, unpack
from sayact.testing import TINY_IMAGES, tiny_processor, tiny_rt1


def tiny_policy():
    """An RT-1 that answers another token for almost every picture."""
    model = RT1(tiny_rt1())
    draw_weights(model, torch.Generator().manual_seed(1))
    return RT1Policy(TorchEngine(model.eval()), tiny_processor())


class Robot:
    """Speaks the protocol by hand."""

    def __init__(self, url, **options):
        self.socket = connect(url, compression=None, **options)
        self.metadata = self.heard()

    def heard(self) -> Any:
        """A message, or the text of an error."""
        frame = self.socket.recv(timeout=20)
        return frame if isinstance(frame, str) else unpack(frame)

    def say(self, message=None, **more) -> Any:
        self.socket.send(pack({**(message or {}), **more}))
        return self.heard()

    def act(self, observation, **more) -> Any:
        return self.say(observation_message(observation), **more)


@contextmanager
def robot_at(server, **options):
    robot = Robot(server.url, **options)
    try:
        yield robot
    finally:
        robot.socket.close()


def seen(rng, sentence="push it"):
    picture = rng.integers(0, 256, (*TINY_IMAGES.camera, 3), dtype=np.uint8)
    return Observation(image=picture, instruction=sentence)


@contextmanager
def closed_with(code, reason=None):
    with pytest.raises(ConnectionClosed) as ended:
        yield
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == code
    assert reason in (None, ended.value.rcvd.reason)


def alone(policy, observations):
    policy.reset()
    return [policy.act(observation).tokens.tolist() for observation in observations]


def tokens(reply):
    assert isinstance(reply, dict), reply
    return reply["tokens"].tolist()


class Moody(ManyRobots):
    """A policy to whose forward pass something happens first."""

    def __init__(self, policy):
        self._robots = many_robots(policy)
        self.happens: Callable[[], object] | None = None

    @property
    def action_space(self):
        return self._robots.action_space

    @property
    def picture(self):
        return self._robots.picture

    def begin(self, seed=0):
        return self._robots.begin(seed)

    def act_many(self, observations, memories):
        if self.happens is not None:
            self.happens()
        return self._robots.act_many(observations, memories)
