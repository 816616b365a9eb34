"""Made from the registry by ``make stubs``: names of techniques, for editors to complete."""

from typing import Literal

TechniqueName = Literal[
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
    "inference.fold",
    "inference.grid",
    "inference.runtime",
    "inference.tensorrt",
    "structure.clustering",
    "structure.dead_units",
    "structure.depth",
    "structure.low_rank",
    "structure.pruning",
    "structure.sparsity",
    "structure.width",
    "distillation.distill",
    "training.retrain",
]
"""What :meth:`workbench.Workbench.apply` takes; a package may bring more."""
