"""Learning: the loss and every gradient, and batch norm with the statistics of its batch."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from parity.closeness import (
    EVALUATION,
    EVALUATION_FLOOR,
    TRAINING,
    TRAINING_FLOOR,
    assert_close,
    assert_sketches_close,
)
from parity.networks import Outputs, meta
from parity.weights import labels, unit
from sayact.codecs import EdgeBins
from sayact.models.layers.efficientnet import NORM_EPS, NORM_MOMENTUM, Block
from sayact.schema import RT1
from sayact.schema.batches import Batch

THEIR_SCALE = 1 / (1 * 6 * 19)  # batch × frames × tokens of a frame
TOKENIZER = "tokenizer."


def in_their_layout(names, ours: dict[str, Tensor]) -> dict[str, np.ndarray]:
    return {v.theirs: v.to_theirs(ours[v.ours].numpy()) for v in names if v.ours in ours}


class TestLoss:
    """Out of training mode: no dropout, and the running statistics."""

    @pytest.fixture(scope="class")
    def learned(self, model, window, seed):
        """The loss in their scale, and its gradients by our names."""
        ids = torch.from_numpy(EdgeBins(action_space=RT1).encode(labels(seed, 6)))
        batch = Batch(
            pixels=window.pixels[None],
            instruction=window.context,
            action_ids=ids[None],
            valid=torch.ones(1, 6, dtype=torch.bool),
        )
        loss = model.loss(batch).total * THEIR_SCALE
        loss.backward()
        gradients = {k: p.grad for k, p in model.named_parameters()}
        model.zero_grad(set_to_none=True)
        return loss.detach(), gradients

    def test_loss(self, learned, released):
        assert_close(learned[0], released["loss_mean"])

    def test_gradients(self, learned, released, names):
        """571 of 573: the action embedding is multiplied by zero and never gets one."""
        assert_sketches_close(
            in_their_layout(names, learned[1]),
            released["grad_names"],
            released["grad_l2"],
            released["grad_head4"],
            EVALUATION,
            EVALUATION_FLOOR,
        )
        dead = {v.theirs for v in names if v.dead and not v.theirs.endswith("/count")}
        assert dead == set(meta(released)["grad_none"])


class TestBatchNormInTraining:
    """Statistics of the six frames, as when the whole network learns."""

    @pytest.fixture(scope="class")
    def tokenizer(self, model):
        copy = deepcopy(model.tokenizer).train()
        for block in copy.backbone.blocks:
            block.drop_path = 0.0  # the released answers were taken without stochastic depth
        return copy

    @pytest.fixture(scope="class")
    def learned(self, tokenizer, window, seed):
        """Tokens, features after the last FiLM, terms of the objective, gradients by our names."""
        with Outputs(film=tokenizer.film) as maps:
            tokens, _ = tokenizer(window.pixels, window.contexts)
        direction = unit(seed, "cotangent", tuple(tokens.shape)).astype(np.float32)
        terms = tokens * torch.from_numpy(direction) / 1000
        terms.sum().backward()
        gradients = {f"{TOKENIZER}{k}": p.grad for k, p in tokenizer.named_parameters()}
        return tokens.detach(), maps["film"], terms.detach(), gradients

    def test_tokens(self, learned, released_training):
        tokens, features, _, _ = learned
        assert_close(
            features[0].reshape(81, 512), released_training["film_tokens_frame0"], TRAINING
        )
        assert_close(tokens, released_training["tokens"], TRAINING)

    def test_objective(self, learned, released_training):
        """A sum whose terms nearly cancel: their length is the measure."""
        terms = learned[2]
        off = abs(float(terms.sum()) - float(released_training["objective"]))
        assert off <= TRAINING * float(terms.norm())

    def test_running_statistics(self, learned, tokenizer, released_training, names):
        """The variance that is kept is the unbiased one, in TensorFlow as in PyTorch."""
        kept = {f"{TOKENIZER}{k}": v for k, v in tokenizer.named_buffers() if "running" in k}
        assert_sketches_close(
            in_their_layout(names, kept),
            released_training["bn_names"],
            released_training["bn_after_l2"],
            released_training["bn_after_head4"],
            TRAINING,
            0.0,
        )

    def test_gradients(self, learned, released_training, names):
        assert_sketches_close(
            in_their_layout(names, learned[3]),
            released_training["grad_names"],
            released_training["grad_l2"],
            released_training["grad_head4"],
            TRAINING,
            TRAINING_FLOOR,
        )

    def test_constants(self, tokenizer, released_training):
        expected = meta(released_training)
        assert expected["bn_eps"] == NORM_EPS
        assert expected["bn_momentum"] == 1 - NORM_MOMENTUM
        norms = [m for m in tokenizer.modules() if isinstance(m, nn.BatchNorm2d)]
        assert 2 * len(norms) == len(released_training["bn_names"])
        assert all((m.eps, m.momentum) == (NORM_EPS, NORM_MOMENTUM) for m in norms)

    def test_stochastic_depth(self, model, released_training):
        """Only where the residual is added, growing with the number of the block."""
        blocks = [b for b in model.tokenizer.backbone.blocks if isinstance(b, Block) and b.skip]
        theirs = [rate for _, rate in meta(released_training)["stochastic_depth"]]
        assert [b.drop_path for b in blocks] == pytest.approx(theirs)
