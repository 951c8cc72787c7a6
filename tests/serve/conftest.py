import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from jaxtyping import config

from robot_by_hand import Robot, robot_at, tiny_policy
from sayact.models.layers.efficientnet import FiLM
from sayact.models.rt1 import RT1
from sayact.policies.engines import TorchEngine
from sayact.policies.rt1 import RT1Policy
from sayact.serve.server import PolicyServer, start_in_thread
from sayact.testing import tiny_processor, tiny_rt1


@pytest.fixture
def as_it_ships() -> Iterator[None]:
    """Without the shape checks of the tests, which come before those that a robot meets."""
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", False)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of this machine for an hour or a day, signed by nobody, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "certificate.pem", folder / "key.pem"
    request = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
    names = "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    where = f"-out {files[0]} -keyout {files[1]}"
    try:
        subprocess.run(f"{request} {names} {where}".split(), check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no command openssl, which makes the certificate")
    return files


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Answers of a server are compared with a lone run's, and two threads add up in another order;
    and sixty-four robots are threads enough for a machine of two cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def tiny() -> RT1Policy:
    """An RT-1 that looks at the sentence: a new FiLM layer would not."""
    torch.manual_seed(1)
    model = RT1(tiny_rt1())
    for layer in model.modules():
        if isinstance(layer, FiLM):
            torch.nn.init.normal_(layer.scale.weight, std=0.5)
    return RT1Policy(TorchEngine(model), tiny_processor())


@pytest.fixture(scope="module")
def policy() -> RT1Policy:
    """What the tiny server answers with, to be asked alone."""
    return tiny_policy()


@pytest.fixture(scope="module")
def server(policy: RT1Policy) -> Iterator[PolicyServer]:
    with start_in_thread(policy, "tiny") as running_server:
        yield running_server


@pytest.fixture
def robot(server: PolicyServer) -> Iterator[Robot]:
    """One that has just connected."""
    with robot_at(server) as connected:
        yield connected
