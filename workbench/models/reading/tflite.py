"""Reads a LiteRT (.tflite) file's flatbuffer: operators, constants, element types.

The file's own tables are read, not an interpreter's: delegates would already have changed them.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

from workbench.api.errors import InvalidInput
from workbench.api.text import say
from workbench.api.variant import Layer, ModelDescription, TensorSpec
from workbench.models.reading.edges import Operation, edges_between
from workbench.models.reading.precision import WeightUse, precision_of
from workbench.models.reading.tflite_meaning import output_meanings
from workbench.plain.litert.buffers import content_of

IDENTIFIER = b"TFL3"

_PRODUCTS = frozenset(
    {"CONV_2D", "DEPTHWISE_CONV_2D", "CONV_3D", "TRANSPOSE_CONV", "FULLY_CONNECTED", "BATCH_MATMUL"}
)
_REARRANGING = frozenset({"RESHAPE", "TRANSPOSE", "SQUEEZE", "EXPAND_DIMS"})
_WEIGHTED = _PRODUCTS | {
    "EMBEDDING_LOOKUP",
    "GATHER",
    "UNIDIRECTIONAL_SEQUENCE_LSTM",
    "LSTM",
}
_NUMPY_NAMES = {"bool": "bool", "string": "str"}


@dataclass(frozen=True)
class _Tensor:
    name: str
    dtype: str
    shape: tuple[int, ...]
    free: tuple[int | None, ...]
    size_bytes: int
    scaled: bool


def describe_tflite(path: Path) -> ModelDescription:
    """Describes a .tflite file.

    Args:
        path: The file.

    Raises:
        workbench.api.errors.InvalidInput: If its tables cannot be read.
    """
    content = path.read_bytes()
    if content[4:8] != IDENTIFIER:
        raise InvalidInput(say("{name} is no LiteRT model: the identifier TFL3 is missing.", name=path.name))
    try:
        return _describe(content)
    except (
        struct.error,
        IndexError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
    ) as error:
        raise InvalidInput(
            say("The tables of {name} cannot be read: the file is damaged.", name=path.name),
            say("Copy or export it again."),
        ) from error


def _describe(content: bytes) -> ModelDescription:
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(content, 0)
    if model.SubgraphsLength() < 1:
        raise ValueError("no subgraph")
    graph = model.Subgraphs(0)
    tensors = [_tensor(model, graph.Tensors(index), content) for index in range(graph.TensorsLength())]
    operators = [
        (
            _operator_name(model.OperatorCodes(operator.OpcodeIndex())),
            [operator.Inputs(i) for i in range(operator.InputsLength())],
            [operator.Outputs(i) for i in range(operator.OutputsLength())],
        )
        for operator in (graph.Operators(index) for index in range(graph.OperatorsLength()))
    ]
    inputs = [graph.Inputs(i) for i in range(graph.InputsLength())]
    outputs = [graph.Outputs(i) for i in range(graph.OutputsLength())]
    names = _signature_names(model)
    layers, uses, macs, steps = _layers(tensors, operators)
    outputs = _sorted_outputs(outputs, [names.get(("out", i)) or tensors[i].name for i in outputs])
    meanings = output_meanings(model, graph, [kind for kind, _, _ in operators], outputs)
    return ModelDescription(
        inputs=tuple(_spec(tensors[i], names.get(("in", i))) for i in inputs),
        outputs=tuple(_spec(tensors[i], names.get(("out", i))) for i in outputs),
        layers=tuple(layers),
        edges=edges_between(steps, inputs, lambda index: tensors[index].free[1:]),
        parameters=sum(layer.parameters for layer in layers),
        from_logits=meanings[:1] != ("probabilities",),
        meanings=meanings,
        precision=precision_of(uses),
        macs=macs,
        batch=_fixed_batch(tensors[inputs[0]]) if inputs else None,
    )


def _fixed_batch(tensor: _Tensor) -> int | None:
    # Converters write 1 where nothing was asked for: that many samples are nobody's wish.
    first = tensor.free[0] if tensor.free else None
    return first if first is not None and first > 1 else None


def _tensor(model: Any, tensor: Any, file: bytes) -> _Tensor:
    shape = tuple(int(tensor.Shape(i)) for i in range(tensor.ShapeLength()))
    signature = tuple(int(tensor.ShapeSignature(i)) for i in range(tensor.ShapeSignatureLength())) or shape
    quantization = tensor.Quantization()
    held = 0 < tensor.Buffer() < model.BuffersLength()
    size = content_of(model.Buffers(tensor.Buffer()), file).size if held else 0
    return _Tensor(
        name=(tensor.Name() or b"").decode("utf-8", "replace"),
        dtype=_type_names()[tensor.Type()],
        shape=shape,
        free=tuple(None if length < 0 else length for length in signature),
        size_bytes=int(size),
        scaled=quantization is not None and quantization.ScaleLength() > 0,
    )


@cache
def _type_names() -> dict[int, str]:
    from ai_edge_litert import schema_py_generated as schema

    return {
        value: _NUMPY_NAMES.get(name.lower(), name.lower())
        for name, value in vars(schema.TensorType).items()
        if name.isupper()
    }


@cache
def _operator_names() -> dict[int, str]:
    from ai_edge_litert import schema_py_generated as schema

    return {value: name for name, value in vars(schema.BuiltinOperator).items() if name.isupper()}


def _operator_name(code: Any) -> str:
    if code.CustomCode():
        return str(code.CustomCode().decode("utf-8", "replace"))
    # older files keep the code in a field of one byte
    return _operator_names()[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]


def _signature_names(model: Any) -> dict[tuple[str, int], str]:
    """Names that callers use, by tensor index; a file without a signature has none."""
    names: dict[tuple[str, int], str] = {}
    if model.SignatureDefsLength() < 1:
        return names
    signature = model.SignatureDefs(0)
    for index in range(signature.InputsLength()):
        names["in", signature.Inputs(index).TensorIndex()] = signature.Inputs(index).Name().decode()
    for index in range(signature.OutputsLength()):
        names["out", signature.Outputs(index).TensorIndex()] = signature.Outputs(index).Name().decode()
    return names


def _spec(tensor: _Tensor, name: str | None) -> TensorSpec:
    whole = tensor.dtype.startswith(("int", "uint")) and not tensor.scaled
    return TensorSpec(
        name=name or tensor.name,
        shape=tensor.free[1:],
        dtype=tensor.dtype,
        role="raw numbers" if whole else "numbers",
    )


def _sorted_outputs(outputs: list[int], names: list[str]) -> list[int]:
    # Keras names them output_0, output_1, ...; the converter stores them in any order. A dict's keys are
    # sorted, as Keras sorts them.
    numbers = [re.fullmatch(r"output_(\d+)", name) for name in names]
    if all(numbers):
        keys: list[Any] = [int(number[1]) for number in numbers if number]
        return [index for _, index in sorted(zip(keys, outputs, strict=True))]
    return outputs


def _layers(
    tensors: list[_Tensor], operators: list[tuple[str, list[int], list[int]]]
) -> tuple[list[Layer], list[WeightUse], int | None, list[Operation]]:
    # A float16 file holds DEQUANTIZE(constant); the constant belongs to the operator behind it.
    stored = {
        outputs[0]: inputs[0]
        for kind, inputs, outputs in operators
        if kind == "DEQUANTIZE" and inputs and outputs and tensors[inputs[0]].size_bytes
    }
    layers: list[Layer] = []
    steps: list[Operation] = []
    uses: list[WeightUse] = []
    seen: set[int] = set()
    macs: int | None = 0
    elements = _elements(tensors, operators)
    for kind, inputs, outputs in operators:
        if outputs and outputs[0] in stored:
            continue
        constants = [stored.get(i, i) for i in inputs if i >= 0]
        weights = [i for i in constants if _is_weight(tensors[i]) and i not in seen]
        seen.update(weights)
        if kind in _WEIGHTED and weights:
            largest = max(weights, key=lambda i: prod(tensors[i].shape))
            uses.append(
                WeightUse(
                    weight=tensors[largest].dtype,
                    # TRANSPOSE_CONV begins with the shape of its output
                    activation=tensors[inputs[0]].dtype
                    if inputs[0] != largest and kind != "TRANSPOSE_CONV"
                    else tensors[outputs[0]].dtype,
                    elements=prod(tensors[largest].shape),
                    widened=largest not in inputs,
                )
            )
        # What is widened before it is used counts where it lies.
        counted = _macs(kind, [stored.get(i, i) for i in inputs if i >= 0], outputs, tensors, elements)
        macs = None if macs is None or counted is None else macs + counted
        layer = _layer(kind, [tensors[i] for i in weights], tensors[outputs[0]] if outputs else None)
        steps.append(Operation(len(layers), inputs, outputs))
        layers.append(layer.model_copy(update={"macs": counted}))
    return layers, uses, macs, steps


def _is_weight(tensor: _Tensor) -> bool:
    # whole numbers without a scale are shapes, axes and paddings
    return tensor.size_bytes > 0 and (tensor.dtype.startswith(("float", "bfloat")) or tensor.scaled)


def _layer(kind: str, weights: list[_Tensor], output: _Tensor | None) -> Layer:
    largest = max(weights, key=lambda tensor: prod(tensor.shape), default=output)
    return Layer(
        # fused layers are listed with ';', the last of them gives the output
        name=output.name.rpartition(";")[2] if output else "",
        kind=kind,
        parameters=sum(prod(tensor.shape) for tensor in weights),
        size_bytes=sum(tensor.size_bytes for tensor in weights),
        output_shape=output.free[1:] if output else (),
        precision=largest.dtype if largest else "float32",
    )


def _elements(
    tensors: list[_Tensor], operators: list[tuple[str, list[int], list[int]]]
) -> dict[int, int | None]:
    """Numbers of one sample in each tensor; None where a length is free.

    Followed from the inputs on: a dense layer over a sequence has (batch x length, channels) inside, where
    shapes alone do not tell what belongs to one sample.
    """
    made = {made for _, _, outputs in operators for made in outputs}
    found: dict[int, int | None] = {}
    for index, tensor in enumerate(tensors):
        if index not in made:
            lengths = [length for length in tensor.free[1:] if length is not None]
            found[index] = prod(lengths) if len(lengths) == len(tensor.free[1:]) else None
    for kind, inputs, outputs in operators:
        source = next((i for i in inputs if i >= 0 and not tensors[i].size_bytes), None)
        before = None if source is None else found.get(source)
        for index in outputs:
            if source is None or before is None:
                found[index] = None
            elif kind in _REARRANGING:
                found[index] = before
            elif kind == "FULLY_CONNECTED" and len(tensors[inputs[1]].shape) == 2:
                rows, columns = tensors[inputs[1]].shape
                found[index] = before * rows // max(1, columns)
            else:
                found[index] = before * prod(tensors[index].shape) // max(1, prod(tensors[source].shape))
    return found


def _macs(
    kind: str, inputs: list[int], outputs: list[int], tensors: list[_Tensor], elements: dict[int, int | None]
) -> int | None:
    """Multiply-accumulates of one sample with weights: not of activations with each other."""
    if kind not in _PRODUCTS or len(inputs) < 2 or not outputs:
        return 0
    # TRANSPOSE_CONV takes (output shape, weights, input)
    source = inputs[2] if kind == "TRANSPOSE_CONV" and len(inputs) > 2 else inputs[0]
    if kind == "FULLY_CONNECTED":
        given = elements.get(source)
        return None if given is None else given * tensors[inputs[1]].shape[0]
    output = tensors[outputs[0]]
    if kind == "BATCH_MATMUL":
        weights = next((i for i in inputs if tensors[i].size_bytes), None)
        if weights is None:
            return 0
        # The length that is summed over is the one that the result does not have.
        kept = output.shape[-2] if weights == inputs[0] else output.shape[-1]
        results = elements.get(outputs[0])
        return None if results is None else results * prod(tensors[weights].shape[-2:]) // max(1, kept)
    places = tensors[source] if kind == "TRANSPOSE_CONV" else output
    if None in places.free[1:]:
        return None
    return prod(places.shape[1:-1]) * prod(tensors[inputs[1]].shape)
