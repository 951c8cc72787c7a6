"""The policy steps frame by frame; the network trains on windows. Both must act alike."""

import numpy as np
import pytest
import torch

from sayact.models.rt1 import RT1
from sayact.policies.rt1 import RT1Policy
from sayact.schema import RT1 as RT1_SPACE
from sayact.schema import Observation
from sayact.schema.errors import BadActionError
from sayact.testing import TINY_IMAGES, tiny_processor, tiny_rt1


@pytest.fixture
def policy():
    torch.manual_seed(1)
    return RT1Policy(RT1(tiny_rt1()), tiny_processor())


def observations(rng, n=9, instruction="push the red moon up"):
    pictures = rng.integers(0, 256, (n, *TINY_IMAGES.camera, 3), dtype=np.uint8)
    return [Observation(image=picture, instruction=instruction) for picture in pictures]


def window_action(policy, seen):
    """What the whole network says about the newest frame of a window, recomputed from pixels."""
    seen = seen[-policy.model.config.frames :]
    pixels, words = zip(*(policy.processor.observe(o) for o in seen), strict=True)
    with torch.inference_mode():
        window = torch.from_numpy(np.stack(pixels))[None]
        return policy.choose(policy.model(window, torch.from_numpy(words[-1])[None])[0, -1])


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
    for layer in policy.model.modules():  # a new FiLM layer is the identity
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
    policy = RT1Policy(RT1(tiny_rt1(11)), tiny_processor(RT1_SPACE))
    torch.nn.init.zeros_(policy.model.transformer.head.weight)
    with torch.no_grad():
        policy.model.transformer.head.bias.copy_(torch.arange(32.0))
    action = policy.act(observations(rng, 1)[0])
    assert action.tokens is not None
    assert action.tokens.tolist() == [2] + [31] * 10
    assert action.values[0] == 2


def test_a_broken_network_is_noticed(policy, rng):
    with torch.no_grad():
        policy.model.transformer.head.bias[3] = float("nan")
    with pytest.raises(BadActionError, match="NaN"):
        policy.act(observations(rng, 1)[0])
