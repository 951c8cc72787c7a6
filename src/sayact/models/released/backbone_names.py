"""What others call the weights of our EfficientNet backbone.

    ours                      Hugging Face                      torchvision            Keras
    stem.1                    embeddings.convolution            features.0.0           stem_conv
    blocks.2.layers.0.2       encoder.blocks.2.expansion        features.2.0.block     block2a_
                                .expand_bn                        .0.1                   expand_bn
    blocks.2.layers.2.reduce  encoder.blocks.2.squeeze_excite   features.2.0.block     block2a_
                                .reduce                           .2.fc1                 se_reduce

A part of the network is either a convolution ("1") with its batch norm ("2"), or a squeeze with its
two convolutions ("reduce", "expand").
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from string import ascii_lowercase

from sayact.models.layers.efficientnet import EfficientNetConfig


@dataclass(frozen=True, kw_only=True)
class Part:
    """A module of our backbone, and where in the network it stands."""

    ours: str
    part: str  # stem, expand, depthwise, squeeze, project or top
    number: int = 0  # of the block, over all stages
    stage: int = 0
    repeat: int = 0  # of the block, within its stage
    place: int = 0  # of the part, within its block


def names_of(layout: str, config: EfficientNetConfig, ours: Iterable[str]) -> dict[str, str]:
    """For each of our weights its name in another's layout."""
    ours = tuple(ours)
    found: dict[str, str] = {}
    for part in _parts(config):
        start = f"{part.ours}."
        for name in (n for n in ours if n.startswith(start)):
            module, leaf = name.removeprefix(start).split(".")
            found[name] = f"{MODULES[layout](part, module)}.{leaf}"
    return found


def _parts(config: EfficientNetConfig) -> Iterator[Part]:
    """The modules that hold weights, from the picture upwards."""
    yield Part(ours="stem", part="stem")
    number = 0
    for stage_number, stage in enumerate(config.stages):
        for repeat in range(stage.repeats):
            names = ["expand"] * (stage.expansion != 1) + ["depthwise", "squeeze", "project"]
            for place, part in enumerate(names):
                yield Part(
                    ours=f"blocks.{number}.layers.{place}",
                    part=part,
                    number=number,
                    stage=stage_number + 1,
                    repeat=repeat,
                    place=place,
                )
            number += 1
    yield Part(ours="top", part="top", stage=len(config.stages) + 1)


def _sayact(part: Part, module: str) -> str:
    return f"{part.ours}.{module}"


def _hugging_face(part: Part, module: str) -> str:
    norm = module == "2"
    if part.part == "stem":
        return f"embeddings.{'batchnorm' if norm else 'convolution'}"
    if part.part == "top":
        return f"encoder.top_{'bn' if norm else 'conv'}"
    names = {
        "expand": ("expansion.expand_conv", "expansion.expand_bn"),
        "depthwise": ("depthwise_conv.depthwise_conv", "depthwise_conv.depthwise_norm"),
        "project": ("projection.project_conv", "projection.project_bn"),
    }
    name = f"squeeze_excite.{module}" if part.part == "squeeze" else names[part.part][norm]
    return f"encoder.blocks.{part.number}.{name}"


def _torchvision(part: Part, module: str) -> str:
    if part.part in ("stem", "top"):
        return f"features.{part.stage}.{int(module == '2')}"
    names = {"reduce": "fc1", "expand": "fc2", "1": "0", "2": "1"}
    return f"features.{part.stage}.{part.repeat}.block.{part.place}.{names[module]}"


def _keras(part: Part, module: str) -> str:
    kind = "bn" if module == "2" else "conv"
    if part.part in ("stem", "top"):
        return f"{part.part}_{kind}"
    names = {
        "expand": f"expand_{kind}",
        "depthwise": "bn" if kind == "bn" else "dwconv",
        "squeeze": f"se_{module}",
        "project": f"project_{kind}",
    }
    return f"block{part.stage}{ascii_lowercase[part.repeat]}_{names[part.part]}"


MODULES: dict[str, Callable[[Part, str], str]] = {
    "Hugging Face": _hugging_face,
    "torchvision": _torchvision,
    "Keras": _keras,
    "Sayact": _sayact,
}
# A name that only this layout has.
SIGNS = {
    "Hugging Face": "embeddings.convolution.weight",
    "torchvision": "features.0.0.weight",
    "Keras": "stem_conv.weight",
    "Sayact": "stem.1.weight",
}
