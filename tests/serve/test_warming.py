"""Threads are settled by what a step takes, in the thread that computes."""

import time
from collections.abc import Generator, Sequence

import pytest
import torch

from sayact.policies.many import Answer, ManyRobots, Memory
from sayact.schema import LANGUAGE_TABLE, Action, ActionSpace, Observation
from sayact.serve.warming import warm_up


class Sleepy(ManyRobots):
    """As slow as it is told to be, by the number of PyTorch's threads."""

    action_space: ActionSpace = LANGUAGE_TABLE  # type: ignore[assignment]
    picture = (18, 32)  # type: ignore[assignment]

    def __init__(self, seconds: dict[int, float]) -> None:
        self.seconds = seconds

    def begin(self, seed: int = 0) -> Memory:
        return None

    def act_many(
        self, observations: Sequence[Observation], memories: Sequence[Memory]
    ) -> list[Answer]:
        time.sleep(self.seconds[torch.get_num_threads()])
        return [Action(values=LANGUAGE_TABLE.low) for _ in observations]


@pytest.fixture(autouse=True)
def two_threads() -> Generator[None, None, None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("one", "two", "chosen"), [(0.02, 0.002, 2), (0.002, 0.02, 1), (0.01, 0.01, 1)]
)
def test_all_threads_where_they_are_worth_it(one: float, two: float, chosen: int) -> None:
    warm_up(Sleepy({1: one, 2: two}))
    assert torch.get_num_threads() == chosen
