"""What every operation of a LiteRT or ONNX file gives, for one sample."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from workbench.api.dataset import Features
from workbench.data.batches import ordered

Values = dict[str, npt.NDArray[np.float32]]
"""Tensors by name."""


@dataclass(frozen=True)
class Step:
    """An operation of a file.

    Attributes:
        kind: The operator's type.
        inputs: Names of the tensors that it takes, constants included.
        output: Name of the first tensor that it gives.
        name: What a description of the file calls it.
    """

    kind: str
    inputs: tuple[str, ...]
    output: str
    name: str = ""


class TransparentFile(ABC):
    """A model file that shows what each of its operations gives."""

    steps: list[Step]

    @abstractmethod
    def __init__(self, path: Path) -> None: ...

    @abstractmethod
    def run(self, sample: Features) -> Values:
        """Every tensor that is computed from one sample, as real numbers."""


class LiteRTFile(TransparentFile):
    """A ``.tflite`` file; quantized tensors with one scale are shown as real numbers."""

    def __init__(self, path: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        self.steps = litert_steps(path)
        self._interpreter = Interpreter(
            str(path),
            num_threads=1,
            # XNNPACK would fuse tensors away.
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
        self._interpreter.allocate_tensors()
        wanted = {step.output for step in self.steps}
        self._details = [item for item in self._interpreter.get_tensor_details() if item["name"] in wanted]
        self._runner = self._interpreter.get_signature_runner()
        self._inputs = self._runner.get_input_details()

    @override
    def run(self, sample: Features) -> Values:
        from workbench.runtimes.litert import as_stored

        arrays = ordered(sample, list(self._inputs))
        self._runner(
            **{
                name: as_stored(np.asarray(array), detail, name)
                for array, (name, detail) in zip(arrays, self._inputs.items(), strict=True)
            }
        )
        return dict(self._values())

    def _values(self) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
        for detail in self._details:
            try:
                value = self._interpreter.get_tensor(detail["index"])
            except ValueError:  # not computed
                continue
            scales = detail["quantization_parameters"]["scales"]
            if len(scales) == 1:
                zero = detail["quantization_parameters"]["zero_points"][0]
                yield detail["name"], (value.astype(np.float32) - np.float32(zero)) * scales[0]
            elif value.dtype == np.float32:
                yield detail["name"], value


class OnnxFile(TransparentFile):
    """An ``.onnx`` file; tensors of float32 are shown."""

    def __init__(self, path: Path) -> None:
        import onnx

        from workbench.api.privacy import import_onnxruntime
        from workbench.models.reading.onnx_graph import read_onnx

        onnxruntime = import_onnxruntime()
        model = onnx.shape_inference.infer_shapes(read_onnx(path))
        types = {
            item.name: item.type.tensor_type.elem_type
            for item in (*model.graph.value_info, *model.graph.output)
        }
        self.steps = onnx_steps(model)
        given = {item.name for item in model.graph.output}
        self._names = [step.output for step in self.steps if types.get(step.output) == onnx.TensorProto.FLOAT]
        model.graph.output.extend(
            onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
            for name in self._names
            if name not in given
        )
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        # Optimized, it would fuse tensors away.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = [item.name for item in self._session.get_inputs()]

    @override
    def run(self, sample: Features) -> Values:
        arrays = ordered(sample, self._inputs)
        feed = {name: np.asarray(array) for name, array in zip(self._inputs, arrays, strict=True)}
        return dict(zip(self._names, self._session.run(self._names, feed), strict=True))


def litert_steps(path: Path) -> list[Step]:
    """The operations of a ``.tflite`` file in their order."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAs(path.read_bytes(), 0)
    graph = model.Subgraphs(0)
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if name.isupper()}

    def tensor(index: int) -> str:
        return (graph.Tensors(index).Name() or b"").decode() if index >= 0 else ""

    steps = []
    for operator in (graph.Operators(index) for index in range(graph.OperatorsLength())):
        code = model.OperatorCodes(operator.OpcodeIndex())
        inputs = tuple(tensor(operator.Inputs(i)) for i in range(operator.InputsLength()))
        output = tensor(operator.Outputs(0)) if operator.OutputsLength() else ""
        # older files keep the code in a field of one byte
        kind = names[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        if code.CustomCode():
            kind = code.CustomCode().decode("utf-8", "replace")
        steps.append(Step(kind, inputs, output, output.rpartition(";")[2]))
    return steps


def onnx_steps(model: Any) -> list[Step]:
    """The operations of an ``onnx.ModelProto`` in their order."""
    return [
        Step(node.op_type, tuple(node.input), node.output[0], node.name or node.output[0])
        for node in model.graph.node
        if node.output
    ]


BY_SUFFIX: dict[str, type[TransparentFile]] = {".tflite": LiteRTFile, ".onnx": OnnxFile}
"""Which files can be looked into."""
