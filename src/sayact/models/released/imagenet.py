"""ImageNet weights of an EfficientNet-B3, from where people have them, as RT-1's backbone.

    Hugging Face   google/efficientnet-b3: a folder with model.safetensors
    torchvision    efficientnet_b3: .pth (read with weights_only, so nothing is unpickled) or
                   .safetensors
    Keras          efficientnetb3_notop.h5
    Sayact         what `import_backbone` wrote: our names in a .safetensors

FiLM layers are not in there: they start as the identity, which leaves the network as it was.

Keras and Hugging Face pad stride-2 convolutions by TensorFlow's SAME rule at the 300 pixels they
were trained at: that is `padding="same"` of our backbone. RT-1's "keras" padding differs from it in
two blocks, torchvision's in all five of stride 2. Training goes on from these weights either way.
"""

import logging
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from sayact.models.layers.efficientnet import B3, NORM_EPS, EfficientNet, EfficientNetConfig
from sayact.models.released.backbone_names import SIGNS, names_of
from sayact.models.released.files import refuse_pointer
from sayact.models.released.variables import Variable, require_fit
from sayact.models.rt1 import RT1
from sayact.schema.errors import CheckpointError, MissingExtraError

logger = logging.getLogger(__name__)

HUGGING_FACE_FILE = "model.safetensors"
# What torch.load raises on a file that is none of its own: it reads pickles opcode by opcode.
UNREADABLE_PICKLE = (UnpicklingError, RuntimeError, EOFError, LookupError, ValueError, TypeError)
TORCHVISION_EPS = 1e-5  # PyTorch's default, which efficientnet_b0 … b4 keep there


@dataclass(frozen=True, kw_only=True)
class Backbone:
    """What `import_backbone` wrote."""

    layout: str
    tensors: int
    parameters: int
    out: Path


def import_backbone(path: Path, out: Path) -> Backbone:
    """Write the weights at `path` to the .safetensors file `out`, by our names."""
    if out.suffix != ".safetensors":
        raise CheckpointError(f"the backbone is kept as .safetensors; --out names {out}")
    layout, weights = _read(path, B3)
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, new = tempfile.mkstemp(prefix=f".{out.name}-", dir=out.parent)
    os.close(handle)
    save_file(weights, new, metadata={"network": "efficientnet-b3", "layout": layout})
    Path(new).chmod(0o644)
    Path(new).replace(out)
    count = sum(tensor.numel() for tensor in weights.values())
    return Backbone(layout=layout, tensors=len(weights), parameters=count, out=out)


def load_backbone(model: RT1, path: Path) -> str:
    """Put the weights at `path` into the backbone of `model`; returns whose layout they had."""
    layout, weights = _read(path, model.config.backbone)
    model.tokenizer.backbone.load_state_dict(weights, strict=False)
    logger.info("backbone: ImageNet weights in the layout of %s from %s", layout, path)
    return layout


def backbone_weights(path: Path, config: EfficientNetConfig = B3) -> dict[str, Tensor]:
    """Weights by the names of `EfficientNet.state_dict()`, without FiLM and batch counts.

    Raises CheckpointError listing every variable that is missing, extra or of another shape.
    """
    return _read(path, config)[1]


def _read(path: Path, config: EfficientNetConfig) -> tuple[str, dict[str, Tensor]]:
    wanted = _wanted(config)
    given = {n: v for n, v in _read_file(path).items() if not n.endswith("num_batches_tracked")}
    layout = next((key for key, sign in SIGNS.items() if sign in given), None)
    if layout is None:
        first = ", ".join(sorted(given)[:3]) or "nothing"
        raise CheckpointError(
            f"{path} holds no EfficientNet of a known layout ({', '.join(SIGNS)}); it begins with "
            f"{first}"
        )
    names = names_of(layout, config, wanted)
    weights = _matched(path, given, names, wanted)
    if layout == "torchvision":
        weights = _with_our_eps(weights)
    return layout, weights


def _wanted(config: EfficientNetConfig) -> dict[str, tuple[int, ...]]:
    """Shapes of our weights that ImageNet trains."""
    with torch.device("meta"):
        state = EfficientNet(config, context=1).state_dict()
    return {
        name: tuple(tensor.shape)
        for name, tensor in state.items()
        if ".film." not in name and not name.endswith("num_batches_tracked") and name != "position"
    }


def _read_file(path: Path) -> dict[str, Tensor]:
    """Tensors by their names, in PyTorch's layout of axes."""
    if path.is_dir():
        if not (path / HUGGING_FACE_FILE).exists():
            raise CheckpointError(
                f"{path} has no {HUGGING_FACE_FILE}. Where it has pytorch_model.bin, transformers "
                "converts it: EfficientNetModel.from_pretrained(folder).save_pretrained(folder)"
            )
        path = path / HUGGING_FACE_FILE
    refuse_pointer(path)
    try:
        if path.suffix in (".h5", ".hdf5"):
            return _read_keras(path)
        if path.suffix in (".pth", ".pt"):
            return torch.load(path, map_location="cpu", weights_only=True)
        prefix = "efficientnet."  # before the names of a classifier's backbone
        return {n.removeprefix(prefix): v for n, v in load_file(path).items()}
    except (SafetensorError, OSError, *UNREADABLE_PICKLE) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error


def _read_keras(path: Path) -> dict[str, Tensor]:
    """Keras keeps LAYER/LAYER/kernel:0, output axis last."""
    try:
        import h5py
    except ImportError as error:
        raise MissingExtraError("h5py", "import") from error

    found: dict[str, Tensor] = {}

    def keep(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            layer, leaf = name.split("/")[-2:]
            leaf = leaf.split(":")[0]
            array = np.asarray(item, np.float32)
            axes = KERAS_AXES.get(leaf)
            if axes is not None and array.ndim == len(axes):
                array = array.transpose(axes)
            name = KERAS_LEAVES.get(leaf, leaf)
            found[f"{layer}.{name}"] = torch.from_numpy(np.ascontiguousarray(array))

    with h5py.File(path, "r") as file:
        file.visititems(keep)
    return found


KERAS_LEAVES = {
    "kernel": "weight",
    "depthwise_kernel": "weight",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
KERAS_AXES = {"kernel": (3, 2, 0, 1), "depthwise_kernel": (2, 3, 0, 1)}


# What classifies, and Keras' own preparation of pictures: known, and not needed.
UNUSED = ("classifier.", "predictions.", "normalization", "rescaling", "top_dropout")


def _matched(
    path: Path,
    given: Mapping[str, Tensor],
    names: Mapping[str, str],
    wanted: Mapping[str, tuple[int, ...]],
) -> dict[str, Tensor]:
    variables = [Variable(theirs=n, shape=wanted[ours], ours=ours) for ours, n in names.items()]
    shapes = {n: tuple(v.shape) for n, v in given.items() if not n.startswith(UNUSED)}
    try:
        require_fit(shapes, variables)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    return {ours: given[name].float().contiguous() for ours, name in names.items()}


def _with_our_eps(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Batch norms of another eps, scaled so that with ours they give the same numbers.

    γ / √(v + eps) is kept: the same while the running statistics are used, as in acting.
    """
    scaled = dict(weights)
    for name, variance in weights.items():
        if name.endswith("running_var"):
            gamma = name.replace("running_var", "weight")
            ratio = (variance.double() + NORM_EPS) / (variance.double() + TORCHVISION_EPS)
            scaled[gamma] = (weights[gamma].double() * ratio.sqrt()).float()
    return scaled
