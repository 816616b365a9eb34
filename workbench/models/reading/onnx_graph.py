"""Reads an ONNX file's graph: nodes, initializers, element types. External data is never followed."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.api.errors import InvalidInput, Refused
from workbench.api.text import say
from workbench.api.variant import Layer, ModelDescription, Role, TensorSpec
from workbench.models.reading.edges import Operation, edges_between
from workbench.models.reading.onnx_meaning import output_meanings
from workbench.models.reading.precision import WeightUse, precision_of

if TYPE_CHECKING:
    import onnx

_PRODUCTS = frozenset(
    {"Conv", "ConvTranspose", "Gemm", "MatMul", "QLinearConv", "QLinearMatMul", "QGemm"}
    | {"ConvInteger", "MatMulInteger", "LSTM", "GRU", "RNN"}
)
_WEIGHT_INPUT = {"QLinearConv": 3, "QLinearMatMul": 3, "QGemm": 3}
_LARGEST_SHAPE = 1024
"""Numbers in a constant that may be a shape, or anything else that shapes follow from."""
_MANTISSA = {"FLOAT": "float32", "DOUBLE": "float64", "BOOL": "bool", "STRING": "str"}


def read_onnx(path: Path) -> onnx.ModelProto:
    """Parses a file without following external data.

    Raises:
        workbench.api.errors.InvalidInput: If it is no ONNX file, or damaged.
        workbench.api.errors.Refused: If weights lie in other files.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.load(str(path), format="protobuf", load_external_data=False)
    except (DecodeError, ValueError) as error:
        raise InvalidInput(
            say(
                "{name} cannot be read as an ONNX model: the file is damaged or of another kind.",
                name=path.name,
            ),
            say("Copy or export it again."),
        ) from error
    if not model.graph.node:
        raise InvalidInput(say("{name} holds no ONNX graph.", name=path.name), say("Export it again."))
    for tensor in _all_tensors(model.graph, model.functions):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise Refused(
                say("{name} keeps weights in other files (ONNX external data).", name=path.name),
                say("Save it as one file: onnx.save_model(model, path, save_as_external_data=False)."),
            )
    return model


def _all_tensors(graph: Any, functions: Any = ()) -> Iterator[Any]:
    """Every stored tensor, those inside attributes and subgraphs included."""
    pending = [graph]
    nodes = [node for function in functions for node in function.node]
    while pending or nodes:
        if pending:
            inner = pending.pop()
            yield from inner.initializer
            for sparse in inner.sparse_initializer:
                yield from (sparse.values, sparse.indices)
            nodes.extend(inner.node)
        while nodes:
            for attribute in nodes.pop().attribute:
                yield attribute.t
                yield from attribute.tensors
                for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                    yield from (sparse.values, sparse.indices)
                if attribute.HasField("g"):
                    pending.append(attribute.g)
                pending.extend(attribute.graphs)


def describe_onnx(path: Path) -> ModelDescription:
    """Describes an .onnx file.

    Args:
        path: The file.

    Raises:
        workbench.api.errors.InvalidInput: If it cannot be read.
        workbench.api.errors.Refused: If weights lie in other files.
    """
    model = read_onnx(path)
    graph = model.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    shapes = _shapes(model)
    stored, dequantized = _dequantized(graph, weights)
    layers: list[Layer] = []
    steps: list[Operation] = []
    uses: list[WeightUse] = []
    macs: int | None = 0
    seen: set[str] = set()
    for node in graph.node:
        if node.output and node.output[0] in stored:
            continue
        constants = [stored.get(name, name) for name in node.input]
        held = [weights[name] for name in constants if name in weights and name not in seen]
        held = [tensor for tensor in held if _is_weight(tensor, node)]
        seen.update(tensor.name for tensor in held)
        counted: int | None = 0
        kernel = next((weights[n] for n in constants[_first_weight(node) :] if n in weights), None)
        if node.op_type in _PRODUCTS and kernel is not None:
            uses.append(
                WeightUse(
                    weight=_dtype(kernel.data_type),
                    activation=_activation(node, dequantized),
                    elements=prod(kernel.dims),
                    widened=kernel.name not in node.input,
                )
            )
            counted = _macs(node, kernel, shapes)
            macs = None if macs is None or counted is None else macs + counted
        steps.append(Operation(len(layers), node.input, [name for name in node.output if name]))
        layers.append(_layer(node, held, shapes).model_copy(update={"macs": counted}))
    meanings = output_meanings(graph)
    inputs = [value for value in graph.input if value.name not in weights]
    first = _lengths(inputs[0])[:1] if inputs else ()
    return ModelDescription(
        inputs=tuple(_spec(value) for value in inputs),
        outputs=tuple(_spec(value) for value in graph.output),
        layers=tuple(layers),
        edges=edges_between(
            steps, [value.name for value in inputs], lambda name: shapes.get(name, (None,))[1:]
        ),
        parameters=sum(layer.parameters for layer in layers),
        from_logits=meanings[:1] != ("probabilities",),
        meanings=meanings,
        precision=precision_of(uses),
        macs=macs,
        # exporters write 1 where nothing was asked for: that many samples are nobody's wish
        batch=first[0] if first and first[0] and first[0] > 1 else None,
    )


