"""Train, be killed, go on: the loss curve must not show it."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from sayact.data.augmentation import ColourJitter
from sayact.data.windows import WindowSampler
from sayact.experiments.runs import locate_task
from sayact.models.checkpoint import Checkpoint, read_checkpoint, saved_steps
from sayact.models.rt1 import RT1
from sayact.schema import LANGUAGE_TABLE
from sayact.schema.errors import SayactError
from sayact.testing import noise_store, tiny_processor, tiny_rt1
from sayact.train import DivergedError, TrainConfig, train
from sayact.train import state as state_file
from sayact.train.log import Measurements, read_log
from sayact.train.loop import clip, schedule

CONFIG = TrainConfig(
    steps=40,
    single_frame_steps=20,
    frames_a_step=12,
    warmup_steps=5,
    ema_decay=0.9,
    precision="float32",
    threads=1,
    log_every=5,
    evaluate_every=20,
    checkpoint_every=10,
)


def launch(out, config=CONFIG, **options):
    processor = tiny_processor()
    store = noise_store(np.random.default_rng(0))
    sampler = WindowSampler(store, processor, seed=0, jitter=ColourJitter(), locate=locate_task)
    torch.manual_seed(0)
    model = RT1(replace(tiny_rt1(), dropout=0.1))

    def describe(weights):
        return Checkpoint(
            weights=weights, config={}, action_space=LANGUAGE_TABLE, processor=processor.to_json()
        )

    train(config, model, sampler, out=out, describe=describe, **options)


def curve(out):
    rows = read_log(out)
    return [{k: v for k, v in row.items() if k != "frames_per_second"} for row in rows]


def test_the_network_learns_what_it_is_shown(tmp_path):
    launch(tmp_path, replace(CONFIG, steps=400, single_frame_steps=200, learning_rate=5e-3))
    losses = [row["action"] for row in read_log(tmp_path)]
    assert losses[-1] < 0.75 * losses[0]


@pytest.mark.parametrize("accumulate", [1, 3])
def test_stopped_and_resumed_equals_unbroken(tmp_path, accumulate):
    config = replace(CONFIG, accumulate=accumulate)
    launch(tmp_path / "whole", config)
    launch(tmp_path / "parts", config, until=10)
    launch(tmp_path / "parts", config, until=30, resume=True)
    launch(tmp_path / "parts", config, resume=True)
    assert curve(tmp_path / "whole") == curve(tmp_path / "parts")
    step = "steps/00000040/checkpoint/model.safetensors"
    whole, parts = (tmp_path / side / step for side in ("whole", "parts"))
    assert whole.read_bytes() == parts.read_bytes()


def test_killed_and_resumed_equals_unbroken(tmp_path):
    """kill -9 at some moment after the first checkpoint."""
    config = replace(CONFIG, steps=400, single_frame_steps=200)
    launch(tmp_path / "whole", config)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; import test_train; "
        "from dataclasses import replace; "
        "test_train.launch(Path(sys.argv[2]), replace(test_train.CONFIG, steps=400, "
        "single_frame_steps=200))"
    )
    out = tmp_path / "killed"
    command = [sys.executable, "-c", code, os.path.dirname(__file__), str(out)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not saved_steps(out) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert 0 < saved_steps(out)[-1] < 400
    launch(out, config, resume=True)
    assert curve(tmp_path / "whole") == curve(out)


def test_a_run_is_not_overwritten(tmp_path):
    launch(tmp_path, until=10)
    with pytest.raises(SayactError, match="--resume"):
        launch(tmp_path)
    assert saved_steps(tmp_path) == [10]


def test_the_random_state_of_a_gpu_is_kept(tmp_path, monkeypatch):
    """Dropout is drawn there. What PyTorch says of a GPU is pretended."""
    state, restored = torch.arange(16, dtype=torch.uint8), []
    monkeypatch.setattr(state_file, "_gpu", lambda model: torch.device("cuda", 1))
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: state)
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda *given: restored.append(given))
    launch(tmp_path, until=10)
    assert restored == []
    launch(tmp_path, until=15, resume=True)
    ((found, device),) = restored
    assert torch.equal(found, state)
    assert device.index == 1


def test_threads_are_the_configs_or_as_they_were(tmp_path):
    before = torch.get_num_threads()
    try:
        launch(tmp_path / "told", replace(CONFIG, threads=1), until=5)
        assert torch.get_num_threads() == 1
        torch.set_num_threads(2)
        launch(tmp_path / "left", replace(CONFIG, threads=None), until=5)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_no_thread_is_refused():
    with pytest.raises(SayactError, match="at least 1 thread must compute; got 0"):
        replace(CONFIG, threads=0).check(history=4)


def test_evaluators_do_not_disturb_training(tmp_path):
    def greedy(content, step):
        torch.rand(100)
        return {"success": 0.5}

    launch(tmp_path / "alone")
    launch(tmp_path / "watched", evaluators=[greedy])
    watched = curve(tmp_path / "watched")
    assert [row for row in watched if "success" not in row] == curve(tmp_path / "alone")
    assert [row["step"] for row in watched if "success" in row] == [20, 40]


def test_infinite_loss_stops_the_run_and_names_the_step(tmp_path):
    """One step at such a rate is enough: the gradient of the next one is not finite."""
    hot = replace(CONFIG, learning_rate=1e30, warmup_steps=0, log_every=7, checkpoint_every=5)
    with pytest.raises(DivergedError, match="step 1: the gradient"):
        launch(tmp_path, hot)
    assert saved_steps(tmp_path) == []


def test_measurements_are_means_and_find_the_first_bad_step():
    measured = Measurements(40)
    measured.check()
    for loss, norm in ((1.0, 2.0), (3.0, 4.0)):
        measured.add({"loss": torch.tensor(loss), "gradient": torch.tensor(norm)}, frames=6)
    measured.check()
    found = measured.take()
    assert (found["loss"], found["gradient"]) == (2.0, 3.0)
    assert found["frames_per_second"] > 0
    for norm in (1.0, float("nan"), float("inf")):
        measured.add({"loss": torch.tensor(1.0), "gradient": torch.tensor(norm)}, frames=6)
    with pytest.raises(DivergedError, match="step 43: the gradient is nan"):
        measured.check()


def test_measurements_are_averaged_by_their_weights_and_left_out_without_any():
    measured = Measurements(0)
    gradient = torch.tensor(1.0)
    for robot, robots, webs in ((1.0, 3, 0), (5.0, 1, 0)):
        values = {"loss": torch.tensor(robot), "robot": torch.tensor(robot), "web": gradient * 7}
        weights = {"robot": torch.tensor(robots), "web": torch.tensor(webs)}
        measured.add({**values, "gradient": gradient}, 6, weights)
    measured.add({"loss": torch.tensor(0.0), "gradient": gradient}, 6)  # of another mixture
    found = measured.take()
    assert (found["loss"], found["robot"]) == (2.0, 2.0)
    assert "web" not in found


@pytest.mark.parametrize(
    ("mode", "held"),
    [("batch", [False, False]), ("switch", [False, True]), ("running", [True, True])],
)
def test_batch_norm_holds_its_statistics_where_it_was_told_to(tmp_path, mode, held):
    """Running statistics after each of the two phases: moved, or as they were."""
    launch(tmp_path, replace(CONFIG, batch_norm=mode, ema_decay=0.0), until=20)
    single = running_means(tmp_path, 20)
    launch(tmp_path, replace(CONFIG, batch_norm=mode, ema_decay=0.0), resume=True)
    windows = running_means(tmp_path, 40)
    assert [not single.any(), bool((single == windows).all())] == held


def running_means(out, step):
    weights = read_checkpoint(out / f"steps/{step:08d}/checkpoint").weights
    return torch.cat([v for k, v in weights.items() if k.endswith("running_mean")])


def test_switch_without_single_frames_is_batch():
    config = replace(CONFIG, single_frame_steps=0)
    assert not any(config.holds_statistics(step) for step in range(config.steps))


def test_the_papers_optimiser_is_plain_adam(tmp_path):
    """Adam by hand: after the first step every weight has moved by lr · g / (|g| + ε)."""
    config = replace(
        CONFIG,
        steps=1,
        single_frame_steps=0,
        learning_rate=1e-4,
        warmup_steps=0,
        final_share=1.0,
        weight_decay=0.0,
        betas=(0.9, 0.999),
        epsilon=1e-7,
        clip_norm=None,
        ema_decay=0.0,
    )
    assert {schedule(config, step) for step in range(1)} == {1.0}
    assert {schedule(replace(config, steps=50), step) for step in range(50)} == {1.0}
    launch(tmp_path, config)
    trained = read_checkpoint(tmp_path / "steps/00000001/checkpoint").weights
    torch.manual_seed(0)
    model = RT1(replace(tiny_rt1(), dropout=0.1)).train()
    torch.manual_seed(config.seed)
    store, processor = noise_store(np.random.default_rng(0)), tiny_processor()
    sampler = WindowSampler(store, processor, seed=0, jitter=ColourJitter(), locate=locate_task)
    model.channels_last("cpu").loss(sampler((0, 3, 4))).total.backward()
    for name, weight in model.named_parameters():
        if weight.grad is not None:
            expected = weight - 1e-4 * weight.grad / (weight.grad.abs() + 1e-7)
            assert torch.allclose(trained[name], expected, atol=2e-6), name


def test_clipping_measures_before_it_scales():
    model = torch.nn.Linear(3, 1, bias=False)
    for most, left in ((None, 5.0), (1.0, 1.0), (10.0, 5.0)):
        model.weight.grad = torch.tensor([[3.0, 0.0, 4.0]])
        assert clip(model, most).item() == pytest.approx(5.0)
        assert model.weight.grad.norm().item() == pytest.approx(left, rel=1e-4)


def test_notes_stand_in_the_log_once(tmp_path):
    launch(tmp_path, until=10, notes=["backbone: random weights"])
    launch(tmp_path, until=15, notes=["backbone: random weights"], resume=True)
    assert [row["note"] for row in read_log(tmp_path) if "note" in row] == [
        "backbone: random weights"
    ]


def test_log_is_valid_json_even_after_a_cut(tmp_path):
    launch(tmp_path, until=10)
    log = tmp_path / "log.jsonl"
    log.write_text(log.read_text() + '{"step": 11, "lo')
    assert [row["step"] for row in read_log(tmp_path)] == [5, 10]
    launch(tmp_path, until=15, resume=True)
    assert [json.loads(line)["step"] for line in log.read_text().splitlines()] == [5, 10, 15]


def test_precision_is_what_was_asked_for():
    assert replace(CONFIG, precision="bfloat16").dtype("cpu") == torch.bfloat16
    assert CONFIG.dtype("cuda") == torch.float32
    assert replace(CONFIG, precision="auto").dtype("cpu") in (torch.float32, torch.bfloat16)


def test_a_gpu_that_only_emulates_bfloat16_computes_in_float32(monkeypatch):
    auto = replace(CONFIG, precision="auto")
    for has_it, expected in ((True, torch.bfloat16), (False, torch.float32)):

        def supported(including_emulation=True, has_it=has_it):
            return has_it or including_emulation

        monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
        assert auto.dtype("cuda") == expected


def test_schedule_warms_up_and_falls_once_a_phase():
    values = np.array([schedule(CONFIG, step) for step in range(CONFIG.steps + 1)])
    single, windows = values[:20], values[20:]
    assert single[0] == pytest.approx(0.2)
    assert single.max() == single[4] == 1
    assert windows.max() == windows[4] == CONFIG.window_share
    assert (np.diff(single[5:]) < 0).all()
    assert (np.diff(windows[5:]) < 0).all()
    assert values[-1] == pytest.approx(CONFIG.final_share)


def test_schedule_without_single_frames_is_one_cosine():
    values = [schedule(replace(CONFIG, single_frame_steps=0), step) for step in range(41)]
    assert np.argmax(values) in (4, 5)
    assert (np.diff(values[5:]) < 0).all()
