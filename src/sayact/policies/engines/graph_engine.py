"""What engines over the three streamlined graphs share: which graph runs when, and on what."""

import copy
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn

from sayact.models.rt1 import RT1, RT1Config
from sayact.policies.engines.streamlined import Frame, Steering, Window
from sayact.schema.errors import CheckpointError

Precision = Literal["float32", "bfloat16", "int8"]
GraphName = Literal["steering", "frame", "window"]
GRAPHS: tuple[GraphName, ...] = ("steering", "frame", "window")
# What each graph's one output is called in the files.
OUTPUTS: dict[GraphName, str] = {"steering": "steering", "frame": "tokens", "window": "logits"}


class GraphEngine(ABC):
    """Runs `Steering` when the sentence changes, `Frame` and `Window` once a frame each.

    Threads may share it: one computes at a time, since a graph has one place for its output.
    """

    def __init__(self, config: RT1Config) -> None:
        self._config = config
        self._steered: tuple[np.ndarray, np.ndarray] | None = None  # newest sentence, its steering
        self._one_at_a_time = threading.Lock()

    @property
    def config(self) -> RT1Config:
        return self._config

    def tokenize(
        self, pixels: UInt8[np.ndarray, "3 H W"], sentence: Float32[np.ndarray, "E"]
    ) -> Float32[np.ndarray, "K D"]:
        with self._one_at_a_time:
            if self._steered is None or not np.array_equal(sentence, self._steered[0]):
                self._steered = sentence.copy(), self.compute("steering", sentence[None])
            return self.compute("frame", pixels[None], self._steered[1])[0]

    def decode(self, tokens: Float32[np.ndarray, "T K D"]) -> Float32[np.ndarray, "A V"]:
        seen = len(tokens)
        window = np.zeros((1, self._config.frames, *tokens.shape[1:]), np.float32)
        window[0, :seen] = tokens
        with self._one_at_a_time:
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


def require_shapes(
    shapes: Mapping[str, tuple[int, ...]], config: RT1Config, picture: tuple[int, int]
) -> None:
    """Raises CheckpointError where graphs that were read are not those of `config`.

    shapes: of inputs and outputs by name, as "window.tokens".
    picture: height and width of what the processor gives.
    """
    wanted = {
        "steering.sentence": (1, config.sentence),
        "frame.pixels": (1, 3, *picture),
        "window.tokens": (1, config.frames, config.image_tokens, config.token_width),
        "window.logits": (config.action_dims, config.bins),
    }
    for name, shape in wanted.items():
        if shapes.get(name) != shape:
            raise CheckpointError(
                f"{name} has the shape {shapes.get(name)} in the graph, and {shape} by config.json "
                "and processor.json"
            )
