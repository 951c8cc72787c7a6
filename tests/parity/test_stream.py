"""Acting: one camera picture a step through the real policy, the window filling, then rolling."""

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from parity.closeness import EVALUATION, assert_close, assert_equal
from parity.networks import Window
from parity.weights import GROUPS, pictures, sentence
from sayact.codecs import EdgeBins, ImageCodec, Processor
from sayact.models.rt1 import RT1 as Network
from sayact.policies.engines import TorchEngine
from sayact.policies.rt1 import RT1Policy
from sayact.schema import RT1, Action, Observation

CAMERA = (256, 320)  # height, width in the released policy's specification
MODES = np.eye(3)


class Recorder(TorchEngine):
    """Keeps what the network was asked last and all that it answered."""

    def __init__(self, model: Network) -> None:
        super().__init__(model)
        self.windows: list[np.ndarray] = []  # (frames so far, 8, 512)
        self.logits: list[np.ndarray] = []  # (11, 256)

    def decode(self, tokens: np.ndarray) -> np.ndarray:
        self.windows.append(tokens)
        self.logits.append(super().decode(tokens))
        return self.logits[-1]


@dataclass
class Episode:
    engine: Recorder
    actions: list[Action] = field(default_factory=list)


@pytest.fixture(scope="module")
def episode(model, seed):
    """Eight steps: six fill the window, two roll it."""
    engine = Recorder(model)
    processor = Processor(
        images=ImageCodec(camera=CAMERA, shrink_by=1, crop=CAMERA),
        actions=EdgeBins(action_space=RT1),
        sentences=lambda _: sentence(seed),
    )
    policy = RT1Policy(engine, processor)
    policy.reset()
    episode = Episode(engine)
    for image in pictures(seed, 8, *CAMERA):
        episode.actions.append(policy.act(Observation(image=image, instruction="any")))
    return episode


def test_logits_of_every_step(episode, released):
    assert_close(np.stack(episode.engine.logits), released["stream_logits"])


def test_tokens_of_every_step(episode, released):
    """From one pass a step, where the original makes eleven."""
    assert_equal(np.stack([a.tokens for a in episode.actions]), released["stream_tokens"])


@pytest.mark.parametrize("name", GROUPS)
def test_actions_of_every_step(episode, released, name):
    ours = np.stack([a.values for a in episode.actions])[:, GROUPS[name]]
    if name == "terminate_episode":
        ours = MODES[ours[:, 0].astype(int)]
    assert_close(ours, released[f"stream_{name}"], 1e-6)


def test_frames_in_the_window(episode, released):
    """Their counter stops at six; ours is the number of frames that are kept."""
    ours = np.array([len(window) for window in episode.engine.windows])
    assert_equal(ours, released["stream_seq_idx_after"])


def test_image_tokens_kept_after_the_last_step(episode, released):
    lengths = np.linalg.norm(episode.engine.windows[-1], axis=-1)
    assert_close(lengths, released["stream_state_image_tokens_norm"])


class TestCameraPicturesAsOneWindow:
    """The first six at once: the same as step by step."""

    @pytest.fixture(scope="class")
    def seen(self, model, seed):
        """The pictures as the backbone gets them, and the image tokens."""
        given: list[torch.Tensor] = []
        hook = model.tokenizer.backbone.register_forward_pre_hook(lambda _, x: given.append(x[0]))
        window = Window.of(seed, 8, *CAMERA)
        with torch.inference_mode():
            tokens = model.tokenize(window.pixels[:6], window.contexts[:6])
        hook.remove()
        return given[0], tokens

    def test_resizing(self, seen, released):
        """Bilinear, centres of pixels at one half, no smoothing, stretched to a square."""
        rows = seen[0][0].permute(1, 2, 0)[[0, 1, 7, 149, 298, 299]]
        assert_close(rows, released["native_resized_rows"], 1e-6)

    def test_image_tokens(self, seen, released):
        assert_close(seen[1], released["native_tokens"])

    def test_action_tokens(self, model, seen, released):
        with torch.inference_mode():
            ids = model.decode(seen[1][None])[0].argmax(-1)
        assert_equal(ids, released["native_pred_tokens"])
        assert_equal(ids, released["stream_tokens"][:6])

    def test_tokens_kept_step_by_step_are_those_of_the_window(self, episode, seen):
        assert_close(episode.engine.windows[5], seen[1].numpy(), EVALUATION)
