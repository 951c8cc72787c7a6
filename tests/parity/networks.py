"""Our network with the released weights, and the pictures it was asked about."""

import json
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from parity.weights import Rule, pictures, sentence, weights
from sayact.models.released.naming import Variable, place
from sayact.models.rt1 import RT1, RT1Config

Released = dict[str, np.ndarray]


@dataclass(frozen=True)
class Window:
    """Frames as bytes, and the one sentence they are seen with."""

    pixels: Tensor  # (T, 3, H, W)
    context: Tensor  # (1, 512)

    @classmethod
    def of(cls, seed: str, frames: int, height: int, width: int) -> "Window":
        scene = pictures(seed, frames, height, width).transpose(0, 3, 1, 2)
        context = torch.from_numpy(sentence(seed))[None]
        return cls(torch.from_numpy(np.ascontiguousarray(scene)), context)

    @property
    def contexts(self) -> Tensor:
        """(T, 512)"""
        return self.context.expand(len(self.pixels), -1)


def network(
    config: RT1Config, names: tuple[Variable, ...], seed: str, rules: tuple[Rule, ...]
) -> RT1:
    """Through the code that imports checkpoints, which is so tested too."""
    model = RT1(config)
    model.load_state_dict(place(weights(seed, names, rules), names, config))
    return model.channels_last("cpu").eval()


class Outputs:
    """Keeps what some modules answer, as arrays with channels last, frame by frame."""

    def __init__(self, **modules: nn.Module) -> None:
        self.seen: dict[str, np.ndarray] = {}
        self._hooks = [
            module.register_forward_hook(partial(self._keep, name))
            for name, module in modules.items()
        ]

    def _keep(self, name: str, _module: nn.Module, _given: object, answer: Tensor) -> None:
        self.seen[name] = answer.detach().permute(0, 2, 3, 1).numpy()

    def __enter__(self) -> dict[str, np.ndarray]:
        return self.seen

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()


def meta(released: Released) -> dict[str, Any]:
    """Where the answers came from, and sums of what was asked."""
    return json.loads(str(released["meta"]))
