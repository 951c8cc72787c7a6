"""Which of Google's releases a set of arrays is, and how its names become ours.

arrays by name ─▶ recognise ─▶ naming, RT1Config ─▶ with_normalisation ─▶ place ─▶ state dict
                  (shapes)     which release,       (mean, std)
                               which of its sizes
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from sayact.models.layers.efficientnet import IMAGENET_MEAN, IMAGENET_STD
from sayact.models.released import naming_flax, naming_tensorflow
from sayact.models.released.naming_flax import flax
from sayact.models.released.naming_tensorflow import NORMALISATION, tensorflow
from sayact.models.released.variables import Variable, faults, place, release, require_fit
from sayact.models.rt1 import RT1Config
from sayact.models.shapes import FLAX, PAPER, PUBLISHED
from sayact.schema.errors import CheckpointError

__all__ = [
    "NAMINGS",
    "Naming",
    "Recognised",
    "Variable",
    "flax",
    "place",
    "recognise",
    "release",
    "require_fit",
    "tensorflow",
    "with_normalisation",
]

Naming = Literal["tensorflow", "flax"]
NAMINGS: dict[Naming, Callable[[RT1Config], tuple[Variable, ...]]] = {
    "tensorflow": tensorflow,
    "flax": flax,
}

# Keras' Normalization divides by at least this.
SMALLEST_DEVIATION = 1e-7
# How far a constant that went through float32 and back may lie from what it was.
FLOAT_NOISE = 1e-6


class Recognised(NamedTuple):
    """A release, the config its arrays have, and that config's published name if it has one."""

    naming: Naming
    config: RT1Config
    shape: str | None


@dataclass(frozen=True, kw_only=True)
class _Signs:
    """Where a release shows its sizes: `axes` names the array and axis that each is the length of.

    `layers` is how the names of a block begin, up to its number.
    """

    start: RT1Config
    layers: str
    axes: dict[str, tuple[str, int]]


_SIGNS: dict[Naming, _Signs] = {
    "tensorflow": _Signs(
        start=PAPER,
        layers=naming_tensorflow.LAYERS,
        axes={
            "sentence": (f"{naming_tensorflow.TOKENIZER}/film_layer/_projection_add/kernel", 0),
            "token_width": (f"{naming_tensorflow.TOKENIZER}/conv1x1/kernel", 3),
            "image_tokens": (f"{naming_tensorflow.LEARNER}/mlp/_output_layer/kernel", 1),
            "positions": ("_transformer/_position_emb/kernel", 0),
            "width": ("_transformer/_position_emb/kernel", 1),
            "bins": ("_transformer/_output_tokens/kernel", 1),
            "heads": (f"{naming_tensorflow.LAYERS}0/mha1/_query_dense/kernel", 1),
            "head_dim": (f"{naming_tensorflow.LAYERS}0/mha1/_query_dense/kernel", 2),
        },
    ),
    "flax": _Signs(
        start=FLAX,
        layers=naming_flax.LAYERS,
        axes={
            "sentence": (f"params/{naming_flax.TOKENIZER}/FilmConditioning_0/Dense_0/kernel", 0),
            "token_width": (f"params/{naming_flax.TOKENIZER}/Conv_0/kernel", 3),
            "image_tokens": (f"{naming_flax.LEARNER}/token_masking/Dense_1/kernel", 1),
            "positions": (f"{naming_flax.TRANSFORMER}/Dense_1/kernel", 0),
            "width": (f"{naming_flax.TRANSFORMER}/Dense_1/kernel", 1),
            "bins": (f"{naming_flax.TRANSFORMER}/Dense_2/kernel", 1),
            "heads": (f"{naming_flax.LAYERS}0/MultiHeadDotProductAttention_0/query/kernel", 1),
            "head_dim": (f"{naming_flax.LAYERS}0/MultiHeadDotProductAttention_0/query/kernel", 2),
            "hidden": (f"{naming_flax.LAYERS}0/Dense_0/kernel", 1),
        },
    ),
}


