"""`RT1(PAPER)` computes what the released RT-1 code computes, given the same weights."""

from pathlib import Path

import numpy as np
import pytest
import torch

from released_rt1 import network, pictures, sentence

# Ten times the noise between two builds of TensorFlow; a wrong padding or mask is a thousand times.
TOLERANCE = 2e-5  # of the largest number
GOLDEN = Path(__file__).parents[1] / "golden" / "rt1" / "released_code.npz"


@pytest.fixture(scope="module")
def released():
    return dict(np.load(GOLDEN))


@pytest.fixture(scope="module")
def model():
    return network()


@torch.inference_mode()
def test_a_window_of_six_frames(model, released):
    frames, words = torch.from_numpy(pictures(6, 300, 300, "images300")), sentence()
    context = torch.from_numpy(words)[None]
    tokens = model.tokenize(frames, context.expand(6, -1))
    assert far(tokens[[0, 5]], released["tokens"]) < TOLERANCE
    logits = model.decode(tokens[None])[0]
    assert far(logits[5], released["logits"]) < TOLERANCE
    assert (logits.argmax(-1).numpy() == released["window_ids"]).all()


@torch.inference_mode()
def test_eight_steps_with_kept_tokens_and_pictures_of_another_size(model, released):
    """The first six steps fill the window, the last two roll it."""
    context, kept, chosen = torch.from_numpy(sentence())[None], [], []
    for picture in torch.from_numpy(pictures(8, 256, 320, "images256")):
        kept = [*kept, model.tokenize(picture[None], context)][-6:]
        chosen.append(model.decode(torch.stack(kept, 1))[0, -1])
    assert far(chosen[-1], released["stream_logits"]) < TOLERANCE
    assert (torch.stack(chosen).argmax(-1).numpy() == released["stream_ids"]).all()


def far(ours: torch.Tensor, theirs: np.ndarray) -> float:
    """The largest difference as a share of the largest number."""
    return float(np.abs(ours.numpy() - theirs).max() / np.abs(theirs).max())
