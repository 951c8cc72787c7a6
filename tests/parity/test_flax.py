"""The flax network: as its class comes (six frames), and as RT-1-X (fifteen, 1380 tokens)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from parity.closeness import assert_close, assert_equal, picks
from parity.networks import Outputs, Released, Window, meta, network
from parity.weights import FLAX_RULES, GROUPS, labels
from sayact.codecs import EdgeBins
from sayact.models.released.naming import flax
from sayact.models.rt1 import RT1 as Network
from sayact.models.rt1 import RT1Config
from sayact.models.shapes import FLAX, RT1_X
from sayact.schema import RT1, ActionSpace
from sayact.schema import RT1_X as RT1_X_ACTIONS

BASE = 2  # the mode that the flax example acts in where the token names none


@dataclass(frozen=True)
class Case:
    """Which answers a shape has to give, and how it writes actions."""

    prefix: str
    meta: str
    config: RT1Config
    actions: ActionSpace
    kept_tokens: slice | list[int]  # frames whose image tokens the fixture keeps
    kept_logits: slice | list[int]

    @property
    def codec(self) -> EdgeBins:
        return EdgeBins(action_space=self.actions, bins=self.config.bins, fallback=BASE)


CASES = {
    "default": Case("d_", "default", FLAX, RT1, slice(None), slice(None)),
    "rt1x": Case("x_", "rt1x", RT1_X, RT1_X_ACTIONS, [0, 14], [0, 13, 14]),
}


@dataclass(frozen=True)
class Answers:
    case: Case
    model: Network
    maps: dict[str, np.ndarray]  # (T, h, w, C)
    tokens: Tensor  # (T, K, 512)
    logits: Tensor  # (T, 11, bins)
    released: Callable[[str], np.ndarray]


@pytest.fixture(scope="module", params=CASES)
def answers(request, seed: str, released_flax: Released):
    case = CASES[request.param]
    model = network(case.config, flax(case.config), seed, FLAX_RULES)
    window = Window.of(seed, case.config.frames, 300, 300)
    tokenizer = model.tokenizer
    watched = {str(number): block for number, block in enumerate(tokenizer.backbone.blocks)}
    with torch.inference_mode(), Outputs(film=tokenizer.film, **watched) as maps:
        tokens = model.tokenize(window.pixels, window.contexts)
        logits = model.decode(tokens[None])[0]
    read = lambda name: released_flax[f"{case.prefix}{name}"]  # noqa: E731
    return Answers(case, model, maps, tokens, logits, read)


def test_after_every_film_layer(answers):
    """SAME padding: 300, 150, 75, 38, 19, 10."""
    for number in range(26):
        ours = picks(answers.maps[str(number)][0])
        assert_close(ours, answers.released(f"pick_FilmConditioning_{number}"))


def test_features_after_the_last_film(answers):
    assert_close(answers.maps["film"][0], answers.released("film_tokens_frame0"))


def test_image_tokens(answers):
    kept = answers.tokens[answers.case.kept_tokens]
    assert_close(kept, answers.released("tokens"))


def test_mask(answers, released_flax):
    """Keys are image tokens only: image tokens do not look back at action slots here."""
    rows, columns = meta(released_flax)[answers.case.meta]["mask_shape"]
    packed = answers.released("attn_mask_packed")
    expected = np.unpackbits(packed, count=rows * columns).reshape(rows, columns)
    assert_equal(answers.model.transformer.mask, expected.astype(bool))


def test_logits(answers):
    assert_close(answers.logits[answers.case.kept_logits], answers.released("action_logits"))


def test_action_tokens(answers):
    assert_equal(answers.logits.argmax(-1), answers.released("pred_tokens"))


def test_labels(answers, seed):
    ours = answers.case.codec.encode(labels(seed, answers.case.config.frames))
    assert_equal(ours, answers.released("label_tokens"))


def test_action_of_the_last_frame(answers):
    """A mode that is none comes out as three zeros there, and the example acts in the last mode."""
    tokens = answers.released("pred_tokens")[-1]
    values = answers.case.codec.decode(tokens)
    for name, where in list(GROUPS.items())[1:]:
        assert_close(values[where], answers.released(f"out_{name}"), 1e-6)
    flags = answers.released("out_terminate_episode")
    if tokens[0] < 3:
        assert_equal(np.eye(3)[int(values[0])], flags)
    else:
        assert not flags.any()
        assert values[0] == BASE


def test_parameters(answers, released_flax):
    expected = meta(released_flax)[answers.case.meta]
    assert sum(p.numel() for p in answers.model.parameters()) == expected["params"]
    statistics = (b.numel() for k, b in answers.model.named_buffers() if "running" in k)
    assert sum(statistics) == expected["batch_stats"]
