"""Converts to ONNX with large constants kept outside of every graph, and writes them at the end, one by one.

The converter (tf2onnx) copies its graph before each of its passes, weights and all: a model needs forty
times its own memory there. Here its graphs hold a digest where a large constant would be, and whoever asks
for the value gets it. Nothing else is changed, so that the same operations and constants come out.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.errors import InvalidInput
from workbench.api.text import say
from workbench.models.converting.onnx_operators import require_known_operators

LARGE_BYTES = 16 << 10
"""A constant from this size on is kept outside; smaller ones are shapes, axes, and what is folded early."""
LARGEST_BYTES = 2**31 - 2**16
"""What a protocol buffer, which an ONNX file is one of, may hold."""
_MARK = b"outside:"
_DIGEST_BYTES = 32
_GRAPH, _INITIALIZER, _RAW_DATA = 7, 5, 9
"""Numbers of fields: of a ``ModelProto``, of a ``GraphProto``, of a ``TensorProto``."""


class Constants:
    """Arrays by the digest of their content; equal ones are kept once."""

    def __init__(self) -> None:
        self._arrays: dict[bytes, npt.NDArray[Any]] = {}

    def put(self, array: npt.NDArray[Any]) -> bytes:
        """Keeps an array.

        Returns:
            What stands for it: never as long as a large array.
        """
        if array.size and not any(array.strides):  # one number, as often as it takes
            number = array[(0,) * array.ndim]
            key = hashlib.sha256(b"%d times " % array.size + number.tobytes()).digest()
            self._arrays.setdefault(key, np.broadcast_to(number, (array.size,)))
        else:
            flat = np.ascontiguousarray(array).reshape(-1)
            digest = hashlib.sha256(str(flat.dtype).encode())
            digest.update(flat.data)
            key = digest.digest()
            self._arrays.setdefault(key, flat)
        return _MARK + key

    def get(self, mark: bytes) -> npt.NDArray[Any] | None:
        """The array in one dimension, if these bytes stand for one."""
        if len(mark) != len(_MARK) + _DIGEST_BYTES or not mark.startswith(_MARK):
            return None
        return self._arrays[mark[len(_MARK) :]]


@contextlib.contextmanager
def constants_outside(weights: Path | None = None) -> Iterator[None]:
    """Within it Keras' export to ONNX keeps large constants outside of its graphs.

    Args:
        weights: A file for them beside the ``.onnx`` file (ONNX external data); None writes one file.
    """
    from tf2onnx import convert

    def from_function(
        function: Any, input_signature: Any, opset: int | None, output_path: Path | str
    ) -> None:
        _convert(function, input_signature, opset, Path(output_path), weights)

    plain = convert.from_function
    convert.from_function = from_function
    try:
        yield
    finally:
        convert.from_function = plain


def _convert(
    function: Any, input_signature: Any, opset: int | None, path: Path, weights: Path | None
) -> None:
    """In place of ``tf2onnx.convert.from_function``, with the same steps."""
    import tensorflow as tf
    from tf2onnx import convert, optimizer, tfonnx

    concrete = function.get_concrete_function(*input_signature)
    inputs = [tensor.name for tensor in concrete.inputs if tensor.dtype != tf.resource]
    outputs = [tensor.name for tensor in concrete.outputs if tensor.dtype != tf.resource]
    names = convert.tensor_names_from_structed(concrete, inputs, outputs)
    constants = Constants()
    with tf.device("/cpu:0"), _outside(constants):
        frozen, marks = _frozen(concrete, inputs, outputs, constants)
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(frozen, name="")
            converted = tfonnx.process_tf_graph(
                graph,
                continue_on_error=True,
                opset=opset,
                input_names=inputs,
                output_names=outputs,
                tensors_to_rename=names,
                const_node_values=marks,
            )
            model = optimizer.optimize_graph(converted, True).make_model(f"converted from {concrete.name}")
    require_known_operators(model.graph)
    _write(model, path, constants, weights)


def _frozen(
    concrete: Any, inputs: list[str], outputs: list[str], constants: Constants
) -> tuple[Any, dict[str, bytes]]:
    """The graph of a function with its variables as constants, optimized as tf2onnx does it.

    Returns:
        A ``GraphDef`` in which large constants are empty, and what stands for them by the node's name.
    """
    import tensorflow as tf
    from tf2onnx import tf_loader

    frozen = tf_loader.convert_variables_to_constants_large_model(concrete)
    marks: dict[str, bytes] = {}
    for node in frozen.node:
        value = node.attr["value"].tensor if node.op == "Const" else None
        if value is not None and constants.get(value.tensor_content) is not None:
            marks[node.name] = value.tensor_content
            # Else TensorFlow would fold it, without having its value.
            node.op = "Placeholder"
            node.attr["shape"].shape.CopyFrom(value.tensor_shape)
            del node.attr["value"]
    for function in frozen.library.function:  # of loops and branches
        for node in function.node_def:
            value = node.attr["value"].tensor if node.op == "Const" else None
            array = None if value is None else constants.get(value.tensor_content)
            if value is not None and array is not None:
                value.tensor_content = array.tobytes()
    with tf.Graph().as_default() as graph:
        try:
            tf.import_graph_def(frozen, name="")
            frozen = graph.as_graph_def(add_shapes=True)
        except ValueError as error:
            if "incompatible with expected resource" not in str(error):
                raise
            frozen = tf_loader.fix_freezing_errors(frozen)
        frozen = tf_loader.tf_optimize(inputs, outputs, tf_loader.fix_freezing_errors_part2(frozen))
    found: dict[str, bytes] = {}
    for node in frozen.node:
        if node.op == "Placeholder" and node.name in marks:
            node.op = "Const"
            node.attr["value"].tensor.dtype = node.attr["dtype"].type
            node.attr["value"].tensor.tensor_shape.CopyFrom(node.attr["shape"].shape)
            del node.attr["shape"]
            found[node.name] = marks[node.name]
    return frozen, found


@contextlib.contextmanager
def _outside(constants: Constants) -> Iterator[None]:
    """Within it TensorFlow's freezing and tf2onnx's graphs hold marks where large constants would be."""
    from onnx import TensorProto, helper, numpy_helper
    from tensorflow.python.framework import convert_to_constants, tensor_shape, tensor_util
    from tf2onnx import graph as tf2onnx_graph
    from tf2onnx import tf_utils

    reading = convert_to_constants._FunctionConverterDataInEager
    plain_eval, plain_proto, plain_data = (
        reading._eval,
        tensor_util.make_tensor_proto,
        tf_utils.get_tf_tensor_data,
    )

    def shared(self: Any, tensor: Any) -> Any:
        value = tensor.read_value() if hasattr(tensor, "read_value") else tensor
        try:
            return np.asarray(memoryview(value))
        except (TypeError, ValueError, BufferError):  # bfloat16, strings
            return plain_eval(self, tensor)

    def proto(values: Any, dtype: Any = None, shape: Any = None, *arguments: Any, **named: Any) -> Any:
        if not _is_large(values) or not values.any():  # what is added as zero is left out
            return plain_proto(values, dtype, shape, *arguments, **named)
        found = plain_proto(np.zeros((0,), values.dtype))
        found.tensor_shape.CopyFrom(tensor_shape.as_shape(values.shape).as_proto())
        found.tensor_content = constants.put(values)
        return found

    def data(tensor: Any) -> Any:
        shape = tuple(axis.size for axis in tensor.tensor_shape.dim)
        if (array := constants.get(tensor.tensor_content)) is not None:
            return array.reshape(shape)
        if not tensor.tensor_content and _is_empty(tensor):
            dtype = tensor_util.dtypes.as_dtype(tensor.dtype).as_numpy_dtype
            return np.broadcast_to(np.zeros((), dtype), shape)
        return plain_data(tensor)

    class Arrays:
        """ONNX's ``numpy_helper``, for large arrays by mark."""

        def __getattr__(self, name: str) -> Any:
            return getattr(numpy_helper, name)

        @staticmethod
        def from_array(array: Any, name: str | None = None) -> Any:
            if not _is_large(array):
                return numpy_helper.from_array(array, name)
            found = TensorProto(
                data_type=helper.np_dtype_to_tensor_dtype(array.dtype), raw_data=constants.put(array)
            )
            found.dims.extend(array.shape)
            if name:
                found.name = name
            return found

        @staticmethod
        def to_array(tensor: Any, *arguments: Any) -> Any:
            array = constants.get(tensor.raw_data)
            return numpy_helper.to_array(tensor, *arguments) if array is None else array.reshape(tensor.dims)

    try:
        reading._eval = shared
        tensor_util.make_tensor_proto = proto
        tf_utils.get_tf_tensor_data = data
        tf2onnx_graph.numpy_helper = tf_utils.numpy_helper = Arrays()
        yield
    finally:
        reading._eval = plain_eval
        tensor_util.make_tensor_proto = plain_proto
        tf_utils.get_tf_tensor_data = plain_data
        tf2onnx_graph.numpy_helper = tf_utils.numpy_helper = numpy_helper


