"""Frame by frame with kept image tokens, or the whole window from pixels: the same action tokens.

Also what the window holds when frames come late or twice, or a `reset()` is forgotten.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sayact.models.layers.efficientnet import FiLM
from sayact.models.rt1 import RT1
from sayact.models.shapes import NANO
from sayact.policies import load_policy
from sayact.policies.engines import TorchEngine
from sayact.policies.rt1 import RT1Policy
from sayact.schema import RT1 as RT1_SPACE
from sayact.schema import Observation
from sayact.testing import TINY_IMAGES, hashed_sentence, tiny_processor, tiny_rt1

PUSH, SEPARATE = "push the red moon up", "separate the cubes"
FRAMES = 6  # RT-1's window
PATCH = 8  # pixels

# The paper's network in small: eleven dimensions, six frames, MBConv blocks, linear feed-forward.
SMALL_PAPER = replace(
    tiny_rt1(len(RT1_SPACE), frames=FRAMES, bins=256),
    image_tokens=8,
    feed_forward="linear",
    points=0,
    soft_bins=0.0,
)


def patches(rng, count, size):
    """Pictures of large patches: a network averages fine noise away, whatever the noise."""
    rows, columns = (-(-side // PATCH) for side in size)
    coarse = rng.integers(0, 256, (count, rows, columns, 3), dtype=np.uint8)
    return coarse.repeat(PATCH, 1).repeat(PATCH, 2)[:, : size[0], : size[1]]


def rt1_policy(config=SMALL_PAPER):
    """Random weights under which pictures, sentences and places in the window all matter."""
    torch.manual_seed(1)
    model = RT1(config)
    for module in model.modules():
        if isinstance(module, FiLM):  # a new one is the identity
            torch.nn.init.normal_(module.scale.weight, std=0.5)
            torch.nn.init.normal_(module.shift.weight, std=0.5)
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    noise = torch.from_numpy(patches(np.random.default_rng(2), 16, config.picture))
    noise, words = noise.permute(0, 3, 1, 2), torch.from_numpy(hashed_sentence(PUSH)).tile(16, 1)
    with torch.no_grad():
        model.train().tokenize(noise, words)  # leaves the statistics of real activations behind
        # A new network's tokens are nearly the same for every picture: keep what tells them apart.
        last = model.tokenizer
        last.project.weight.div_(
            model.eval().tokenize(noise, words).std((0, 1))[:, None, None, None]
        )
        last.film.shift.bias.sub_(model.tokenize(noise, words).mean((0, 1)))
        model.transformer.embed.weight.normal_()
        model.transformer.position.weight.normal_()
        model.transformer.head.weight.normal_()
    return RT1Policy(TorchEngine(model), tiny_processor(RT1_SPACE, bins=config.bins))


@pytest.fixture(scope="module")
def policy():
    return rt1_policy()


@pytest.fixture
def pictures(rng):
    return patches(rng, FRAMES + 3, TINY_IMAGES.camera)


def shown(pictures, instruction=PUSH):
    return [Observation(image=picture, instruction=instruction) for picture in pictures]


def stream(policy, observations):
    """The action after every frame of an episode."""
    policy.reset()
    return [policy.act(observation) for observation in observations]


def window(policy, observations):
    """The action of the newest frame, everything computed anew: each frame with its sentence."""
    model = policy.engine.model
    seen = [policy.processor.observe(o) for o in observations[-model.config.frames :]]
    pixels, words = (torch.from_numpy(np.stack(column)) for column in zip(*seen, strict=True))
    with torch.inference_mode():
        return policy.choose(model.decode(model.tokenize(pixels, words)[None])[0, -1].numpy())


def same(one, other):
    return np.array_equal(one.tokens, other.tokens) and np.allclose(
        one.probabilities, other.probabilities, atol=1e-3
    )


def test_streams_and_windows_agree_from_the_first_frame_to_past_the_roll(policy, pictures):
    observations = shown(pictures)
    actions = stream(policy, observations)
    assert len(actions[0].tokens) == 11
    for step, action in enumerate(actions):
        assert same(action, window(policy, observations[: step + 1]))
    # Pictures matter, not just the slot they are in.
    assert len({tuple(action.tokens) for action in actions}) > FRAMES


def test_the_trained_network_in_the_box_agrees_too(rng):
    policy = load_policy("rt1-nano")
    assert isinstance(policy, RT1Policy)
    policy.processor = replace(policy.processor, sentences=hashed_sentence)
    camera = policy.processor.images.camera
    pictures = rng.integers(0, 256, (NANO.frames + 3, *camera, 3), dtype=np.uint8)
    observations = shown(pictures)
    for step, action in enumerate(stream(policy, observations)):
        assert same(action, window(policy, observations[: step + 1]))


def test_an_episode_of_the_flax_release_begins_after_empty_frames(pictures):
    """Black pictures under a sentence vector of zeros, as training put them there."""
    policy = rt1_policy(replace(SMALL_PAPER, empty_start=True))
    assert isinstance(policy.engine, TorchEngine)
    model, seen = policy.engine.model, shown(pictures[:2])
    black = torch.zeros(1, 3, *SMALL_PAPER.picture, dtype=torch.uint8)
    with torch.no_grad():
        window = [model.tokenize(black, torch.zeros(1, 512))] * (FRAMES - 1)
    for step, observation in enumerate(seen):
        seen_as = policy.processor.observe(observation)
        with torch.no_grad():
            tokens = model.tokenize(*(torch.from_numpy(x)[None] for x in seen_as))
            window = [*window, tokens][-FRAMES:]
            logits = model.decode(torch.stack(window, 1))[0, -1].numpy()
        assert (policy.act(observation).tokens == policy.choose(logits).tokens).all(), step
    first = policy.act(seen[0]).tokens
    policy.reset()
    assert not (policy.act(seen[0]).tokens == first).all()


def test_an_episode_begins_without_padding(policy, pictures):
    first = shown(pictures[:1])
    (alone,) = stream(policy, first)
    assert same(alone, window(policy, first))
    assert not same(alone, window(policy, first * FRAMES))


def test_reset_leaves_nothing_of_the_episode_before(policy, pictures):
    fresh = stream(policy, shown(pictures[:3]))
    stream(policy, shown(pictures[3:]))
    assert all(map(same, fresh, stream(policy, shown(pictures[:3]))))


def test_a_new_sentence_counts_from_its_own_frame_on(policy, pictures):
    observations = [*shown(pictures[:4]), *shown(pictures[4:], SEPARATE)]
    actions = stream(policy, observations)
    for step, action in enumerate(actions):
        assert same(action, window(policy, observations[: step + 1]))
    assert not same(actions[4], window(policy, shown(pictures[:5], SEPARATE)))
    assert not same(actions[4], window(policy, shown(pictures[:5])))


def test_after_a_window_the_old_sentence_is_forgotten(policy, pictures):
    changed = stream(policy, [*shown(pictures[:3]), *shown(pictures[3:], SEPARATE)])
    assert same(changed[-1], window(policy, shown(pictures, SEPARATE)))


def test_a_frame_given_twice_fills_two_slots(policy, pictures):
    once, twice = shown(pictures[:2]), shown(pictures[[0, 1, 1]])
    again = stream(policy, twice)[-1]
    assert same(again, window(policy, twice))
    assert not same(again, window(policy, once))


def test_a_late_frame_is_the_next_slot(policy, pictures):
    """There is no clock: a gap in time is no gap in the window."""
    without_third = shown(pictures[[0, 1, 3]])
    assert same(stream(policy, without_third)[-1], window(policy, without_third))


def test_a_forgotten_reset_wears_off_after_a_window(policy, pictures):
    before, after = shown(pictures[:3], SEPARATE), shown(pictures[3:])
    fresh = stream(policy, after)
    late = stream(policy, [*before, *after])[len(before) :]
    for step, (forgotten, clean) in enumerate(zip(late, fresh, strict=True)):
        assert same(forgotten, clean) == (step >= FRAMES - 1)


def test_a_refused_frame_fills_no_slot(policy, pictures):
    undisturbed = stream(policy, shown(pictures[:2]))[-1]
    policy.reset()
    first, second = shown(pictures[:2])
    policy.act(first)
    with pytest.raises(ValueError, match="uint8 of shape"):
        policy.act(Observation(image=np.zeros((8, 8, 3), np.uint8), instruction=PUSH))
    assert same(policy.act(second), undisturbed)
