"""What RT-2 is trained on: answers alone, numbers that know their neighbours, places."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from sayact.models.rt2 import RT2, SoftRange
from sayact.models.vlms.nano import NanoVLM
from sayact.schema.batches import TextBatch
from sayact.testing.tiny import tiny_nano

NUMBERS = SoftRange(ids=tuple(range(10, 26)), sigma=1.0, sources=("robot",))


def model(*soft: SoftRange) -> RT2:
    torch.manual_seed(0)
    return RT2(NanoVLM(tiny_nano()), soft).eval()


def batch(points: Tensor | None = None) -> TextBatch:
    """Two examples a source: prompts of 4 tokens, answers of 3 and 1."""
    generator = torch.Generator().manual_seed(2)
    index = torch.arange(8)
    length = torch.tensor([3, 1, 3, 1])[:, None]
    return TextBatch(
        pixels=torch.randint(0, 256, (4, 3, 16, 28), dtype=torch.uint8, generator=generator),
        tokens=torch.randint(10, 26, (4, 8), generator=generator),
        prompt=(index[None] < 4).expand(4, -1),
        answer=(index[None] >= 4) & (index[None] < 4 + length),
        source=torch.tensor([0, 0, 1, 1]),
        sources=("robot", "web"),
        points=points,
    )


def test_only_answers_carry_loss() -> None:
    given = batch()
    filled = given.tokens.clone()
    filled[~(given.prompt | given.answer)] = 0
    one, two = model().loss(given), model().loss(replace(given, tokens=filled))
    torch.testing.assert_close(one.total, two.total)


def test_an_answer_of_n_tokens_weighs_root_n() -> None:
    losses = model().loss(batch())
    robot, web = losses.parts["loss/robot"], losses.parts["loss/web"]
    logits = model().vlm(*(getattr(batch(), n) for n in ("pixels", "tokens", "prompt", "answer")))
    each = torch.nn.functional.cross_entropy(
        logits, batch().tokens[batch().answer], reduction="none"
    )
    weight = torch.tensor([3.0, 3, 3, 1, 3, 3, 3, 1]).rsqrt()
    torch.testing.assert_close(losses.total, (each * weight).sum() / weight.sum())
    torch.testing.assert_close(robot, each[:4].mean())
    torch.testing.assert_close(web, each[4:].mean())
    torch.testing.assert_close(batch().weight, weight.sum())
    assert losses.weights["loss/robot"] == 4


def test_soft_targets_spare_other_sources() -> None:
    plain, soft = model().loss(batch()), model(NUMBERS).loss(batch())
    assert plain.parts["loss/robot"] != soft.parts["loss/robot"]
    torch.testing.assert_close(plain.parts["loss/web"], soft.parts["loss/web"])


@pytest.mark.parametrize("target", [10, 17, 25])
def test_a_perfect_soft_answer_costs_nothing_and_a_neighbour_little(target: int) -> None:
    soft = SoftRange(ids=tuple(range(10, 26)), sigma=1.0)
    distance = (torch.arange(40) - target).float()
    wanted = -0.5 * distance**2
    wanted[:10] = wanted[26:] = float("-inf")

    def loss(logits: Tensor) -> float:
        return float(
            model(soft)._token_losses(
                logits.clamp(min=-1e4)[None], torch.tensor([target]), torch.tensor([0]), ("web",)
            )
        )

    assert abs(loss(wanted)) < 1e-5
    near = loss(torch.roll(wanted, -1 if target == 25 else 1))
    far = loss(torch.roll(wanted, -4 if target == 25 else 4))
    assert 0 < near < far


def test_numbers_may_have_any_ids() -> None:
    """Shuffling the vocabulary, the words that stand for numbers with it, changes no loss."""
    order = torch.randperm(40, generator=torch.Generator().manual_seed(4))
    logits = torch.randn(6, 40, generator=torch.Generator().manual_seed(5))
    targets, source = torch.arange(10, 16), torch.zeros(6, dtype=torch.int64)
    ids = tuple(range(10, 26))
    shuffled = torch.empty_like(logits)
    shuffled[:, order] = logits
    moved = tuple(order[list(ids)].tolist())
    one = model(SoftRange(ids=ids, sigma=2.0))._token_losses(logits, targets, source, ("web",))
    two = model(SoftRange(ids=moved, sigma=2.0))._token_losses(
        shuffled, order[targets], source, ("web",)
    )
    torch.testing.assert_close(one, two)


def test_places_that_are_not_known_cost_nothing() -> None:
    known = torch.rand(4, 3, 2, generator=torch.Generator().manual_seed(3))
    some = known.clone()
    some[0, 1] = some[3] = float("nan")
    losses = model().loss(batch(some))
    assert losses.weights["points"] == 8
    assert losses.total.isfinite()
    none = model().loss(batch(torch.full((4, 3, 2), float("nan"))))
    torch.testing.assert_close(none.total, model().loss(batch()).total)


def test_every_part_is_learned() -> None:
    """One step moves every parameter: nothing of the network is left out of the graph.

    FiLM begins as the identity, which hides the question's vector: it is moved off that first.
    """
    network = model(NUMBERS).train()
    for name, value in network.named_parameters():
        if "film" in name:
            torch.nn.init.normal_(value, std=0.1)
    network.loss(batch(torch.rand(4, 3, 2))).total.backward()
    still = [
        name
        for name, value in network.named_parameters()
        if value.grad is None or not value.grad.any()
    ]
    assert still == []
