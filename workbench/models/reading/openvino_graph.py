"""Reads an OpenVINO folder (model.xml, model.bin) that a conversion wrote."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

from workbench.api.errors import InvalidInput
from workbench.api.text import say
from workbench.api.variant import Layer, ModelDescription, TensorSpec
from workbench.models.reading.edges import Operation, edges_between
from workbench.models.reading.precision import WeightUse, precision_of

_PRODUCTS = frozenset({"Convolution", "GroupConvolution", "MatMul", "ConvolutionBackpropData"})
_ON_THE_WAY = frozenset({"Convert", "Subtract", "Multiply", "FakeQuantize", "Reshape"})
_DTYPES = {
    "f32": "float32",
    "f16": "float16",
    "bf16": "bfloat16",
    "i8": "int8",
    "u8": "uint8",
    "i4": "int4",
    "u4": "uint4",
    "i16": "int16",
    "i32": "int32",
    "i64": "int64",
}


def describe_openvino(folder: Path) -> ModelDescription:
    """Describes an OpenVINO model.

    Args:
        folder: Holds ``model.xml`` and ``model.bin``.

    Raises:
        workbench.api.errors.InvalidInput: If it cannot be read.
    """
    from workbench.api.privacy import import_openvino

    openvino = import_openvino()
    source = folder / "model.xml" if folder.is_dir() else folder
    try:
        model = openvino.Core().read_model(source)
    except RuntimeError as error:
        raise InvalidInput(
            say("{name} cannot be read as an OpenVINO model.", name=folder.name),
            say("It must be a folder with model.xml and model.bin."),
        ) from error
    layers: list[Layer] = []
    steps: list[Operation] = []
    uses: list[WeightUse] = []
    macs: int | None = 0
    seen: set[str] = set()
    shapes = {_key(port): _lengths(port) for node in model.get_ordered_ops() for port in node.outputs()}
    for node in model.get_ordered_ops():
        if node.get_type_name() in {"Constant", "Parameter", "Result"}:
            continue
        if node.get_type_name() in _ON_THE_WAY:
            steps.append(_operation(None, node))
            continue
        steps.append(_operation(len(layers), node))
        constants = [constant for constant in map(_constant, _sources(node)) if constant is not None]
        weights = [
            c for c in constants if _type(c).startswith(("float", "int8", "uint8", "int4", "uint4", "bfloat"))
        ]
        fresh = [c for c in weights if c.get_friendly_name() not in seen]
        seen.update(c.get_friendly_name() for c in fresh)
        counted: int | None = 0
        if node.get_type_name() in _PRODUCTS and weights:
            kernel = max(weights, key=_elements)
            uses.append(
                # Nothing multiplies whole numbers here: a stored one is widened before its product.
                WeightUse(_type(kernel), _activation(node), _elements(kernel), widened=True)
            )
            counted = _macs(node, _elements(kernel))
            macs = None if macs is None or counted is None else macs + counted
        largest = max(fresh, key=_elements, default=None)
        layers.append(
            Layer(
                name=node.get_friendly_name(),
                kind=node.get_type_name(),
                parameters=sum(_elements(c) for c in fresh),
                size_bytes=sum(c.get_byte_size() for c in fresh),
                output_shape=_lengths(node.output(0)) if node.outputs() else (),
                precision=_type(largest) if largest is not None else "float32",
                macs=counted,
            )
        )
    return ModelDescription(
        inputs=tuple(_spec(port) for port in model.inputs),
        outputs=tuple(_spec(port) for port in model.outputs),
        layers=tuple(layers),
        edges=edges_between(steps, [_key(port) for port in model.inputs], lambda key: shapes[key]),
        parameters=sum(layer.parameters for layer in layers),
        from_logits=_from_logits(model),
        precision=precision_of(uses),
        macs=macs,
    )


def _operation(layer: int | None, node: Any) -> Operation:
    takes = [_key(port.get_source_output()) for port in node.inputs()]
    return Operation(layer, takes, [_key(port) for port in node.outputs()])


def _key(port: Any) -> tuple[str, int]:
    return port.get_node().get_friendly_name(), port.get_index()


def _sources(node: Any) -> list[Any]:
    return [port.get_source_output().get_node() for port in node.inputs()]


def _constant(node: Any) -> Any:
    """The stored tensor behind a chain that turns it back into floats; None if there is none."""
    while node.get_type_name() in _ON_THE_WAY:
        node = _sources(node)[0]
    return node if node.get_type_name() == "Constant" else None


def _activation(node: Any) -> str:
    """Element type that the product's other operand is quantized to."""
    for source in _sources(node):
        if _constant(source) is None and _quantized(source):
            return "int8"
    return "float32"


def _quantized(node: Any) -> bool:
    # layout and pooling operations hand the quantized values on
    for _ in range(8):
        if node.get_type_name() == "FakeQuantize":
            return True
        if node.get_type_name() not in {"Reshape", "Transpose", "MaxPool", "Concat", "Squeeze", "Unsqueeze"}:
            return False
        node = _sources(node)[0]
    return False


def _type(constant: Any) -> str:
    name = constant.get_element_type().get_type_name()
    return _DTYPES.get(name, str(name))


def _elements(constant: Any) -> int:
    return prod(constant.get_output_shape(0))


def _lengths(port: Any) -> tuple[int | None, ...]:
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic:
        return ()
    return tuple(None if axis.is_dynamic else axis.get_length() for axis in list(shape)[1:])


def _spec(port: Any) -> TensorSpec:
    name = port.get_element_type().get_type_name()
    names = sorted(port.get_names(), key=len)
    return TensorSpec(
        name=names[0] if names else port.get_node().get_friendly_name(),
        shape=_lengths(port),
        dtype=_DTYPES.get(name, str(name)),
    )


def _macs(node: Any, elements: int) -> int | None:
    """Multiply-accumulates of one sample."""
    kind = node.get_type_name()
    if kind == "MatMul":
        places = _lengths(node.output(0))[:-1]
    else:
        port = node.output(0) if kind != "ConvolutionBackpropData" else node.input(0).get_source_output()
        places = _lengths(port)[1:]
    known = [length for length in places if length is not None]
    return prod(known) * elements if len(known) == len(places) else None


def _from_logits(model: Any) -> bool:
    node = _sources(model.outputs[0].get_node())[0]
    for _ in range(16):
        if node.get_type_name() in {"Softmax", "SoftMax", "Sigmoid"}:
            return False
        if node.get_type_name() not in {"Reshape", "Convert", "FakeQuantize", "Squeeze"}:
            return True
        node = _sources(node)[0]
    return True
