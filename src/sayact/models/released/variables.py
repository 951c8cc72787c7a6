"""One released array ⇄ one tensor of ours: layouts there and back, and whole state dicts.

TensorFlow and flax lay their kernels out with the output last, ours come first; attention kernels
have an axis of heads there that is folded into the width here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from sayact.models.layers.efficientnet import IMAGENET_MEAN, IMAGENET_STD
from sayact.models.rt1 import RT1, RT1Config
from sayact.schema.errors import CheckpointError

Layout = Literal["same", "dense", "convolution", "depthwise", "into heads", "out of heads"]

# For each layout, which released axis comes first, second, … in ours, before heads are folded.
AXES: dict[Layout, tuple[int, ...] | None] = {
    "same": None,  # vectors, the table of positions, and the biases of heads, (heads, dim)
    "dense": (1, 0),  # (in, out)
    "convolution": (3, 2, 0, 1),  # (height, width, in, out)
    "depthwise": (2, 3, 0, 1),  # (height, width, channels, 1)
    "into heads": (1, 2, 0),  # (width, heads, dim)
    "out of heads": (2, 0, 1),  # (heads, dim, width)
}


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A released array: its name and shape there, and where it goes.

    `ours` is a name in `RT1.state_dict()`, or None where no tensor is made of the array: constants
    of the normalisation, and dead weights, which may be absent.
    """

    theirs: str
    shape: tuple[int, ...]
    ours: str | None
    layout: Layout = "same"
    dead: bool = False

    def to_ours(self, released: np.ndarray, shape: Sequence[int]) -> np.ndarray:
        """The released array in our layout."""
        axes = AXES[self.layout]
        turned = released if axes is None else released.transpose(axes)
        return turned.reshape(shape)

    def to_theirs(self, ours: np.ndarray) -> np.ndarray:
        """The inverse of `to_ours`."""
        axes = AXES[self.layout]
        if axes is None:
            return ours.reshape(self.shape)
        unfolded = ours.reshape([self.shape[axis] for axis in axes])
        return unfolded.transpose(np.argsort(axes))


class Names:
    """Collects the variables of one release, in the order they are added.

    The shapes come from the network that the config builds, on a device that holds no numbers.
    """

    def __init__(self, config: RT1Config) -> None:
        self.heads = (config.heads, config.head_dim)
        self.model = blank(config)
        self.shapes = {name: tuple(v.shape) for name, v in self.model.state_dict().items()}
        self.variables: list[Variable] = []

    def add(self, ours: str, theirs: str, layout: Layout = "same") -> None:
        shape, axes = self.shapes[ours], AXES[layout]
        if axes is not None:
            if layout == "into heads":
                shape = (*self.heads, shape[1])
            elif layout == "out of heads":
                shape = (shape[0], *self.heads)
            shape = tuple(shape[axis] for axis in np.argsort(axes))
        self.variables.append(Variable(theirs=theirs, shape=shape, ours=ours, layout=layout))

    def add_head_bias(self, ours: str, theirs: str) -> None:
        self.variables.append(Variable(theirs=theirs, shape=self.heads, ours=ours))

    def add_constant(self, theirs: str, *shape: int) -> None:
        self.variables.append(Variable(theirs=theirs, shape=shape, ours=None))

    def add_dead(self, theirs: str, *shape: int) -> None:
        self.variables.append(Variable(theirs=theirs, shape=shape, ours=None, dead=True))

    def dense(self, ours: str, theirs: str, layout: Layout = "dense", bias: bool = True) -> None:
        """A layer that keeps a kernel and a bias, by the names both releases use."""
        self.add(f"{ours}.weight", f"{theirs}/kernel", layout)
        if bias:
            self.add(f"{ours}.bias", f"{theirs}/bias")

    def into_heads(self, ours: str, theirs: str) -> None:
        """A query, key or value projection."""
        self.add(f"{ours}.weight", f"{theirs}/kernel", "into heads")
        self.add_head_bias(f"{ours}.bias", f"{theirs}/bias")


