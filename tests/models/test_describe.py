"""The drawing shows the network that computes, not the one that was meant."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from sayact.models import describe
from sayact.models.rt1 import RT1
from sayact.models.shapes import FLAX, MULTIROBOT, NANO, PAPER
from sayact.testing import tiny_rt1

DRAWN = """\
tokens: 4 frames × (2 image + 2 action slots) = 16
  iiaa │ iiaa │ …
   ^^  │  ^^  │ …
"""
MASK = """\
    iiaaiiaa
  i ■·······
  i ■■······
  a ■■······
  a ■■······
  i ■■■■■···
  i ■■■■■■··
  a ■■··■■··
  a ■■··■■··
"""


PAGE = Path(__file__).parents[2] / "docs" / "rt1.md"


@pytest.fixture
def model():
    return RT1(replace(tiny_rt1(), image_tokens=2))


def test_the_sequence_and_the_mask_are_the_real_ones(model):
    text = describe(model)
    assert text.startswith(DRAWN)
    assert MASK in text
    model.transformer.mask[3, 3] = True  # a slot that saw itself would show
    model.transformer.read_out += 1
    changed = describe(model)
    assert "  a ■■·■····" in changed
    assert "    ^^ │   ^^ │ …" in changed


@pytest.mark.parametrize("config", [NANO, tiny_rt1(frames=1)], ids=["nano", "one frame"])
def test_the_parts_add_up(config):
    model = RT1(config)
    _, _, table = describe(model).partition("parameters\n")
    *parts, total = (int(n.replace(",", "")) for n in re.findall(r" ([\d,]+)(?=$|  )", table, re.M))
    assert len(parts) == 7
    assert sum(parts) == total == sum(p.numel() for p in model.parameters())


def test_the_page_shows_nano_as_it_is():
    assert f"```text\n{describe(RT1(NANO))}```" in PAGE.read_text()


def test_the_dead_weights_are_those_of_the_tensorflow_release():
    """In any size, and also where its pictures are normalised otherwise."""
    own = replace(PAPER.backbone, mean=(0.5, 0.5, 0.5))
    for config in (PAPER, MULTIROBOT, replace(PAPER, backbone=own)):
        assert "an action embedding" in describe(RT1(replace(config, layers=1)))
    for config in (FLAX, NANO, replace(PAPER, action_dims=2)):
        assert "an action embedding" not in describe(RT1(replace(config, layers=1)))
