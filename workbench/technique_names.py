"""Made from the registry by ``make stubs``: names of techniques, for editors to complete."""

from typing import Literal

TechniqueName = Literal[
    "structure.clustering",
    "structure.depth",
    "structure.low_rank",
    "structure.pruning",
    "structure.sparsity",
    "structure.width",
    "training.retrain",
    "inference.fold",
    "inference.grid",
    "inference.runtime",
    "inference.tensorrt",
    "quantization.dynamic_range",
    "quantization.float16",
    "quantization.int16x8",
    "quantization.int4_weights",
    "quantization.int8",
    "quantization.int8_weights",
    "quantization.keras",
    "quantization.litert_int8",
    "quantization.mixed_precision",
    "quantization.onnx_int8",
    "quantization.openvino_int8",
    "quantization.qat",
    "distillation.distill",
]
"""What :meth:`workbench.Workbench.apply` takes; a package may bring more."""
