"""`RT1(PAPER)` out of training, on a window of six frames: block by block, to the last token."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from parity.closeness import assert_close, assert_equal, picks
from parity.networks import Outputs
from parity.weights import labels
from sayact.codecs import EdgeBins
from sayact.models.losses import bin_loss
from sayact.schema import RT1

BLOCKS = range(28)  # the stem, 26 blocks with their FiLM layers, the top


@dataclass(frozen=True)
class Answers:
    """Of one pass over the window."""

    maps: dict[str, np.ndarray]  # (T, h, w, C)
    tokens: Tensor  # (T, 8, 512)
    everywhere: Tensor  # logits at every token of the sequence, (114, 256)
    logits: Tensor  # (T, 11, 256)


@pytest.fixture(scope="module")
def answers(model, window):
    tokenizer, transformer = model.tokenizer, model.transformer
    places = [tokenizer.backbone.stem, *tokenizer.backbone.blocks, tokenizer.backbone.top]
    watched = {f"block{number:02}": module for number, module in enumerate(places)}
    with torch.inference_mode(), Outputs(film=tokenizer.film, **watched) as maps:
        tokens = model.tokenize(window.pixels, window.contexts)
        everywhere = transformer.head(transformer.features(tokens[None]))[0]
        return Answers(maps, tokens, everywhere, model.decode(tokens[None])[0])


@pytest.mark.parametrize("number", BLOCKS)
def test_block(answers, released, number):
    name = f"block{number:02}"
    first = answers.maps[name][0]
    assert_equal(np.array(first.shape), released[f"{name}_shape"])
    assert_close(picks(first), released[f"{name}_pick"])
    assert_close(np.array([first.mean(), first.std()]), released[f"{name}_stat"])


def test_features_after_the_last_film(answers, released):
    """Nine by nine places, row by row."""
    features = answers.maps["film"]
    assert features.shape[1:3] == (9, 9)
    assert_close(features.reshape(6, 81, 512), released["film_tokens"])


def test_image_tokens(answers, released):
    assert_close(answers.tokens, released["tokens"])


def test_mask(model, released):
    assert_equal(model.transformer.mask, released["attention_mask"].astype(bool))


def test_logits_at_every_token(answers, released):
    assert_close(answers.everywhere, released["logits"])


def test_action_tokens_are_read_one_place_early(answers, released):
    assert_equal(answers.logits.argmax(-1), released["pred_tokens"])
    first = [19 * frame + 8 - 1 for frame in range(6)]
    assert_close(answers.logits[:, 0], answers.everywhere[first].numpy())


def test_loss_of_every_frame(answers, released, seed):
    """The original divides by batch × frames × 19 once more; Adam does not notice."""
    ids = torch.from_numpy(EdgeBins(action_space=RT1).encode(labels(seed, 6)))
    losses = [bin_loss(answers.logits[t : t + 1], ids[t : t + 1], 0) for t in range(6)]
    assert_close(torch.stack(losses)[None] / (6 * 19), released["loss_bt"])


def test_loss_of_two_windows(model, answers, released, seed):
    """The second shows the frames backwards. The same labels, and half the loss each."""
    ids = torch.from_numpy(EdgeBins(action_space=RT1).encode(labels(seed, 6)))
    with torch.inference_mode():
        logits = model.decode(torch.stack([answers.tokens, answers.tokens.flip(0)]))
    losses = [
        torch.stack([bin_loss(one[t : t + 1], ids[t : t + 1], 0) for t in range(6)])
        for one in logits
    ]
    assert_close(torch.stack(losses) / (2 * 6 * 19), released["loss_bt_batch2"])
