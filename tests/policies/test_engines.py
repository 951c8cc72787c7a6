"""Whatever computes the network, the policy acts alike."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from sayact.cli import main
from sayact.codecs import UniversalSentenceEncoder
from sayact.config import to_json
from sayact.models.checkpoint import Checkpoint, save_checkpoint
from sayact.models.rt1 import RT1, RT1Config
from sayact.models.shapes import PAPER
from sayact.policies.engines import Engine
from sayact.policies.engines.bench import REFERENCE, Effort, bench, compared, subject_of
from sayact.policies.engines.exported import PRECISIONS, make_engine
from sayact.policies.engines.players import Case, Uncached
from sayact.policies.engines.pytorch import StreamlinedEngine, TorchEngine
from sayact.policies.engines.roofline import step_flops
from sayact.policies.engines.stand_in import draw_weights, moving_pictures, stand_in
from sayact.policies.loading import load_policy
from sayact.policies.rt1 import RT1Policy
from sayact.schema import LANGUAGE_TABLE, Observation
from sayact.schema.errors import CheckpointError, MissingExtraError, SayactError
from sayact.testing import TINY_IMAGES, hashed_sentence, tiny_processor, tiny_rt1

EVERY_ENGINE = [(engine, p) for engine, precisions in PRECISIONS.items() for p in precisions]
# What logits may differ by, as a share of their spread: at most in float32, on average else.
SUM_ORDER, ROUNDING = 1e-4, 0.1

NOT_THERE = Case(engine="abacus", precision="float32")


def drawn(config: RT1Config) -> RT1:
    """Every layer counts: nothing is zero or one any more."""
    model = RT1(config).eval().requires_grad_(False)
    draw_weights(model, torch.Generator().manual_seed(3))
    return model


@pytest.fixture(scope="module")
def model() -> RT1:
    return drawn(tiny_rt1())


@pytest.fixture(scope="module")
def checkpoint(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made") / "checkpoint"
    processor = tiny_processor(bins=model.config.bins)
    content = Checkpoint(
        weights=model.state_dict(),
        config={"model": "rt1", "architecture": to_json(model.config)},
        action_space=LANGUAGE_TABLE,
        processor=replace(processor, sentences=UniversalSentenceEncoder()).to_json(),
        card="# tiny",
    )
    save_checkpoint(folder, content)
    return folder


def episode(steps: int = 7) -> list[Observation]:
    """More frames than the window holds; the instruction changes on the way."""
    rng = np.random.default_rng(5)
    pictures = rng.integers(0, 256, (steps, *TINY_IMAGES.camera, 3), dtype=np.uint8)
    return [
        Observation(image=picture, instruction="push the moon" if i < 3 else "stop")
        for i, picture in enumerate(pictures)
    ]


def play(engine: Engine) -> tuple[np.ndarray, np.ndarray]:
    """Tokens (steps, A) and logits (steps, A, V) of the episode."""
    seen: list[np.ndarray] = []

    class Recorder:
        config = engine.config
        tokenize = staticmethod(engine.tokenize)

        @staticmethod
        def decode(tokens: np.ndarray) -> np.ndarray:
            seen.append(engine.decode(tokens))
            return seen[-1]

    policy = RT1Policy(Recorder(), tiny_processor())
    policy.reset()
    actions = [policy.act(observation) for observation in episode()]
    return np.stack([a.tokens for a in actions if a.tokens is not None]), np.stack(seen)


@pytest.mark.parametrize(("engine", "precision"), EVERY_ENGINE, ids=lambda value: value)
def test_a_stream_gets_the_reference_s_tokens(model, engine, precision):
    tokens, logits = play(TorchEngine(model))
    found, near = play(make_engine(model, TINY_IMAGES.crop, engine, precision))
    spread = logits.std()
    if precision == "float32":
        assert (found == tokens).all()
        assert np.abs(near - logits).max() < SUM_ORDER * spread
    else:
        # Near ties may fall the other way; but not far, and not often.
        assert 1e-5 * spread < np.abs(near - logits).mean() < ROUNDING * spread
        assert (found == tokens).mean() > 0.7


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"feed_forward": "linear"},
        {"action_keys": False},
        {"token_learner": False, "image_tokens": 28},
        {"backbone": replace(tiny_rt1().backbone, padding="same", top=20)},
        {"picture": (20, 30), "backbone": replace(tiny_rt1().backbone, places=None)},
    ],
    ids=str,
)
def test_the_streamlined_graphs_are_exact(change):
    model = drawn(replace(tiny_rt1(), **change))
    tokens, logits = play(TorchEngine(model))
    found, near = play(StreamlinedEngine(model))
    assert (found == tokens).all()
    assert np.abs(near - logits).max() < SUM_ORDER * logits.std()


@pytest.mark.parametrize("engine", ["openvino", "onnx"])
def test_an_exported_folder_acts_alone(checkpoint, engine, tmp_path, capsys):
    out = tmp_path / "new" / engine
    assert main(["export", str(checkpoint), "--to", engine, "--out", str(out), "--json", "-"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["engine"] == engine
    assert said["bytes"] == sum(f.stat().st_size for f in out.iterdir())
    assert not (out / "model.safetensors").exists()
    reference, policy = load_policy(checkpoint), load_policy(out)
    for each in (reference, policy):
        assert isinstance(each, RT1Policy)
        each.processor = replace(each.processor, sentences=hashed_sentence)
    assert policy.action_space == reference.action_space
    for _ in range(2):  # the second episode starts from nothing too
        for each in (reference, policy):
            each.reset()
        for seen in episode():
            assert (policy.act(seen).tokens == reference.act(seen).tokens).all()
    with pytest.raises(CheckpointError, match=f"exported for {engine}, float32"):
        load_policy(out, engine="torch")
    assert main(["export", str(checkpoint), "--to", engine, "--out", str(out)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_a_broken_export_is_named(checkpoint, tmp_path):
    (tmp_path / "engine.json").write_text('{"engine": "abacus"}')
    with pytest.raises(CheckpointError, match=r"lacks config\.json"):
        load_policy(tmp_path)
    for file in checkpoint.glob("*.json"):
        (tmp_path / file.name).write_text(file.read_text())
    with pytest.raises(CheckpointError, match="'abacus'"):
        load_policy(tmp_path)
    (tmp_path / "engine.json").write_text('{"engine": "onnx", "precision": "float32"}')
    with pytest.raises(CheckpointError, match=r"steering\.onnx"):
        load_policy(tmp_path)


@pytest.mark.parametrize(
    ("engine", "precision", "allowed"),
    [
        ("openvin", "float32", "onnx, openvino, torch. Did you mean 'openvino'"),
        ("onnx", "bfloat16", "precision for onnx 'bfloat16'; there are: float32, int8"),
    ],
)
def test_what_no_engine_offers_is_refused(checkpoint, engine, precision, allowed):
    with pytest.raises(SayactError, match=allowed):
        load_policy(checkpoint, engine=engine, precision=precision)


@pytest.mark.parametrize(
    ("engine", "package", "extra"),
    [
        ("openvino", "openvino", "fast"),
        ("onnx", "onnx", "onnx"),
        ("onnx", "onnxruntime", "onnx"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(
    checkpoint, engine, package, extra, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"{package}.*sayact\[{extra}\]"):
        load_policy(checkpoint, engine=engine)
    out = tmp_path / "out"
    assert main(["export", str(checkpoint), "--to", engine, "--out", str(out)]) == 2
    assert not list(tmp_path.iterdir()), "nothing is left behind"


def test_the_bench_measures_and_compares(checkpoint):
    cases = (REFERENCE, Case(engine="onnx", precision="int8", cache=False), NOT_THERE)
    said: list[tuple[str, float]] = []
    figures = bench(
        subject_of(str(checkpoint)),
        [episode()],
        cases,
        Effort(threads=1, rounds=1, steps=2, rate_seconds=0.01),
        lambda what, share: said.append((what, share)),
    )
    found = json.loads(json.dumps(figures.to_json()))
    assert found["roofline_ms"] > 0
    assert list(found["skipped"]) == ["abacus float32"]
    assert "unknown engine 'abacus'" in found["skipped"]["abacus float32"]
    reference, rounded = found["rows"]
    wanted = {"engine", "precision", "cache", "token_learner", "ms_per_step", "token_agreement"}
    assert all(wanted | {"peak_mb"} <= set(row) for row in found["rows"])
    assert all(row["ms_per_step"] > 0 and row["peak_mb"] > 50 for row in found["rows"])
    assert reference["token_agreement"] == 1
    assert 0.5 < rounded["token_agreement"] <= 1
    assert (rounded["cache"], reference["cache"]) == (False, True)
    shares = [share for _, share in said]
    assert shares == sorted(shares)
    assert max(shares) <= 1


def test_without_the_cache_the_answer_is_the_same(model):
    tokens, logits = play(TorchEngine(model))
    found, near = play(Uncached(TorchEngine(model)))
    assert (found == tokens).all()
    assert (near == logits).all()


def test_a_bench_without_threads_is_refused(capsys):
    assert main(["bench", "rt1", "--threads", "0"]) == 2
    assert "at least 1 thread" in capsys.readouterr().err


def test_agreement_counts_tokens_and_ranges():
    tokens, values = np.array([[1, 2], [3, 4]]), np.array([[0.1, 0.0], [0.0, 0.0]], np.float32)
    other = np.array([[1, 2], [3, 5]]), np.array([[0.1, 0.0], [0.0, 0.02]], np.float32)
    agreement, error = compared((tokens, values), other, LANGUAGE_TABLE)
    assert agreement == 0.75
    assert error == pytest.approx(0.02 / 0.2 / 4)
    assert compared((tokens, values), (tokens, values), LANGUAGE_TABLE) == (1, 0)


def test_the_step_s_arithmetic_is_that_of_the_layers():
    """Multiplications and additions of the published network, counted by hand where easy."""
    image, transformer = step_flops(PAPER, (256, 320))
    tokens, inner, width, layers = 114, 1024, 512, 8
    a_layer = tokens * (4 * width * inner + width * width) + 2 * tokens * tokens * inner
    outside = tokens * 512 * width + 6 * 11 * width * 256  # logits where they are read
    rest = transformer - 2 * (layers * a_layer + outside)
    assert abs(rest) < 1e-6 * transformer
    # EfficientNet-B3 at 300 × 300 is known for 1.8 G multiplications; 9 × 9 instead of 10 × 10
    # places at the end make it less.
    assert 1.5e9 < image / 2 < 1.8e9
    assert step_flops(PAPER, (256, 320), cache=False) == (6 * image, transformer)


def test_the_stand_in_is_the_published_network():
    content = stand_in(False)
    assert content.weights["transformer.position.weight"].shape == (6 * (81 + 11), 512)
    assert not any("token_learner" in name for name in content.weights)
    assert sum(w.numel() for w in stand_in().weights.values()) > 35e6
    (first, second), (other, _) = moving_pictures(2, 2, np.random.default_rng(0))
    assert first.image.shape == (256, 320, 3)
    assert first.instruction == second.instruction != other.instruction
    # Seven pixels to the left, but for the noise.
    moved = second.image[:, :-7].astype(int) - first.image[:, 7:]
    assert np.abs(moved).max() < 64
