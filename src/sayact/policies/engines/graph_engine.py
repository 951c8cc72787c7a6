"""What engines over the three streamlined graphs share: which graph runs when, and on what."""

import copy
from abc import ABC, abstractmethod
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn

from sayact.models.rt1 import RT1, RT1Config
from sayact.policies.engines.streamlined import Frame, Steering, Window

Precision = Literal["float32", "bfloat16", "int8"]
GraphName = Literal["steering", "frame", "window"]
GRAPHS: tuple[GraphName, ...] = ("steering", "frame", "window")


class GraphEngine(ABC):
    """Runs `Steering` when the sentence changes, `Frame` and `Window` once a frame each."""

    def __init__(self, config: RT1Config) -> None:
        self._config = config
        self._sentence: np.ndarray | None = None  # the one that `_steering` belongs to
        self._steering: np.ndarray = np.zeros(0, np.float32)

    @property
    def config(self) -> RT1Config:
        return self._config

    def tokenize(
        self, pixels: UInt8[np.ndarray, "3 H W"], sentence: Float32[np.ndarray, "E"]
    ) -> Float32[np.ndarray, "K D"]:
        if self._sentence is None or not np.array_equal(sentence, self._sentence):
            self._steering = self.compute("steering", sentence[None])
            self._sentence = sentence.copy()
        return self.compute("frame", pixels[None], self._steering)[0]

    def decode(self, tokens: Float32[np.ndarray, "T K D"]) -> Float32[np.ndarray, "A V"]:
        seen = len(tokens)
        window = np.zeros((1, self._config.frames, *tokens.shape[1:]), np.float32)
        window[0, :seen] = tokens
        return self.compute("window", window, np.array([seen - 1]))

    @abstractmethod
    def compute(self, graph: GraphName, *inputs: np.ndarray) -> Float32[np.ndarray, "..."]:
        """The one output of a graph, in an array that nobody else writes to."""


def streamlined(model: RT1) -> dict[GraphName, nn.Module]:
    """The three graphs of a network, as modules for inference; `model` stays as it is."""
    model = copy.deepcopy(model).cpu().float()
    graphs: dict[GraphName, nn.Module] = {
        "steering": Steering(model.tokenizer),
        "frame": Frame(model.tokenizer),
        "window": Window(model),
    }
    return {name: graph.eval().requires_grad_(False) for name, graph in graphs.items()}


def example_inputs(
    model: RT1, graphs: dict[GraphName, nn.Module], picture: tuple[int, int]
) -> dict[GraphName, dict[str, Tensor]]:
    """Named inputs of the shapes that the graphs will always see; `picture` is height, width."""
    config, frame = model.config, graphs["frame"]
    assert isinstance(frame, Frame)
    tokens = torch.zeros(1, config.frames, config.image_tokens, config.token_width)
    return {
        "steering": {"sentence": torch.zeros(1, config.sentence)},
        "frame": {
            "pixels": torch.zeros(1, 3, *picture, dtype=torch.uint8),
            "steering": torch.zeros(1, frame.steering),
        },
        "window": {"tokens": tokens, "slot": torch.zeros(1, dtype=torch.int64)},
    }