def _dequantized(graph: Any, weights: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Outputs of DequantizeLinear: those of a stored tensor, and the stored type of the others."""
    quantized = {
        node.output[0]: "uint8"
        for node in graph.node
        if node.op_type in {"QuantizeLinear", "DynamicQuantizeLinear"} and node.output
    }
    stored: dict[str, str] = {}
    activations: dict[str, str] = {}
    for node in graph.node:
        if node.op_type in {"DequantizeLinear", "Cast"} and node.input and node.output:
            if node.input[0] in weights:
                stored[node.output[0]] = node.input[0]
            elif node.op_type == "DequantizeLinear" and node.input[0] in quantized:
                zero = weights.get(node.input[2]) if len(node.input) > 2 else None
                activations[node.output[0]] = _dtype(zero.data_type) if zero is not None else "uint8"
    return stored, activations


def _first_weight(node: Any) -> int:
    return _WEIGHT_INPUT.get(node.op_type, 0)


def _activation(node: Any, dequantized: dict[str, str]) -> str:
    if node.op_type.startswith("Q"):
        return "uint8"
    if node.op_type.endswith("Integer"):
        return "float32"  # quantized on the fly
    return next((dequantized[name] for name in node.input if name in dequantized), "float32")


def _is_weight(tensor: Any, node: Any) -> bool:
    if node.op_type in {
        "Reshape",
        "Slice",
        "Gather",
        "Unsqueeze",
        "Squeeze",
        "Expand",
        "Pad",
        "Tile",
        "Resize",
    }:
        return False
    if node.op_type in {"QuantizeLinear", "DequantizeLinear"}:
        return False
    return len(tensor.dims) > 0


def _layer(node: Any, held: list[Any], shapes: dict[str, tuple[int | None, ...]]) -> Layer:
    largest = max(held, key=lambda tensor: prod(tensor.dims), default=None)
    return Layer(
        name=node.name or (node.output[0] if node.output else ""),
        kind=node.op_type,
        parameters=sum(prod(tensor.dims) for tensor in held),
        size_bytes=sum(_size(tensor) for tensor in held),
        output_shape=shapes.get(node.output[0], ())[1:] if node.output else (),
        precision=_dtype(largest.data_type) if largest is not None else "float32",
    )


def _size(tensor: Any) -> int:
    import onnx

    item = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize if tensor.data_type != 8 else 1
    return len(tensor.raw_data) or prod(tensor.dims) * int(item)


def _shapes(model: Any) -> dict[str, tuple[int | None, ...]]:
    import onnx

    try:
        graph = onnx.shape_inference.infer_shapes(_without_weights(model)).graph
    except (onnx.shape_inference.InferenceError, ValueError, RuntimeError):
        graph = model.graph  # shapes are shown where known; the file may still run
    values = [*graph.value_info, *graph.input, *graph.output]
    return {value.name: _lengths(value) for value in values}


def _without_weights(model: Any) -> Any:
    """The same graph with the shapes of large constants alone, of which inference would make four copies."""
    import onnx

    light = onnx.ModelProto(ir_version=model.ir_version)
    light.opset_import.extend(model.opset_import)
    light.functions.extend(model.functions)
    for field in ("node", "input", "output", "value_info", "sparse_initializer", "quantization_annotation"):
        getattr(light.graph, field).extend(getattr(model.graph, field))
    light.graph.name = model.graph.name
    given = {value.name for value in model.graph.input}
    for tensor in model.graph.initializer:
        if prod(tensor.dims) <= _LARGEST_SHAPE:
            light.graph.initializer.append(tensor)
        elif tensor.name not in given:
            light.graph.input.append(
                onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            )
    return light


def _lengths(value: Any) -> tuple[int | None, ...]:
    return tuple(
        axis.dim_value if axis.HasField("dim_value") else None for axis in value.type.tensor_type.shape.dim
    )


def _spec(value: Any) -> TensorSpec:
    dtype = _dtype(value.type.tensor_type.elem_type)
    role: Role = "raw numbers" if dtype.startswith(("int", "uint", "bool")) else "numbers"
    return TensorSpec(
        name=value.name,
        shape=_lengths(value)[1:],
        dtype=dtype,
        role="text" if dtype == "str" else role,
    )


def _dtype(code: int) -> str:
    import onnx

    name = onnx.TensorProto.DataType.Name(code) if code in onnx.TensorProto.DataType.values() else "FLOAT"
    return _MANTISSA.get(name, name.lower())


def _macs(node: Any, kernel: Any, shapes: dict[str, tuple[int | None, ...]]) -> int | None:
    """Multiply-accumulates of one sample; 0 for a kind that is not counted."""
    if node.op_type in {"Gemm", "QGemm", "MatMul", "QLinearMatMul", "MatMulInteger"}:
        places: tuple[int | None, ...] = shapes.get(node.output[0], (None,))[1:-1]
    elif node.op_type in {"Conv", "QLinearConv", "ConvInteger"}:
        places = shapes.get(node.output[0], (None, None, None))[2:]
    elif node.op_type == "ConvTranspose":
        places = shapes.get(node.input[0], (None, None, None))[2:]
    else:
        return 0
    known = [length for length in places if length is not None]
    return prod(known) * prod(kernel.dims) if len(known) == len(places) else None
