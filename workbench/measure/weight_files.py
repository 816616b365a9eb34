"""The stored tensors of a model file, each with the value that stands for zero."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt

from workbench.api.errors import InvalidInput
from workbench.api.text import say
from workbench.api.variant import Format

_WEIGHTS = "model.weights.h5"
_ONNX_ZERO_POINTS = {
    "DequantizeLinear": (0, 2),
    "QLinearConv": (3, 5),
    "QLinearMatMul": (3, 5),
    "ConvInteger": (1, 3),
    "MatMulInteger": (1, 3),
}
"""Where an operator takes a stored tensor, and where its zero point."""


@dataclass(frozen=True)
class StoredTensor:
    """A tensor of weights in a file.

    Attributes:
        name: Its name in the file.
        shape: Its shape there.
        precision: Element type, as NumPy names it, or int4.
        values: The stored numbers; integers as they are, bfloat16 as float32. Fewer than the shape says
            where the file leaves zeros out.
        zero: What stands for zero: a number, or an array that ``values`` can be compared with.
    """

    name: str
    shape: tuple[int, ...]
    precision: str
    values: npt.NDArray[Any]
    zero: Any = 0


def stored_tensors(path: Path, format: Format) -> Iterator[StoredTensor]:
    """Reads the floating and quantized tensors of a file, one after the other.

    Args:
        path: The file; for ``openvino`` a folder.
        format: Its format.

    Raises:
        workbench.api.errors.InvalidInput: If it cannot be read.
    """
    if not path.exists():
        raise InvalidInput(say("There is no model file {path}.", path=str(path)))
    match format:
        case "keras":
            yield from _of_keras(path)
        case "tflite":
            yield from _of_tflite(path)
        case "onnx":
            yield from _of_onnx(path)
        case "openvino":
            yield from _of_openvino(path)


def _damaged(path: Path) -> InvalidInput:
    return InvalidInput(
        say("The weights of {name} cannot be read: the file is damaged.", name=path.name),
        say("Make or copy it again."),
    )


def _of_keras(path: Path) -> Iterator[StoredTensor]:
    import h5py

    from workbench.models.intake.hdf5_file import look_through

    try:
        with zipfile.ZipFile(path) as archive:
            content = archive.read(_WEIGHTS)
    except (zipfile.BadZipFile, zlib.error, OSError, KeyError, NotImplementedError) as error:
        raise _damaged(path) from error
    looked = look_through(io.BytesIO(content), path.name, len(content))
    if looked.problems:
        problem = looked.problems[0]
        raise InvalidInput(problem.problem, problem.action)
    with h5py.File(io.BytesIO(content), "r") as file:
        found: list[str] = []
        # Links are not followed, and none passed the look above.
        file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
        for name in found:
            if name.startswith("optimizer"):
                continue
            values = np.asarray(file[name])
            precision = str(file[name].attrs.get("dtype", values.dtype))
            if values.dtype.kind == "V" and values.dtype.itemsize == 2:  # bfloat16
                values = values.view(ml_dtypes.bfloat16).astype(np.float32)
            if values.dtype.kind == "f" or values.dtype in (np.int8, np.uint8):
                yield StoredTensor(name, values.shape, precision, values)


def _of_tflite(path: Path) -> Iterator[StoredTensor]:
    from ai_edge_litert import schema_py_generated as schema

    from workbench.models.reading.tflite import IDENTIFIER
    from workbench.plain.litert.buffers import content_of

    content = path.read_bytes()
    if content[4:8] != IDENTIFIER:
        raise InvalidInput(say("{name} is no LiteRT model: the identifier TFL3 is missing.", name=path.name))
    names = {number: name for name, number in vars(schema.TensorType).items() if name.isupper()}
    try:
        model = schema.Model.GetRootAs(content, 0)
        for number in range(model.SubgraphsLength()):
            graph = model.Subgraphs(number)
            for index in range(graph.TensorsLength()):
                tensor = graph.Tensors(index)
                if not 0 < tensor.Buffer() < model.BuffersLength():
                    continue
                raw = content_of(model.Buffers(tensor.Buffer()), content)
                found = _tflite_tensor(raw, tensor, names[tensor.Type()].lower())
                if found is not None:
                    yield found
    except (struct.error, IndexError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(path) from error


def _tflite_tensor(raw: npt.NDArray[np.uint8], tensor: Any, precision: str) -> StoredTensor | None:
    if not len(raw):  # nothing is stored
        return None
    shape = tuple(int(tensor.Shape(axis)) for axis in range(tensor.ShapeLength()))
    quantization = tensor.Quantization()
    scaled = quantization is not None and quantization.ScaleLength() > 0
    if precision == "bfloat16":
        values: npt.NDArray[Any] = raw.view(ml_dtypes.bfloat16).astype(np.float32)
    elif precision in {"float32", "float16", "float64"}:
        values = raw.view(precision)
    elif precision in {"int4", "int2"} and scaled:
        values = _unpacked(raw, 4 if precision == "int4" else 2, prod(shape))
    elif precision in {"int8", "uint8", "int16"} and scaled:
        values = raw.view(precision)
    else:
        return None
    zero: Any = 0
    if scaled and quantization.ZeroPointLength():
        points = quantization.ZeroPointAsNumpy()
        zero = points[0]
        if len(points) > 1 and values.size == prod(shape) and np.ptp(points):
            values = values.reshape(shape)
            along = [1] * len(shape)
            along[quantization.QuantizedDimension()] = len(points)
            zero = points.reshape(along)
    name = (tensor.Name() or b"").decode("utf-8", "replace")
    return StoredTensor(name, shape, precision, values, zero)


def _unpacked(raw: npt.NDArray[np.uint8], bits: int, count: int) -> npt.NDArray[np.int8]:
    """Signed numbers of few bits, the lowest bits of a byte first."""
    shifts = np.arange(0, 8, bits, dtype=np.uint8)
    numbers = (raw.view(np.uint8)[:, None] >> shifts) & ((1 << bits) - 1)
    signed: npt.NDArray[np.int8] = numbers.view(ml_dtypes.int4 if bits == 4 else ml_dtypes.int2).astype(
        np.int8
    )
    return signed.ravel()[:count]


def _of_onnx(path: Path) -> Iterator[StoredTensor]:
    from onnx import TensorProto, numpy_helper

    from workbench.models.reading.onnx_graph import read_onnx

    graph = read_onnx(path).graph
    held = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.output and node.attribute and node.attribute[0].HasField("t"):
            held.setdefault(node.output[0], node.attribute[0].t)
    zeros: dict[str, Any] = {}
    packed: set[str] = set()
    for node in graph.node:
        weight, point = _ONNX_ZERO_POINTS.get(node.op_type, (0, len(node.input)))
        if point < len(node.input) and node.input[weight] in held and node.input[point] in held:
            zeros[node.input[weight]] = numpy_helper.to_array(held[node.input[point]])
        if node.op_type == "MatMulNBits":
            packed.add(node.input[1])
    for name, tensor in held.items():
        values = numpy_helper.to_array(tensor)
        precision = TensorProto.DataType.Name(tensor.data_type).lower()
        precision = {"float": "float32", "double": "float64"}.get(precision, precision)
        zero = zeros.get(name, 0)
        if name in packed:
            # Two to a byte, from 0 to 15; 8 stands for zero unless the operator says otherwise.
            values = np.stack([values & 15, values >> 4], axis=-1).reshape(values.shape[0], -1)
            precision, zero = "int4", 8
        elif precision in {"int4", "uint4"}:
            values = values.astype(np.int8)
        elif precision == "bfloat16":
            values = values.astype(np.float32)
        if values.dtype.kind != "f" and precision not in {"int8", "uint8", "int4", "uint4"}:
            continue
        if isinstance(zero, np.ndarray):
            zero = zero.astype(values.dtype)
            if zero.size == 1 or not np.ptp(zero):
                zero = zero.reshape(-1)[0]
            else:
                axis = next((at for at, size in enumerate(values.shape) if size == zero.size), 0)
                zero = zero.reshape([-1 if at == axis else 1 for at in range(values.ndim)])
        yield StoredTensor(name, values.shape, precision, values, zero)


def _of_openvino(path: Path) -> Iterator[StoredTensor]:
    from workbench.api.privacy import import_openvino

    openvino = import_openvino()
    try:
        model = openvino.Core().read_model(path / "model.xml" if path.is_dir() else path)
    except RuntimeError as error:
        raise _damaged(path) from error
    for node in model.get_ordered_ops():
        if node.get_type_name() != "Constant":
            continue
        precision = _openvino_precision(node.get_element_type().get_type_name())
        if not precision.startswith(("float", "bfloat", "int8", "uint8", "int4", "uint4", "nf4")):
            continue
        values = _openvino_values(node)
        yield StoredTensor(node.get_friendly_name(), values.shape, precision, values, _openvino_zero(node))


def _openvino_values(node: Any) -> npt.NDArray[Any]:
    kind = node.get_element_type().get_type_name()
    if kind == "bf16":
        return np.asarray(node.get_data(dtype=np.float32))
    values, shape = np.asarray(node.get_data()), tuple(node.get_output_shape(0))
    if kind in {"i4", "u4", "nf4"} and values.size < prod(shape):
        values = _unpacked(values.view(np.uint8), 4, prod(shape)).reshape(shape)
        if kind != "i4":
            values = values & 15
    return values


def _openvino_precision(name: str) -> str:
    letters = name.rstrip("0123456789")
    words = {"f": "float", "bf": "bfloat", "i": "int", "u": "uint"}
    return words.get(letters, letters) + name[len(letters) :]


def _openvino_zero(node: Any) -> Any:
    """The zero point that is subtracted from a stored tensor, shaped to be compared with it; else 0."""
    for _ in range(3):
        targets = list(node.output(0).get_target_inputs())
        if not targets:
            return 0
        consumer = targets[0].get_node()
        if consumer.get_type_name() == "Subtract":
            point = consumer.input(1).get_source_output().get_node()
            while point.get_type_name() == "Convert":
                point = point.input(0).get_source_output().get_node()
            return _openvino_values(point) if point.get_type_name() == "Constant" else 0
        if consumer.get_type_name() != "Convert":
            return 0
        node = consumer
    return 0