def recognise(shapes: Mapping[str, Sequence[int]]) -> Recognised:
    """The release and the sizes of a set of arrays, given the shape of each by name.

    The backbone is EfficientNet-B3 and an action has 11 numbers in both releases. The TensorFlow
    one sees 9 × 9 places and the flax one 10 × 10, which no array tells; the names do.
    Raises CheckpointError where this is neither release, or where anything is missing, extra or of
    another shape: measured against the published shape that it is nearest to.
    """
    naming = _naming(shapes)
    signs, names = _SIGNS[naming], NAMINGS[naming]
    distinct = dict.fromkeys(PUBLISHED.values())  # rt1simreal has rt1main's
    published = [c for c in distinct if c.backbone == signs.start.backbone]
    read = _read_sizes(signs, shapes)
    # Published ones first: of two that are equally far, the faults against that one say more.
    candidates = published if read is None else [*published, read]
    config = min(candidates, key=lambda c: len(faults(shapes, names(c))))
    require_fit(shapes, names(config))
    return Recognised(naming, config, next((n for n, c in PUBLISHED.items() if c == config), None))


def _naming(shapes: Mapping[str, Sequence[int]]) -> Naming:
    """The release whose names there are more of; a few of them are enough to tell."""
    known = {n: sum(name in shapes for name, _ in s.axes.values()) for n, s in _SIGNS.items()}
    if not any(known.values()):
        first = ", ".join(sorted(shapes)[:3]) or "none at all"
        expected = " or ".join(signs.axes["bins"][0] for signs in _SIGNS.values())
        raise CheckpointError(
            f"these {len(shapes)} variables are of no released RT-1 (the first: {first}). One "
            f"would have {expected}. Give a checkpoint that Google released, or one of its kind."
        )
    return "tensorflow" if known["tensorflow"] >= known["flax"] else "flax"


def _read_sizes(signs: _Signs, shapes: Mapping[str, Sequence[int]]) -> RT1Config | None:
    """The config that the arrays themselves tell; None where they do not tell it whole."""
    if not all(len(shapes.get(name, ())) > axis for name, axis in signs.axes.values()):
        return None
    sizes = {size: shapes[name][axis] for size, (name, axis) in signs.axes.items()}
    frame = sizes["image_tokens"] + signs.start.action_dims
    frames, rest = divmod(sizes.pop("positions"), frame)
    if rest or min(frames, *sizes.values()) < 1:
        return None
    blocks = (name.removeprefix(signs.layers) for name in shapes if name.startswith(signs.layers))
    layers = len({block.partition("/")[0] for block in blocks})
    return replace(signs.start, frames=frames, layers=layers, **sizes)


def with_normalisation(config: RT1Config, variables: Mapping[str, np.ndarray]) -> RT1Config:
    """The config with the mean and deviation that a TensorFlow release subtracts and divides by.

    Keras normalises twice: by the mean and variance it has stored, then by the square root of
    ImageNet's deviation. The released files hold the deviation where the variance belongs, so that
    both together make one ordinary normalisation. Others would not, and are kept as they are.
    """
    if f"{NORMALISATION}/mean" not in variables:
        return config
    mean = np.asarray(variables[f"{NORMALISATION}/mean"], np.float64)
    variance = np.asarray(variables[f"{NORMALISATION}/variance"], np.float64)
    std = np.maximum(np.sqrt(variance), SMALLEST_DEVIATION) * np.sqrt(IMAGENET_STD)
    ordinary = np.allclose(mean, IMAGENET_MEAN, rtol=FLOAT_NOISE) and np.allclose(
        std, IMAGENET_STD, rtol=FLOAT_NOISE
    )
    if ordinary:
        return config
    backbone = replace(config.backbone, mean=tuple(mean.tolist()), std=tuple(std.tolist()))
    return replace(config, backbone=backbone)
