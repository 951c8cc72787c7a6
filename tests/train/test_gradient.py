"""One step's gradient: in parts, in bfloat16, compiled."""

import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from sayact.data.windows import WindowSampler
from sayact.experiments.runs import locate_task
from sayact.models.losses import Losses
from sayact.models.rt1 import RT1
from sayact.schema.errors import SayactError
from sayact.testing import noise_store, tiny_processor, tiny_rt1
from sayact.train import TrainConfig
from sayact.train.gradient import backward, compile_network, together


@pytest.fixture
def batch(rng):
    """Five windows, some of them past the end of their episode: parts that weigh differently."""
    sampler = WindowSampler(noise_store(rng), tiny_processor(), seed=1, locate=locate_task)
    found = sampler((0, 5, 4))
    assert len(found.valid.sum(1).unique()) > 1
    return found


def network(*, held=True):
    torch.manual_seed(0)
    model = RT1(tiny_rt1()).train()
    if held:
        model.hold_statistics()
    return model


def gradient(model, batch, parts=1, dtype=torch.float32):
    losses = backward(model, batch, device="cpu", parts=parts, dtype=dtype)
    values = {"loss": losses.total, **losses.parts}
    return values, {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("parts", [2, 3, 5])
def test_parts_add_up_to_the_whole(batch, parts):
    values, whole = gradient(network(), batch)
    others, summed = gradient(network(), batch, parts)
    assert whole.keys() == summed.keys()
    for name, expected in whole.items():
        assert torch.allclose(summed[name], expected, rtol=1e-4, atol=1e-6), name
    for name, expected in values.items():
        assert torch.allclose(others[name], expected, rtol=1e-5), name


def test_own_statistics_make_parts_differ(batch):
    """Why the docs say so."""
    _, whole = gradient(network(held=False), batch)
    _, summed = gradient(network(held=False), batch, parts=5)
    assert any(not torch.allclose(summed[n], whole[n], rtol=1e-2, atol=1e-4) for n in whole)


def test_parts_hold_every_window_once(batch):
    parts = batch.split(3)
    assert [len(part.valid) for part in parts] == [1, 2, 2]
    assert torch.equal(torch.cat([part.pixels for part in parts]), batch.pixels)
    assert torch.equal(torch.cat([part.action_ids for part in parts]), batch.action_ids)


def test_parts_of_a_loss_count_by_their_own_weight():
    """Of a mixture: a source that one half has nothing of, and one that neither has."""
    one, half = torch.tensor(1.0), torch.tensor(0.5)

    def losses(robot, web, robots, webs):
        parts = {"robot": torch.tensor(robot), "web": torch.tensor(web), "all": one * 4}
        weights = {"robot": torch.tensor(robots), "web": torch.tensor(webs)}
        return Losses(total=torch.tensor(robot), parts=parts, weights=weights)

    found = together([(losses(2.0, 9.0, 3, 0), half), (losses(4.0, 7.0, 1, 0), half)])
    assert found.total == 3.0
    assert found.parts["robot"] == 2.5
    assert (found.weights["robot"], found.weights["web"]) == (4, 0)
    assert found.parts["all"] == 4


@pytest.mark.parametrize("parts", [0, 4])
def test_parts_that_windows_do_not_allow_are_refused(parts):
    """Twelve frames a step: as many windows at first, and three of four frames later."""
    config = TrainConfig(steps=10, single_frame_steps=5, frames_a_step=12, accumulate=parts)
    with pytest.raises(SayactError, match=rf"3 windows .* {parts} parts"):
        config.check(history=4)
    replace(config, accumulate=3).check(history=4)


def test_bfloat16_leaves_weights_statistics_and_losses_in_float32(batch):
    model = network(held=False)
    values, found = gradient(model, batch, dtype=torch.bfloat16)
    exact, wanted = gradient(network(held=False), batch)
    assert all(value.dtype == torch.float32 for value in values.values())
    assert all(value.dtype == torch.float32 for value in found.values())
    assert all(b.dtype != torch.bfloat16 for b in model.buffers())
    assert values["loss"] == pytest.approx(exact["loss"].item(), rel=0.02)
    mine, theirs = (torch.cat([g[n].flatten() for n in wanted]) for g in (found, wanted))
    assert torch.cosine_similarity(mine, theirs, 0) > 0.98


def test_no_compiler_is_an_error_that_says_what_to_do(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SayactError, match="without --compile"):
        compile_network(network(), "cpu")


COMPILED = """
import numpy as np, torch
from sayact.data.windows import WindowSampler
from sayact.experiments.runs import locate_task
from sayact.models.rt1 import RT1
from sayact.testing import noise_store, tiny_processor, tiny_rt1
from sayact.train.gradient import backward, compile_network

store = noise_store(np.random.default_rng(0))
batch = WindowSampler(store, tiny_processor(), seed=1, locate=locate_task)((0, 5, 4))
torch.manual_seed(0)
model = RT1(tiny_rt1()).train()
plain = backward(model, batch, device="cpu", parts=1, dtype=torch.float32)
expected = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
names = list(model.state_dict())
model.zero_grad()
compile_network(model, "cpu")
compiled = backward(model, batch, device="cpu", parts=1, dtype=torch.float32)
assert list(model.state_dict()) == names
assert torch.allclose(compiled.total, plain.total, rtol=1e-5)
for name, parameter in model.named_parameters():
    if name in expected:
        assert torch.allclose(parameter.grad, expected[name], rtol=1e-3, atol=1e-5), name
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_compiled_is_the_same_network():
    """In a process of its own: the check of shapes in this one would be compiled too."""
    subprocess.run([sys.executable, "-c", COMPILED], check=True)
