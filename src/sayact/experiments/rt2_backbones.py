"""From a recipe to what is trained: backbone, tokenizer and the codecs between it and the robot."""

from collections.abc import Sequence

import torch

from sayact.codecs.nano_tokenizer import nano_tokenizer
from sayact.codecs.text import TextProcessor, text_processor
from sayact.codecs.tokens import JsonTokenizer, load_tokenizer
from sayact.experiments.rt2_recipe import ROBOT, Hub, RT2Recipe
from sayact.models.rt2 import RT2, SoftRange
from sayact.models.vlms.nano import NanoVLM
from sayact.models.vlms.vlm import VLM
from sayact.schema import LANGUAGE_TABLE
from sayact.schema.errors import SayactError, UnknownNameError


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


def freeze(model: RT2, recipe: RT2Recipe, began: Sequence[str]) -> None:
    """Keep the recipe's frozen parts as they are; `began` is what is told of the first weights.

    Raises SayactError for a part that is not there, weights that nobody trained, or batch norm that
    would go on learning.
    """
    if recipe.frozen and not began:
        raise SayactError(
            f"{', '.join(recipe.frozen)} would be frozen as drawn at random; give --init, a "
            "checkpoint to begin with"
        )
    if recipe.frozen and recipe.train.batch_norm != "running":
        raise SayactError(
            "parts of a network are frozen only with batch_norm='running'; the recipe says "
            f"{recipe.train.batch_norm!r}"
        )
    parts = dict(model.named_modules())
    for name in recipe.frozen:
        if name not in parts:
            raise UnknownNameError("part of the network", name, [n for n in parts if "." not in n])
        parts[name].requires_grad_(False)


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
