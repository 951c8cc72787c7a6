"""The doctor: healthy, constant, deaf, blind and broken networks, told apart."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

from sayact.codecs import EdgeBins, ImageCodec, Processor, UniformBins
from sayact.codecs.instructions import GivenSentences
from sayact.models.layers.efficientnet import EfficientNetConfig, StageConfig
from sayact.models.rt1 import RT1, RT1Config
from sayact.policies import load_policy
from sayact.policies.doctor import (
    DRAWN,
    SENTENCES,
    Diagnosis,
    diagnose,
    examine,
    fixed_pictures,
)
from sayact.policies.engines import TorchEngine
from sayact.policies.rt1 import RT1Policy
from sayact.schema import LANGUAGE_TABLE, ActionSpace, Observation
from sayact.schema import RT1 as RT1_SPACE
from sayact.testing import hashed_sentence

BINS = 16


def answers(rng: np.random.Generator, scale: float = 3.0) -> np.ndarray:
    """Logits to 3 pictures with 3 sentences each, all different; modes keep to their three bins."""
    logits = scale * rng.standard_normal((3, 3, 11, BINS)).astype(np.float32)
    logits[:, :, 0, 3:] = -50
    return logits


def diagnosed(logits: np.ndarray, space: ActionSpace) -> Diagnosis:
    return diagnose(logits, logits.argmax(-1), space)


def test_a_healthy_network_raises_no_warning(rng: np.random.Generator) -> None:
    found = diagnosed(answers(rng), RT1_SPACE)
    assert found.finite
    assert not found.warnings
    assert [d.name for d in found.dimensions] == [d.name for d in RT1_SPACE.dimensions]
    assert found.lines()[-1] == "nothing to worry about"
    assert found.by_picture is not None
    assert 0 < found.by_picture <= 1


@pytest.mark.parametrize(
    ("axis", "said"), [(0, "does not depend on the picture"), (1, "on the sentence")]
)
def test_what_does_not_matter_is_told(axis: int, said: str, rng: np.random.Generator) -> None:
    logits = answers(rng)
    logits[:] = logits.take([0], axis)
    warnings = diagnosed(logits, RT1_SPACE).warnings
    assert len(warnings) == 1
    assert said in warnings[0]


def test_constant_actions_are_told_even_when_the_chances_move(rng: np.random.Generator) -> None:
    logits = answers(rng)
    logits[..., 1] += 20
    found = diagnosed(logits, RT1_SPACE)
    assert "constant actions" in found.warnings[0]
    assert all(d.distinct == 1 and set(d.tokens) == {1} for d in found.dimensions)


def test_one_moving_number_is_no_constant_action(rng: np.random.Generator) -> None:
    logits = answers(rng)
    logits[..., :7, 1] += 20
    assert not diagnosed(logits, RT1_SPACE).warnings


def test_probability_outside_the_modes_is_told(rng: np.random.Generator) -> None:
    logits = answers(rng)
    logits[:, :, 0] = 0  # three of sixteen bins are modes
    warning = diagnosed(logits, RT1_SPACE).warnings[0]
    assert warning.startswith("mode: up to 81% ")


def test_entropy_is_in_bits() -> None:
    logits = np.zeros((3, 3, 2, 256), np.float32)
    logits[:, :, 1, 7] = 1000
    flat, sharp = diagnosed(logits, LANGUAGE_TABLE).dimensions
    assert flat.entropy == pytest.approx(8)
    assert flat.most == 8
    assert sharp.entropy == pytest.approx(0)


def test_pictures_are_always_the_same_and_nothing_alike() -> None:
    pictures = fixed_pictures(256, 320)
    np.testing.assert_array_equal(pictures, fixed_pictures(256, 320))
    for a in range(3):
        for b in range(a):
            apart = np.abs(pictures[a].astype(float) - pictures[b]).mean()
            assert apart > 20


def small_policy(**changes: Any) -> RT1Policy:
    stage = StageConfig(kind="fused", kernel=3, stride=2, channels=8, repeats=1, expansion=1)
    config = RT1Config(
        action_dims=2,
        bins=BINS,
        frames=2,
        picture=(32, 40),
        backbone=EfficientNetConfig(stem=8, stages=(stage,), top=None),
        token_width=8,
        image_tokens=2,
        width=16,
        layers=1,
        heads=2,
        head_dim=8,
    )
    torch.manual_seed(0)
    processor = Processor(
        images=ImageCodec(camera=(32, 40), shrink_by=1, crop=(32, 40)),
        actions=EdgeBins(action_space=LANGUAGE_TABLE, bins=BINS),
    )
    if changes.get("action_dims") == 11:
        processor = replace(processor, actions=UniformBins(action_space=RT1_SPACE, bins=BINS))
    return RT1Policy(TorchEngine(RT1(replace(config, **changes))), processor)


def test_a_new_network_is_deaf() -> None:
    """FiLM starts as the identity: a sentence changes nothing until training has."""
    found = examine(small_policy())
    assert found.by_sentence == 0
    assert any("sentence" in warning for warning in found.warnings)


def test_a_window_holds_no_more_frames_than_it_does() -> None:
    assert examine(small_policy(), frames=2).finite
    for frames in (0, 3):
        with pytest.raises(ValueError, match="1 to 2"):
            examine(small_policy(), frames=frames)


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_broken_weights_are_seen_and_said(broken: float) -> None:
    policy = small_policy()
    assert isinstance(policy.engine, TorchEngine)
    with torch.no_grad():
        policy.engine.model.transformer.head.bias[0] = broken
    found = examine(policy)
    assert not found.finite
    assert "NaN" in found.warnings[0]
    assert found.lines()[-1] == f"warning: {found.warnings[0]}"


@pytest.mark.parametrize("empty_start", [False, True], ids=["TensorFlow", "flax"])
def test_it_sees_what_the_first_step_of_an_episode_does(empty_start: bool) -> None:
    """Empty frames before the first where the network learned with them; and no illegal id."""
    policy = small_policy(empty_start=empty_start, action_dims=11)
    assert isinstance(policy.engine, TorchEngine)
    policy.processor = replace(policy.processor, sentences=hashed_sentence)
    with torch.no_grad():
        for parameter in policy.engine.model.parameters():
            parameter.copy_(torch.randn_like(parameter))
        policy.engine.model.transformer.head.bias[-1] = 9  # no mode has this id
    found = examine(policy)
    acted = []
    for picture, sentence in product(fixed_pictures(32, 40), SENTENCES):
        policy.reset()
        acted.append(policy.act(Observation(image=picture, instruction=sentence)).tokens)
    assert [d.tokens for d in found.dimensions] == list(zip(*map(tuple, acted), strict=True))
    assert any(d.distinct > 1 for d in found.dimensions)


def test_it_tells_which_sentences_it_said() -> None:
    policy = small_policy(sentence=7)
    policy.processor = replace(policy.processor, sentences=GivenSentences({}))
    assert examine(policy).lines()[-3] == f"sentences: {DRAWN}"
    given = {"open the drawer": np.ones(7, np.float32)}
    policy.processor = replace(policy.processor, sentences=GivenSentences(given))
    assert examine(policy).lines()[-3] == f"sentences: open the drawer; {DRAWN}"
    assert examine(policy).to_json()["sentences"] == ("open the drawer", DRAWN, DRAWN)


def test_the_policy_in_the_box_is_well() -> None:
    policy = load_policy("rt1-nano")
    assert isinstance(policy, RT1Policy)
    found = examine(policy)
    assert found.finite
    assert found.by_picture is not None
    assert found.by_picture > 0.01