def _is_large(array: Any) -> bool:
    return isinstance(array, np.ndarray) and array.dtype.kind in "fiu" and array.nbytes >= LARGE_BYTES


def _is_empty(tensor: Any) -> bool:
    fields = {field.name for field, _ in tensor.ListFields()}
    return not fields - {"dtype", "tensor_shape", "version_number"} and bool(tensor.tensor_shape.dim)


def _write(model: Any, path: Path, constants: Constants, weights: Path | None) -> None:
    """Writes a model with marks for its large constants, one of them at a time."""
    graph = model.graph
    for tensor in _inner_tensors(graph):
        if (array := constants.get(tensor.raw_data)) is not None:
            tensor.raw_data = array.tobytes()
    if weights is None:
        _write_one_file(model, path, constants)
    else:
        _write_two_files(model, path, constants, weights)


def _write_one_file(model: Any, path: Path, constants: Constants) -> None:
    graph = model.graph
    everything = [type(tensor).FromString(tensor.SerializeToString()) for tensor in graph.initializer]
    del graph.initializer[:]
    large: list[tuple[bytes, npt.NDArray[Any]]] = []
    for tensor in everything:
        array = constants.get(tensor.raw_data)
        if array is None:
            graph.initializer.append(tensor)
            continue
        tensor.ClearField("raw_data")
        head = tensor.SerializeToString() + _field(_RAW_DATA, array.nbytes)
        large.append((_field(_INITIALIZER, len(head) + array.nbytes) + head, array))
    content = graph.SerializeToString()
    length = len(content) + sum(len(head) + array.nbytes for head, array in large)
    if length > LARGEST_BYTES:
        raise InvalidInput(
            say(
                "The ONNX file would hold {size:.1f} GiB; a file of one piece may hold 2 GiB.",
                size=length / 2**30,
            ),
            say("Make the model smaller first, or choose another runtime."),
        )
    model.ClearField("graph")
    with path.open("wb") as file:
        file.write(model.SerializeToString() + _field(_GRAPH, length) + content)
        for head, array in large:
            file.write(head)
            file.write(np.ascontiguousarray(array).data)


def _write_two_files(model: Any, path: Path, constants: Constants, weights: Path) -> None:
    from onnx import TensorProto

    with weights.open("wb") as file:
        for tensor in model.graph.initializer:
            if (array := constants.get(tensor.raw_data)) is None:
                continue
            file.seek(-file.tell() % 4096, 1)  # where a page begins, it can be mapped
            place = {"location": weights.name, "offset": file.tell(), "length": array.nbytes}
            file.write(np.ascontiguousarray(array).data)
            tensor.ClearField("raw_data")
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in place.items():
                tensor.external_data.add(key=key, value=str(value))
    path.write_bytes(model.SerializeToString())


def _inner_tensors(graph: Any) -> Iterator[Any]:
    """Tensors in attributes of operations, and in the graphs of loops and branches."""
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from inner.initializer
                yield from _inner_tensors(inner)


def _field(number: int, length: int) -> bytes:
    """The beginning of a field of bytes in a protocol buffer."""
    return _number(number << 3 | 2) + _number(length)


def _number(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])
