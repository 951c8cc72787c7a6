"""What is random in training, and where nothing is learned yet: as in the released networks."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from sayact.models.layers.efficientnet import Block, FiLM, StageConfig
from sayact.models.rt1 import RT1, Attention
from sayact.models.shapes import PAPER
from sayact.testing import tiny_rt1

STAGE = StageConfig(kind="mbconv", kernel=3, stride=1, channels=4, repeats=1, expansion=2)


def block(drop_path: float) -> Block:
    return Block(STAGE, 4, 1, drop_path, context=6, same=False)


def test_a_new_film_layer_changes_nothing():
    """So weights of a network without language work unchanged on the first day."""
    x, context = torch.randn(2, 4, 3, 3), torch.randn(2, 6)
    assert torch.equal(FiLM(6, 4)(x, context), x)


def test_film_scales_and_shifts_by_the_sentence():
    """(1 + c M + m) x + c A + a, one sentence a picture."""
    film = FiLM(6, 4)
    for parameter in film.parameters():
        nn.init.normal_(parameter)
    x, context = torch.randn(2, 4, 3, 3), torch.randn(2, 6)
    scale = context @ film.scale.weight.T + film.scale.bias
    shift = context @ film.shift.weight.T + film.shift.bias
    expected = (1 + scale)[..., None, None] * x + shift[..., None, None]
    torch.testing.assert_close(film(x, context), expected)


def test_stochastic_depth_drops_whole_pictures_and_keeps_the_mean():
    torch.manual_seed(0)
    module = block(drop_path=0.25).train()
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.eval()  # one picture's answer must not depend on the others
    x, context = torch.randn(1, 4, 5, 5).expand(4000, -1, -1, -1), torch.zeros(4000, 6)
    with torch.no_grad():
        added = module(x, context) - x
        whole = module.eval()(x[:1], context[:1]) - x[:1]
    dropped = added.flatten(1).abs().amax(1) == 0
    assert 0.22 < dropped.float().mean() < 0.28
    torch.testing.assert_close(
        added[~dropped], (whole / 0.75).expand(int((~dropped).sum()), -1, -1, -1)
    )
    torch.testing.assert_close(added.mean(0), whole[0], rtol=0.1, atol=0.02)


def test_no_depth_is_dropped_where_nothing_is_added():
    module = Block(replace(STAGE, channels=8), 4, 1, 0.9, context=6, same=False).train()
    assert not module.skip
    with torch.no_grad():
        x, context = torch.randn(64, 4, 5, 5), torch.zeros(64, 6)
        assert (module(x, context).flatten(1).abs().amax(1) > 0).all()


def test_dropout_stands_at_attention_and_feed_forward_alone():
    """0.1 of the attention's weights and of what each feed-forward adds; none on the tokens."""
    model = RT1(PAPER)
    dropouts = {k: m.p for k, m in model.named_modules() if isinstance(m, nn.Dropout)}
    assert dropouts == {f"transformer.layers.{n}.dropout": 0.1 for n in range(8)}
    rates = [m.dropout for m in model.modules() if isinstance(m, Attention)]
    assert rates == [0.1] * 8


def test_attention_dropout_is_drawn_for_every_weight():
    """Of its own for every example, head and query, as Keras'; flax draws one for all heads."""
    torch.manual_seed(0)
    config = replace(tiny_rt1(), dropout=0.5, heads=2)
    attention = Attention(config).train()
    with torch.no_grad():
        nn.init.zeros_(attention.query.weight)
        nn.init.zeros_(attention.query.bias)  # every key weighs the same
        x = torch.randn(1, 6, config.width).expand(2, -1, -1)
        mask = torch.ones(6, 6, dtype=torch.bool)
        answer = attention(x, mask)
    assert not torch.allclose(answer[0], answer[1])
    assert not torch.allclose(answer[0, 0], answer[0, 1])


@pytest.mark.parametrize("mode", [True, False])
def test_only_training_is_random(mode):
    torch.manual_seed(0)
    model = RT1(replace(tiny_rt1(), dropout=0.5)).train(mode)
    model.hold_statistics()
    height, width = model.config.picture
    pixels = torch.randint(0, 256, (1, 4, 3, height, width), dtype=torch.uint8)
    with torch.no_grad():
        one, other = (model(pixels, torch.ones(1, 512)) for _ in range(2))
    assert torch.equal(one, other) != mode
