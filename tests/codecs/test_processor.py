"""Training and acting must see the same numbers, to the bit."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sayact.codecs import Processor, UniversalSentenceEncoder
from sayact.codecs.instructions import CUSTOM, LARGE, GivenSentences
from sayact.data.windows import WindowSampler
from sayact.schema import LANGUAGE_TABLE, Observation
from sayact.schema.errors import BadObservationError, CheckpointError
from sayact.testing import TINY_IMAGES, noise_store, tiny_processor


def test_data_path_equals_policy_path(rng):
    """A window cut from the frame cache holds the pixels and words that the policy computes."""
    processor = tiny_processor()
    camera = rng.integers(0, 256, (54, *TINY_IMAGES.camera, 3), dtype=np.uint8)
    store = noise_store(rng)
    store.frames.parts[0][:] = processor.shrink(camera)
    sampler = WindowSampler(store, processor, seed=0)
    seen = 0
    for step in range(200):
        drawn = np.random.default_rng([0, step])
        start = int(np.sort(drawn.integers(len(store), size=1))[0])
        corner = drawn.integers(0, np.array(TINY_IMAGES.slack) + 1, size=(1, 2))[0]
        if tuple(corner) != TINY_IMAGES.centre:
            continue
        batch = sampler((step, 1, 1))
        sentence = store.tasks[store.episode_index[start]]
        pixels, words = processor.observe(Observation(image=camera[start], instruction=sentence))
        assert torch.equal(batch.pixels[0, 0], torch.from_numpy(pixels))
        assert torch.equal(batch.instruction[0], torch.from_numpy(words))
        seen += 1
    assert seen >= 3


def test_json_round_trip():
    processor = tiny_processor()
    assert Processor.from_json(processor.to_json(), LANGUAGE_TABLE) == processor


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"actions": {"codec": "fast", "bins": 32}}, "action codec 'fast'.* uniform_bins"),
        ({"actions": {"bins": 32}}, "action codec None.* uniform_bins"),
        ({"sentences": "t5-small"}, "sentence encoder 't5-small'.* custom"),
    ],
)
def test_codecs_of_another_version_are_refused(change, named):
    """Decoded with the wrong codec, an action would still look like one."""
    data = tiny_processor().to_json() | change
    with pytest.raises(CheckpointError, match=named):
        Processor.from_json(data, LANGUAGE_TABLE)


def test_an_encoder_of_ones_own_is_asked_for_again():
    """Loaded with another one, a policy would act on vectors it has never seen."""
    own = tiny_processor()
    loaded = Processor.from_json(own.to_json(), LANGUAGE_TABLE)
    with pytest.raises(BadObservationError, match=r"'custom'.*policy\.processor = "):
        loaded.sentences("push the red moon up")
    assert loaded.to_json() == own.to_json()


@pytest.mark.parametrize(
    "encoder", [UniversalSentenceEncoder(), GivenSentences({}, LARGE), GivenSentences({}, CUSTOM)]
)
def test_the_encoder_survives_json(encoder):
    processor = replace(tiny_processor(), sentences=encoder)
    loaded = Processor.from_json(processor.to_json(), LANGUAGE_TABLE).sentences
    assert type(loaded) is type(encoder)
    assert getattr(loaded, "encoder", None) == getattr(encoder, "encoder", None)


def test_sentences_mean_the_same_in_any_order():
    forward, backward = UniversalSentenceEncoder(), UniversalSentenceEncoder()
    sentences = ["push the red moon up", "schiebe den roten Mond nach oben", "mix the colours"]
    vectors = [forward(s) for s in sentences]
    again = [backward(s) for s in reversed(sentences)][::-1]
    assert all((a == b).all() for a, b in zip(vectors, again, strict=True))
    near, far = vectors[0] @ vectors[1], vectors[0] @ vectors[2]
    assert near > far + 0.2
    assert abs(np.linalg.norm(vectors[0]) - 1) < 1e-5
