"""A device is refused by name before any work is done on it."""

import pytest
import torch

from sayact.models.device import devices, require_device
from sayact.schema.errors import SayactError


@pytest.fixture
def gpus(monkeypatch):
    """Pretend that this machine has so many."""

    def pretend(count):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)

    return pretend


def test_every_gpu_has_a_name(gpus):
    gpus(2)
    assert devices() == ("cpu", "cuda", "cuda:0", "cuda:1")
    for device in devices():
        require_device(device)


@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_a_gpu_that_is_not_there_is_an_error_that_says_what_to_do(gpus, device):
    gpus(0)
    require_device("cpu")
    with pytest.raises(SayactError, match=rf"'{device}' here; there are: cpu\. PyTorch sees no"):
        require_device(device)


@pytest.mark.parametrize("device", ["gpu", "", "CPU", "cuda:2"])
def test_a_name_that_is_none_lists_those_that_are(gpus, device):
    gpus(2)
    with pytest.raises(SayactError, match=f"'{device}' here; there are: cpu, cuda, cuda:0, cuda:1"):
        require_device(device)
