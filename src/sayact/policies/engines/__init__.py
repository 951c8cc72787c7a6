"""What computes RT-1's two networks: PyTorch, OpenVINO or ONNX Runtime."""

from sayact.policies.engines.engine import BatchEngine, Engine
from sayact.policies.engines.onnx_engine import OnnxEngine
from sayact.policies.engines.openvino_engine import OpenVinoEngine
from sayact.policies.engines.pytorch import StreamlinedEngine, TorchEngine

__all__ = [
    "BatchEngine",
    "Engine",
    "OnnxEngine",
    "OpenVinoEngine",
    "StreamlinedEngine",
    "TorchEngine",
]
