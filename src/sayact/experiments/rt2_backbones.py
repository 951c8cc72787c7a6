"""From a recipe to what is trained: backbone, tokenizer and the codecs between it and the robot."""

import torch

from sayact.codecs.nano_tokenizer import nano_tokenizer
from sayact.codecs.text import TextProcessor, text_processor
from sayact.codecs.tokens import JsonTokenizer, load_tokenizer
from sayact.experiments.rt2_recipe import ROBOT, Hub, RT2Recipe
from sayact.models.rt2 import RT2, SoftRange
from sayact.models.vlms.nano import NanoVLM
from sayact.models.vlms.vlm import VLM
from sayact.schema import LANGUAGE_TABLE
from sayact.schema.errors import SayactError


def build(recipe: RT2Recipe) -> tuple[RT2, TextProcessor]:
    """The network, with weights as they are before training, and its processor."""
    vlm, tokenizer = _backbone(recipe)
    processor = text_processor(
        tokenizer,
        LANGUAGE_TABLE,
        recipe.images,
        vocabulary=recipe.action_words,
        bins=recipe.action_bins,
        closing=vlm.closing,
    )
    return RT2(vlm, soft=soft_ranges(recipe, processor)), processor


def soft_ranges(recipe: RT2Recipe, processor: TextProcessor) -> tuple[SoftRange, ...]:
    """Tokens that are told that their neighbours are nearly right.

    Numbers are actions in the robot's answers alone; places are places everywhere.
    """
    ranges: list[SoftRange] = []
    if recipe.soft_actions:
        ids = processor.actions.ids
        ranges.append(SoftRange(ids=ids, sigma=recipe.soft_actions, sources=(ROBOT,)))
    if recipe.soft_places:
        if not processor.places.ids:
            raise SayactError(
                "soft_places needs tokens that stand for places, and this tokenizer has none; set "
                "it to 0"
            )
        ranges.append(SoftRange(ids=processor.places.ids, sigma=recipe.soft_places))
    return tuple(ranges)


def _backbone(recipe: RT2Recipe) -> tuple[VLM, JsonTokenizer]:
    if not isinstance(recipe.vlm, Hub):
        return NanoVLM(recipe.vlm), nano_tokenizer()
    from sayact.models.vlms.loading import load_vlm

    hub = recipe.vlm
    vlm = load_vlm(
        hub.name,
        lora=hub.lora,
        checkpointing=hub.checkpointing,
        dtype=getattr(torch, hub.dtype),
    )
    return vlm, load_tokenizer(hub.name)
