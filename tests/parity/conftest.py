"""What every parity test starts from: the released answers, and our network with those weights."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from parity.networks import Released, Window, network
from parity.weights import TENSORFLOW_RULES
from sayact.models.released.naming import Variable, tensorflow
from sayact.models.rt1 import RT1
from sayact.models.shapes import PAPER


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> str:
    return str(pytestconfig.getoption("--parity-seed"))


@pytest.fixture(scope="session")
def read(pytestconfig: pytest.Config, seed: str) -> Callable[[str], Released]:
    def arrays(kind: str) -> Released:
        folder = Path(str(pytestconfig.getoption("--parity-fixtures")))
        with np.load(folder / f"{kind}_{seed}.npz", allow_pickle=False) as file:
            return dict(file)

    return arrays


@pytest.fixture(scope="session")
def released(read) -> Released:
    """What the TensorFlow network answered, out of training."""
    return read("fixture")


@pytest.fixture(scope="session")
def released_training(read) -> Released:
    """What its image tokenizer answered in training, without stochastic depth."""
    return read("fixture_trainbn")


@pytest.fixture(scope="session")
def released_flax(read) -> Released:
    """What the flax network answered: "d_…" as the class comes, "x_…" as RT-1-X."""
    return read("fixture_jax")


@pytest.fixture(scope="session")
def names() -> tuple[Variable, ...]:
    return tensorflow(PAPER)


@pytest.fixture(scope="session")
def model(seed: str, names: tuple[Variable, ...]) -> RT1:
    """rt1main, in evaluation mode."""
    return network(PAPER, names, seed, TENSORFLOW_RULES)


@pytest.fixture(scope="session")
def window(seed: str) -> Window:
    """Six frames of the size that the network computes with."""
    return Window.of(seed, 6, 300, 300)
