"""The policy steps frame by frame; the network trains on windows. Both must act alike."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sayact.models.rt1 import RT1
from sayact.policies.engines import TorchEngine
from sayact.policies.rt1 import RT1Policy
from sayact.schema import RT1 as RT1_SPACE
from sayact.schema import Observation
from sayact.schema.errors import (
    BadActionError,
    BadObservationError,
    CheckpointError,
    ShapeError,
)
from sayact.testing import TINY_IMAGES, tiny_processor, tiny_rt1


@pytest.fixture
def policy():
    torch.manual_seed(1)
    return RT1Policy(TorchEngine(RT1(tiny_rt1())), tiny_processor())


def observations(rng, n=9, instruction="push the red moon up"):
    pictures = rng.integers(0, 256, (n, *TINY_IMAGES.camera, 3), dtype=np.uint8)
    return [Observation(image=picture, instruction=instruction) for picture in pictures]


def window_action(policy, seen):
    """What the whole network says about the newest frame of a window, recomputed from pixels."""
    seen = seen[-policy.engine.model.config.frames :]
    pixels, words = zip(*(policy.processor.observe(o) for o in seen), strict=True)
    with torch.inference_mode():
        window = torch.from_numpy(np.stack(pixels))[None]
        logits = policy.engine.model(window, torch.from_numpy(words[-1])[None])[0, -1]
        return policy.choose(logits.numpy())


def test_streaming_equals_the_window(policy, rng):
    policy.reset()
    seen = []
    for observation in observations(rng):
        seen.append(observation)
        streamed, windowed = policy.act(observation), window_action(policy, seen)
        assert (streamed.tokens == windowed.tokens).all()
        assert (streamed.values == windowed.values).all()
        assert np.allclose(streamed.probabilities, windowed.probabilities, atol=1e-5)


def test_reset_forgets(policy, rng):
    first, *rest = observations(rng)
    policy.reset()
    before = policy.act(first)
    for observation in rest:
        policy.act(observation)
    policy.reset()
    after = policy.act(first)
    assert (before.probabilities == after.probabilities).all()


def test_the_sentence_matters(policy, rng):
    for layer in policy.engine.model.modules():  # a new FiLM layer is the identity
        if type(layer).__name__ == "FiLM":
            torch.nn.init.normal_(layer.scale.weight, std=0.5)
    (here,) = observations(rng, 1)
    there = Observation(image=here.image, instruction="separate the cubes")
    answers = []
    for observation in (here, there):
        policy.reset()
        answers.append(policy.act(observation).probabilities)
    assert not np.allclose(*answers)


def test_discrete_dimensions_never_get_ids_they_lack(rng):
    model = RT1(tiny_rt1(11))
    policy = RT1Policy(TorchEngine(model), tiny_processor(RT1_SPACE))
    torch.nn.init.zeros_(model.transformer.head.weight)
    with torch.no_grad():
        model.transformer.head.bias.copy_(torch.arange(32.0))
    action = policy.act(observations(rng, 1)[0])
    assert action.tokens is not None
    assert action.tokens.tolist() == [2] + [31] * 10
    assert action.values[0] == 2


def test_a_broken_network_is_noticed(policy, rng):
    with torch.no_grad():
        policy.engine.model.transformer.head.bias[3] = float("nan")
    with pytest.raises(BadActionError, match="NaN"):
        policy.act(observations(rng, 1)[0])


class Unseen:
    """An engine that must not be asked: what is refused costs no computing."""

    config = tiny_rt1()

    def tokenize(self, pixels, sentence):
        raise AssertionError("computed")

    def decode(self, tokens):
        raise AssertionError("computed")


def unseen(**processor):
    return RT1Policy(Unseen(), replace(tiny_processor(), **processor))


def test_a_picture_of_another_size_is_refused_with_both(rng):
    (seen,) = observations(rng, 1)
    small = Observation(image=seen.image[:30], instruction="")
    with pytest.raises(
        ShapeError, match=r"\(36, 64, 3\); got uint8 of shape \(30, 64, 3\)\. Resize it"
    ):
        unseen().act(small)


@pytest.mark.parametrize(
    ("broken", "got"),
    [
        (lambda image: image.astype(np.float32) / 255, r"float32 of shape \(36, 64, 3\)"),
        (lambda image: image.astype(np.int64), r"int64 of shape \(36, 64, 3\)"),
        (lambda image: image.transpose(2, 0, 1), r"uint8 of shape \(3, 36, 64\)"),
        (lambda image: image[..., 0], r"uint8 of shape \(36, 64\)"),
        (lambda image: image.repeat(2, 0), r"uint8 of shape \(72, 64, 3\)"),
    ],
    ids=["floats", "int64", "channels first", "grey", "twice as high"],
)
def test_pictures_that_got_past_the_observation_are_refused_too(rng, broken, got):
    """As from a caller that fills in the picture of an observation it has made before."""
    (seen,) = observations(rng, 1)
    object.__setattr__(seen, "image", broken(seen.image))
    with pytest.raises(ShapeError, match=got):
        unseen().act(seen)


@pytest.mark.parametrize(
    ("vector", "got"),
    [
        (np.zeros(384, np.float32), r"shape \(512,\).*got float32 of shape \(384,\)"),
        (np.zeros((1, 512), np.float32), r"shape \(512,\).*got float32 of shape \(1, 512\)"),
        (np.zeros(512), r"float32 of shape \(512,\).*got float64 of shape \(512,\)"),
        ([0.0] * 512, r"float32 of shape \(512,\).*got float64 of shape \(512,\)"),
    ],
    ids=["another encoder", "a batch", "double", "a list"],
)
def test_a_sentence_vector_of_another_width_is_refused_with_both(rng, vector, got):
    with pytest.raises(ShapeError, match=got):
        unseen(sentences=lambda sentence: vector).act(*observations(rng, 1))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_sentence_vector_with_nan_is_refused(rng, value):
    vector = np.zeros(512, np.float32)
    vector[7] = value
    with pytest.raises(BadObservationError, match=r"at \[7\]"):
        unseen(sentences=lambda sentence: vector).act(*observations(rng, 1))


def test_a_processor_of_another_network_is_refused():
    with pytest.raises(CheckpointError, match=r"answers 2 numbers of 32 bins each; .* has 11"):
        RT1Policy(Unseen(), tiny_processor(RT1_SPACE))
    with pytest.raises(CheckpointError, match="uses 64 ids"):
        RT1Policy(Unseen(), tiny_processor(bins=64))
