"""RT-1 computed by ONNX Runtime, from files that most inference software can read."""

# Half of these libraries' types are unknown to a strict checker.
# pyright: standard

import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

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

OPSET = 17  # of 2022: LayerNormalization is one operation from here on


class OnnxEngine(GraphEngine):
    """Three sessions, on as many threads as PyTorch would use."""

    EXTRA = "onnx"
    PRECISIONS: tuple[Precision, ...] = ("float32", "int8")

    def __init__(self, config: RT1Config, folder: Path, precision: Precision) -> None:
        super().__init__(config)
        runtime = import_runtime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        # Like OpenMP's, its threads would wait by spinning.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._sessions: dict[GraphName, Any] = {
            name: runtime.InferenceSession(
                folder / f"{name}.onnx", options, providers=["CPUExecutionProvider"]
            )
            for name in GRAPHS
        }
        self._inputs: dict[GraphName, list[str]] = {
            name: [x.name for x in session.get_inputs()] for name, session in self._sessions.items()
        }

    @staticmethod
    def files() -> list[str]:
        """What `write` leaves, by name."""
        return [f"{name}.onnx" for name in GRAPHS]

    @staticmethod
    def write(model: RT1, picture: tuple[int, int], folder: Path, precision: Precision) -> None:
        """The graphs as ONNX files; `picture` is height and width of what comes in."""
        import_runtime()
        graphs = streamlined(model)
        examples = example_inputs(model, graphs, picture)
        for name, graph in graphs.items():
            file = folder / f"{name}.onnx"
            with torch.no_grad(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that shapes are fixed is what we want
                # The newer exporter (dynamo) needs another package, and adds nothing here.
                torch.onnx.export(
                    graph,
                    tuple(examples[name].values()),
                    file,
                    input_names=list(examples[name]),
                    output_names=[OUTPUTS[name]],
                    opset_version=OPSET,
                    dynamo=False,
                )
            if precision == "int8" and name == "window":
                round_weights(file)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of all inputs and outputs, by name."""
        return {
            f"{graph}.{x.name}": tuple(x.shape)
            for graph, session in self._sessions.items()
            for x in (*session.get_inputs(), *session.get_outputs())
        }

    def compute(self, graph: GraphName, *inputs: np.ndarray) -> Float32[np.ndarray, "..."]:
        named = dict(zip(self._inputs[graph], inputs, strict=True))
        return self._sessions[graph].run(None, named)[0]


def round_weights(file: Path) -> None:
    """Matrices become int8 with one scale a row; activations are rounded while computing."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    rounded = file.with_suffix(".int8")
    logging.getLogger().addFilter(_about_preprocessing)
    try:
        quantize_dynamic(
            file,
            rounded,
            weight_type=QuantType.QInt8,
            per_channel=True,
            op_types_to_quantize=["MatMul", "Gemm"],
        )
    finally:
        logging.getLogger().removeFilter(_about_preprocessing)
    rounded.replace(file)


def import_runtime() -> Any:
    for package in ("onnx", "onnxruntime"):
        try:
            __import__(package)
        except ImportError as error:
            raise MissingExtraError(package, OnnxEngine.EXTRA) from error
    import onnxruntime

    return onnxruntime


def _about_preprocessing(record: logging.LogRecord) -> bool:
    """Drop the advice to simplify the graph first; ours is simple."""
    return "pre-processing before quantization" not in record.getMessage()