def blank(config: RT1Config) -> RT1:
    """The network without its numbers: names and shapes cost no memory and no time."""
    with torch.device("meta"):
        return RT1(config)


def place(
    variables: Mapping[str, np.ndarray], names: Iterable[Variable], config: RT1Config
) -> dict[str, Tensor]:
    """Released arrays → a whole state dict of `RT1(config)`.

    Raises CheckpointError naming every variable that is missing, extra or of the wrong shape or
    dtype.
    """
    names = tuple(names)
    require_fit({name: np.shape(v) for name, v in variables.items()}, names)
    require_floating(variables, names)
    state: dict[str, Tensor] = {}
    ours = {v.ours: v for v in names if v.ours}
    for name, tensor in blank(config).state_dict().items():
        if name.endswith("num_batches_tracked"):  # batch norm's count, for a momentum never used
            state[name] = torch.zeros((), dtype=torch.int64)
            continue
        array = ours[name].to_ours(variables[ours[name].theirs], tensor.shape)
        state[name] = torch.tensor(np.ascontiguousarray(array, np.float32))
    return state


def require_fit(shapes: Mapping[str, Sequence[int]], names: Iterable[Variable]) -> None:
    """Raises CheckpointError naming every variable that is missing, extra or of the wrong shape."""
    _refuse(faults(shapes, names))


def require_floating(variables: Mapping[str, np.ndarray], names: Iterable[Variable]) -> None:
    """Raises CheckpointError naming every variable of other numbers than floating point ones."""
    wanted = [v.theirs for v in names if not v.dead]
    _refuse(
        [
            f"wrong dtype: {name} is {variables[name].dtype}, should be floating"
            for name in wanted
            if not np.issubdtype(variables[name].dtype, np.floating)
        ]
    )


def _refuse(found: list[str]) -> None:
    """The lines in the middle are indented: the list of what is wrong."""
    if found:
        subject = "1 variable does" if len(found) == 1 else f"{len(found)} variables do"
        raise CheckpointError(
            f"{subject} not fit the released network.\n  "
            + "\n  ".join(found)
            + "\nGive the whole checkpoint, as released; nothing is guessed or left out."
        )


def faults(shapes: Mapping[str, Sequence[int]], names: Iterable[Variable]) -> list[str]:
    """What keeps arrays of these shapes from being the network with these names, a line each."""
    expected = {v.theirs: v for v in names}
    missing = [
        f"missing: {name}, shape {v.shape}"
        for name, v in expected.items()
        if name not in shapes and not v.dead
    ]
    misshapen = [
        f"wrong shape: {name} is {tuple(shapes[name])}, should be {v.shape}"
        for name, v in expected.items()
        if name in shapes and tuple(shapes[name]) != v.shape
    ]
    extra = [
        f"extra: {name}, shape {tuple(shape)}"
        for name, shape in shapes.items()
        if name not in expected
    ]
    return missing + misshapen + extra


def release(state: Mapping[str, Tensor], names: Iterable[Variable]) -> dict[str, np.ndarray]:
    """The inverse of `place`: a state dict as the arrays that Google would have released.

    Dead weights become zeros, and the pictures are normalised as by ImageNet.
    """
    constants = {"mean": IMAGENET_MEAN, "variance": IMAGENET_STD}
    released: dict[str, np.ndarray] = {}
    for variable in names:
        leaf = variable.theirs.rpartition("/")[2]
        if variable.ours is not None:
            array = variable.to_theirs(state[variable.ours].numpy(force=True)).copy("C")
        elif leaf == "count":
            array = np.zeros(variable.shape, np.int64)
        else:
            array = np.full(variable.shape, constants.get(leaf, 0.0), np.float32)
        released[variable.theirs] = array
    return released
