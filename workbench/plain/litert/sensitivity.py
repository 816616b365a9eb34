"""How much each layer of a float32 .tflite file suffers from quantization, measured one layer at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..measures import F1, Measure

FOUR_BIT_KERNELS = ("CONV_2D", "FULLY_CONNECTED", "EMBEDDING_LOOKUP")
"""Operations that the LiteRT quantizer has 4-bit weights for, whatever it computes with."""
FOUR_BIT_WEIGHTS = (*FOUR_BIT_KERNELS, "BATCH_MATMUL")
"""Those that it has 4-bit weights for where these are widened and computed with in float32."""
KERNELS = (*FOUR_BIT_WEIGHTS, "DEPTHWISE_CONV_2D", "CONV_2D_TRANSPOSE")
"""Operations with weights that it quantizes."""


@dataclass(frozen=True)
class Operation:
    """An operation of a .tflite file whose weights can be quantized.

    Attributes:
        kind: As the quantizer names it, such as ``CONV_2D``.
        scope: What its patterns are matched with: the names of its outputs.
        name: What a reader knows it by: the name of the Keras layer, where that is in the scope.
        weights: Number of values of its largest constant.
        again: Kind and scope of further operations with the same weights, as of a layer that is called twice.
    """

    kind: str
    scope: str
    name: str
    weights: int
    again: tuple[tuple[str, str], ...] = ()


def operations(path: Path | str) -> list[Operation]:
    """The operations of a float32 .tflite file that have weights to quantize, in order of execution.

    Those that share their weights are one, since the weights can have only one precision.
    """
    from ai_edge_litert import schema_py_generated as schema
    from litert_quantizer.utils import tfl_flatbuffer_utils

    model = tfl_flatbuffer_utils.read_model(str(path))
    graph = model.subgraphs[0]
    kinds = {value: name for name, value in vars(schema.BuiltinOperator).items() if name.isupper()}
    found: dict[int, Operation] = {}
    for operation in graph.operators:
        kind = kinds[model.operatorCodes[operation.opcodeIndex].builtinCode]
        kind = {"TRANSPOSE_CONV": "CONV_2D_TRANSPOSE"}.get(kind, kind)
        constants = [
            (int(np.prod(graph.tensors[index].shape)), graph.tensors[index].buffer)
            for index in operation.inputs
            if index >= 0
            and graph.tensors[index].type == schema.TensorType.FLOAT32
            and model.buffers[graph.tensors[index].buffer].data is not None
        ]
        if kind in KERNELS and constants:
            scope = tfl_flatbuffer_utils.get_op_scope(operation, graph.tensors)
            weights, buffer = max(constants)
            if (first := found.get(buffer)) is not None:
                found[buffer] = replace(first, again=(*first.again, (kind, scope)))
            else:
                found[buffer] = Operation(kind, scope, _layer_name(operation, graph), weights)
    return list(found.values())


def _layer_name(operation: Any, graph: Any) -> str:
    """The layer whose weights it has: model/layer_1/convolution."""
    names = [
        (graph.tensors[index].name or b"").decode()
        for index in [*operation.inputs[1:], *operation.outputs]
        if index >= 0
    ]
    parts = [part.split("/") for name in names for part in name.split(";") if part.count("/") > 1]
    # What multiplies, before a normalization that was folded into it.
    parts.sort(key=lambda part: not re.match(r"conv|depthwise|MatMul|einsum", part[-1]))
    return re.sub(r"_1$", "", parts[0][-2]) if parts else names[-1]


def quantize(
    source: Path | str, target: Path | str, bits: Mapping[str, int], calibration: Mapping[str, Any] | None
) -> None:
    """Quantizes some operations of a float32 file, and leaves the others in float32.

    Args:
        source: The float32 file.
        target: The file to write.
        bits: Bits of an operation's weights by its scope; what is not in it stays float32.
        calibration: Ranges of activations, to compute in int8; without, only weights are quantized.
    """
    from litert_quantizer.qtyping import TFLOperationName
    from litert_quantizer.quantizer import AlgorithmName, Quantizer

    worker = Quantizer(str(source))
    every = operations(source)
    if calibration is not None and len([item for item in every if item.scope in bits]) > 1:
        worker.add_static_config(".*", TFLOperationName.ALL_SUPPORTED, 8, 8)
        for end in (TFLOperationName.INPUT, TFLOperationName.OUTPUT):  # the file takes and gives float32
            worker.update_quantization_recipe(".*", end, algorithm_key=AlgorithmName.NO_QUANTIZE)
    for item in every:
        for name, scope in ((item.kind, item.scope), *item.again):
            pattern, kind = f"^{re.escape(scope)}$", TFLOperationName[name]
            if item.scope not in bits:
                worker.update_quantization_recipe(pattern, kind, algorithm_key=AlgorithmName.NO_QUANTIZE)
            elif calibration is None:
                worker.add_weight_only_config(pattern, kind, bits[item.scope])
            else:
                worker.add_static_config(pattern, kind, 8, 8)
    result = worker.quantize(None if calibration is None else dict(calibration), enable_progress_report=False)
    result.export_model(str(target), overwrite=True)


def calibrated(source: Path | str, samples: list[dict[str, Any]]) -> dict[str, Any]:
    """Ranges of all activations on samples by input name."""
    from litert_quantizer.qtyping import TFLOperationName
    from litert_quantizer.quantizer import Quantizer

    worker = Quantizer(str(source))
    worker.add_static_config(".*", TFLOperationName.ALL_SUPPORTED, 8, 8)
    return dict(worker.calibrate({"serving_default": samples}, num_threads=1))


def predictions(
    path: Path | str, samples: list[dict[str, Any]], output: tuple[str, int] | None = None
) -> Any:
    """What a file gives for samples by input name, shape (samples, values).

    Of several outputs one is named, with its place: the converter keeps the names of a dict alone.
    """
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(path), num_threads=1).get_signature_runner()
    results = [runner(**sample) for sample in samples]
    name, place = output or ("", 0)
    names = [known for known in (name, f"output_{place}") if known in results[0]] or [min(results[0])]
    return np.concatenate([np.array(result[names[0]]) for result in results])


def decibels(exact: Any, found: Any) -> float:
    """Signal-to-noise ratio, at most 120 dB."""
    noise = float(np.square(exact - found, dtype=np.float64).sum())
    signal = float(np.square(exact, dtype=np.float64).sum())
    return min(120.0, 10 * float(np.log10(signal / noise))) if noise and signal else 120.0


def sweep(
    source: Path | str,
    target: Path | str,
    samples: list[dict[str, Any]],
    score: Callable[[Any], float],
    bits: Mapping[str, int],
    calibration: Mapping[str, Any] | None,
    output: tuple[str, int] | None = None,
) -> Iterator[tuple[str, float, float]]:
    """Quantizes one operation at a time.

    Yields:
        The operation's scope, the SNR of the model's output in decibels, and the score.
    """
    exact = predictions(source, samples, output)
    for scope, count in bits.items():
        quantize(source, target, {scope: count}, calibration)
        found = predictions(target, samples, output)
        yield scope, decibels(exact, found), score(found)


def choose(
    order: list[str],
    exact: float,
    budget: float,
    score_with: Callable[[list[str]], float],
    measure: Measure = F1,
) -> list[tuple[int, float]]:
    """Keeps one more of the most sensitive operations at a time until quality is enough.

    Args:
        order: Scopes, the most sensitive first.
        exact: The score of the float32 file.
        budget: How much of it may be lost: of a score a difference, of an error a part.
        score_with: The score of the file in which these scopes are kept.
        measure: What the score is.

    Returns:
        For each number of kept operations that was tried the score; the last one is the choice.
    """
    tried: list[tuple[int, float]] = []
    for count in range(len(order) + 1):
        tried.append((count, score_with(order[:count])))
        if measure.gain(exact, tried[-1][1]) >= -budget:
            return tried
    best = max(tried, key=lambda point: measure.gain(exact, point[1]))
    return [*tried, best] if tried[-1] != best else tried
