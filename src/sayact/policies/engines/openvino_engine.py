"""RT-1 computed by OpenVINO: the fastest on a CPU, in float32, bfloat16 or with int8 weights."""

# Half of these libraries' types are unknown to a strict checker.
# pyright: standard

import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor, nn

from sayact.models.rt1 import RT1, RT1Config
from sayact.policies.engines.graph_engine import (
    GRAPHS,
    OUTPUTS,
    GraphEngine,
    GraphName,
    Precision,
    example_inputs,
    streamlined,
)
from sayact.schema.errors import MissingExtraError

# int8: activations are rounded while computing, in groups of so many with a scale each.
ROUNDED_TOGETHER = 128
# Matrices with fewer rows than this are not worth rounding.
FEW_ROWS = 64

log = logging.getLogger(__name__)


class OpenVinoEngine(GraphEngine):
    """Three compiled graphs, on as many threads as PyTorch would use."""

    EXTRA = "fast"
    PRECISIONS: tuple[Precision, ...] = ("float32", "bfloat16", "int8")

    def __init__(self, config: RT1Config, folder: Path, precision: Precision) -> None:
        super().__init__(config)
        openvino = import_openvino()
        core = openvino.Core()
        options = self._options(precision)
        self._graphs: dict[GraphName, Any] = {
            name: core.compile_model(folder / f"{name}.xml", "CPU", options) for name in GRAPHS
        }
        self._requests: dict[GraphName, Any] = {
            name: graph.create_infer_request() for name, graph in self._graphs.items()
        }

    @staticmethod
    def files() -> list[str]:
        """What `write` leaves, by name."""
        return [f"{name}.{suffix}" for name in GRAPHS for suffix in ("xml", "bin")]

    @staticmethod
    def write(model: RT1, picture: tuple[int, int], folder: Path, precision: Precision) -> None:
        """The graphs as OpenVINO's files; `picture` is height and width of what comes in."""
        openvino = import_openvino()
        graphs = streamlined(model)
        examples = example_inputs(model, graphs, picture)
        for name, graph in graphs.items():
            converted = _converted(graph, examples[name], OUTPUTS[name])
            if precision == "int8" and name == "window":
                round_weights(converted)
            # With float16 for storage a rounding would come on top of the one asked for.
            openvino.save_model(converted, folder / f"{name}.xml", compress_to_fp16=False)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of all inputs and outputs, by name; compiling gives some of them others besides."""
        return {
            f"{graph}.{name}": tuple(x.shape)
            for graph, compiled in self._graphs.items()
            for x in (*compiled.inputs, *compiled.outputs)
            for name in x.names
        }

    def compute(self, graph: GraphName, *inputs: np.ndarray) -> Float32[np.ndarray, "..."]:
        request = self._requests[graph]
        request.infer(dict(enumerate(inputs)), share_inputs=True)
        return request.get_output_tensor(0).data.copy()  # the next call writes there again

    def _options(self, precision: Precision) -> dict[str, str]:
        hint = "f32"
        if precision != "float32":
            if has_bfloat16():
                hint = "bf16"
            else:
                log.warning("this processor has no bfloat16: its part is computed in float32")
        return {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": str(torch.get_num_threads()),
            "INFERENCE_PRECISION_HINT": hint,
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": str(ROUNDED_TOGETHER if precision == "int8" else 0),
        }


def has_bfloat16() -> bool:
    """Whether OpenVINO can compute in bfloat16 on this processor."""
    core = import_openvino().Core()
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def round_weights(graph: Any) -> None:
    """Replace the matrices of an OpenVINO graph by int8 with one scale a row (symmetric)."""
    from openvino import opset13 as operations

    for node in graph.get_ops():
        if node.get_type_name() != "MatMul" or not node.get_attributes()["transpose_b"]:
            continue
        constant = node.input_value(1).get_node()
        if constant.get_type_name() != "Constant" or constant.data.shape[0] < FEW_ROWS:
            continue
        scale = np.abs(constant.data).max(1, keepdims=True) / 127
        rounded = np.round(constant.data / np.where(scale > 0, scale, 1)).astype(np.int8)
        weights = operations.convert(operations.constant(rounded), "f32")
        weights = operations.multiply(weights, operations.constant(scale.astype(np.float32)))
        node.input(1).replace_source_output(weights.output(0))


def _converted(graph: nn.Module, inputs: Mapping[str, Tensor], output: str) -> Any:
    """An OpenVINO graph of fixed shapes, its inputs and its output named.

    Made by the parts that `openvino.convert_model` is made of: that function also reports every
    conversion to its makers over the network, unasked.
    """
    import openvino
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that shapes are fixed is what we want
        traced = torch.jit.trace(graph, tuple(inputs.values()), check_trace=False)
        decoder = TorchScriptPythonDecoder(traced, example_input=tuple(inputs.values()))
    front = FrontEndManager().load_by_framework("pytorch")
    converted = front.convert(front.load(decoder))
    converted.outputs[0].get_tensor().set_names({output})
    for entry, (name, example) in zip(converted.inputs, inputs.items(), strict=True):
        entry.get_tensor().set_names({name})
        node = entry.get_node()
        node.set_partial_shape(openvino.PartialShape(list(example.shape)))
        node.set_element_type(openvino.Type(example.numpy().dtype))
    converted.validate_nodes_and_infer_types()
    return converted


def import_openvino() -> Any:
    try:
        import openvino
    except ImportError as error:
        raise MissingExtraError("openvino", OpenVinoEngine.EXTRA) from error
    return openvino
