"""RT-1 computed by PyTorch: the reference, and the streamlined graphs without any other package."""

# Half of these libraries' types are unknown to a strict checker.
# pyright: standard

from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor, nn

from sayact.models.rt1 import RT1, RT1Config
from sayact.policies.engines.graph_engine import (
    GraphEngine,
    GraphName,
    Precision,
    streamlined,
)
from sayact.policies.engines.streamlined import Frame


class TorchEngine:
    """The network as it was trained, in float32: what every other engine is compared with."""

    def __init__(self, model: RT1, device: str = "cpu") -> None:
        self.model: RT1 = model.channels_last(device).eval()
        self.device = device

    @property
    def config(self) -> RT1Config:
        return self.model.config

    def tokenize(
        self, pixels: UInt8[np.ndarray, "3 H W"], sentence: Float32[np.ndarray, "E"]
    ) -> Float32[np.ndarray, "K D"]:
        return self.tokenize_many(pixels[None], sentence[None])[0]

    def decode(self, tokens: Float32[np.ndarray, "T K D"]) -> Float32[np.ndarray, "A V"]:
        return self.decode_many(tokens[None])[0]

    @torch.inference_mode()
    def tokenize_many(
        self, pixels: UInt8[np.ndarray, "N 3 H W"], sentences: Float32[np.ndarray, "N E"]
    ) -> Float32[np.ndarray, "N K D"]:
        frames = torch.as_tensor(pixels, device=self.device)
        context = torch.as_tensor(sentences, device=self.device)
        return self.model.tokenize(frames, context).cpu().numpy()

    @torch.inference_mode()
    def decode_many(self, tokens: Float32[np.ndarray, "N T K D"]) -> Float32[np.ndarray, "N A V"]:
        windows = torch.as_tensor(tokens, device=self.device)
        return self.model.decode(windows)[:, -1].float().cpu().numpy()


class StreamlinedEngine(GraphEngine):
    """The streamlined graphs, eager or compiled by `torch.compile` (which needs a C++ compiler)."""

    PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16")

    def __init__(
        self,
        model: RT1,
        precision: Precision = "float32",
        device: str = "cpu",
        compiled: bool = False,
    ) -> None:
        super().__init__(model.config)
        self._device = device
        self._dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
        self._graphs = streamlined(model)
        frame = self._graphs["frame"]
        assert isinstance(frame, Frame)
        backbone = frame.tokenizer.backbone
        mean, std = backbone.mean.clone(), backbone.std.clone()
        for graph in self._graphs.values():
            graph.to(device, self._dtype, memory_format=torch.channels_last)  # pyright: ignore
        # Pictures are resized and normalised in float32; rounding begins with the first layer.
        backbone.mean, backbone.std = mean.to(device), std.to(device)
        backbone.stem.register_forward_pre_hook(self._rounded)
        if compiled:
            for graph in self._graphs.values():
                graph.compile(dynamic=False)

    @torch.inference_mode()
    def compute(self, graph: GraphName, *inputs: np.ndarray) -> Float32[np.ndarray, "..."]:
        given = [torch.as_tensor(array, device=self._device) for array in inputs]
        given = [x.to(self._dtype) if x.is_floating_point() else x for x in given]
        return self._graphs[graph](*given).float().cpu().numpy()

    def _rounded(self, module: nn.Module, inputs: tuple[Any, ...]) -> tuple[Tensor, ...]:
        return tuple(x.to(self._dtype) for x in inputs)
