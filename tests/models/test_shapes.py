"""The four published shapes of RT-1, against what their releases declare."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn

from sayact.models import describe
from sayact.models.released.variables import blank
from sayact.models.rt1 import RT1
from sayact.models.shapes import FLAX, MULTIROBOT, PAPER, PUBLISHED, RT1_X

PAGE = Path(__file__).parents[2] / "docs" / "rt1.md"

# Of batch norm: two for every channel that is normalised.
STATISTICS = 87_296
# The TensorFlow releases count them as variables too: mean, variance and count of the pictures.
CONSTANTS = 7


@dataclass(frozen=True)
class Published:
    """Numbers of elements are those of the released variables."""

    sequence: int
    places: tuple[int, int]
    total: int  # with statistics, constants and dead weights
    trainable: int
    dead: int  # the action embedding
    token_learner: int
    transformer: int
    head: int
    layers: int
    heads: int
    head_dim: int
    width: int
    bins: int


TABLE = {
    "rt1main": Published(
        sequence=114,
        places=(9, 9),
        total=35_339_431,
        trainable=35_252_128,
        dead=131_584,
        token_learner=34_376,
        transformer=19_245_056,
        head=131_328,
        layers=8,
        heads=8,
        head_dim=128,
        width=512,
        bins=256,
    ),
    "rt1multirobot": Published(
        sequence=114,
        places=(9, 9),
        total=111_363_239,
        trainable=111_275_936,
        dead=131_584,
        token_learner=34_376,
        transformer=95_137_792,
        head=262_400,
        layers=10,
        heads=8,
        head_dim=256,
        width=1024,
        bins=256,
    ),
    "rt1x": Published(
        sequence=1380,
        places=(10, 10),
        total=56_984_105,
        trainable=56_896_809,
        dead=0,
        token_learner=39_121,
        transformer=40_885_248,
        head=262_656,
        layers=8,
        heads=8,
        head_dim=256,
        width=512,
        bins=512,
    ),
    "rt1flax": Published(
        sequence=114,
        places=(10, 10),
        total=39_398_048,
        trainable=39_310_752,
        dead=0,
        token_learner=34_376,
        transformer=23_435_264,
        head=131_328,
        layers=8,
        heads=8,
        head_dim=128,
        width=512,
        bins=256,
    ),
}


def test_every_published_shape_is_in_the_table():
    """rt1simreal is rt1main with other weights."""
    assert {*PUBLISHED} - {*TABLE} == {"rt1simreal"}
    assert PUBLISHED["rt1simreal"] == PUBLISHED["rt1main"]


@pytest.mark.parametrize("name", TABLE)
def test_sizes(name):
    config, published = PUBLISHED[name], TABLE[name]
    for size in ("layers", "heads", "head_dim", "width", "bins"):
        assert getattr(config, size) == getattr(published, size)
    assert (config.frames, config.image_tokens) == ((15, 81) if name == "rt1x" else (6, 8))
    assert (config.action_dims, config.token_width, config.sentence) == (11, 512, 512)
    assert config.feed_forward == ("linear" if published.dead else "swiglu")
    assert config.dropout == 0.1
    assert config.backbone.drop_path == 0.2


@pytest.mark.parametrize("name", TABLE)
def test_places_of_a_picture(name):
    """Of a camera picture, stretched to 300 × 300. No number is computed: shapes alone run."""
    tokenizer = blank(PUBLISHED[name]).tokenizer
    picture = torch.zeros(1, 3, 256, 320, dtype=torch.uint8, device="meta")
    features = tokenizer.features(picture, torch.zeros(1, 512, device="meta"))
    assert features.shape == (1, 512, *TABLE[name].places)


@pytest.mark.parametrize("name", TABLE)
def test_description(name):
    """The drawing and the table of parameters are those of the released variables."""
    config, published = PUBLISHED[name], TABLE[name]
    text = describe(RT1(config))
    assert (
        f"tokens: {config.frames} frames × ({config.image_tokens} image + 11 action slots) = "
        f"{published.sequence}\n"
    ) in text
    _, _, table = text.partition("parameters\n")
    rows = re.findall(r"^  (.+?) +([\d,]{3,})(?:$| )", table, re.M)
    counts = {label: int(number.replace(",", "")) for label, number in rows}
    assert counts["image network"] + counts["FiLM in its blocks"] == 14_398_040
    assert counts["FiLM in its blocks"] == 3_701_808
    assert counts["1×1 projection"] == 786_432
    assert counts["last FiLM"] == 525_312
    assert counts["TokenLearner"] == published.token_learner
    assert counts["transformer"] == published.transformer
    assert counts["head"] == published.head
    assert counts["total"] + published.dead == published.trainable
    assert counts["and"] == STATISTICS
    assert counts.get("without", 0) == published.dead
    constants = CONSTANTS if published.dead else 0
    assert published.trainable + STATISTICS + constants == published.total


def test_the_page_lists_the_parameters_that_are_computed_with():
    """Those that are trainable, less the dead ones; in the order of `PUBLISHED`."""
    row = re.search(r"^\| parameters (.+)\|$", PAGE.read_text(), re.M)
    assert row is not None
    listed = [int(cell.replace(",", "")) for cell in re.findall(r"[\d,]+", row[1])]
    assert listed == [p.trainable - p.dead for p in TABLE.values()]


def test_a_frozen_network_says_so():
    model = RT1(PAPER)
    assert "frozen" not in describe(model)
    model.tokenizer.requires_grad_(False)
    assert re.search(r"of these 15,744,160 are frozen", describe(model))


@pytest.mark.parametrize("name", TABLE)
def test_layer_norms(name):
    """Keras' epsilon, too small for an answer to show it; two a block and TokenLearner's."""
    norms = [m for m in blank(PUBLISHED[name]).modules() if isinstance(m, nn.LayerNorm)]
    assert len(norms) == 2 * TABLE[name].layers + 1
    assert {norm.eps for norm in norms} == {1e-6}


def test_what_sets_the_shapes_apart():
    assert {c.backbone.padding for c in (PAPER, MULTIROBOT)} == {"keras"}
    assert {c.backbone.padding for c in (FLAX, RT1_X)} == {"same"}
    assert PAPER.action_keys
    assert not FLAX.action_keys
    assert FLAX.hidden == RT1_X.hidden == 512
