"""Writes a Keras model as an ONNX file, whose converter does not see everything that TensorFlow runs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ..keras.export import predicting, signature


def export_onnx(model: Any, path: Path | str, *, opset: int = 17) -> None:
    """Writes an ONNX file with a free batch axis.

    Args:
        model: A built ``keras.Model``.
        path: The file to write.
        opset: ONNX operator set version, 13 to 18.
    """
    import keras
    from tf2onnx import tfonnx, utils

    # The converter numbers what it adds through the life of a process: a file would depend on those before.
    # One number is gone by the import of all of it, which is why it comes first.
    del tfonnx
    utils.INTERNAL_NAME = 2
    # A model that was only loaded counts as never called, and is then refused. Called with shapes alone:
    # where a length is free, one that is made up need not fit in.
    examples = [keras.KerasTensor(item.shape, dtype=item.dtype) for item in model.inputs]
    # A Sequential that was never called has no ``input``.
    whole = examples[0] if len(examples) == 1 else keras.tree.pack_sequence_as(model.input, examples)
    model(whole, training=False)
    with traceable(model), predicting(model):
        model.export(str(path), format="onnx", verbose=False, opset_version=opset, **signature(model))


def export_onnx_from_litert(source: Path | str, target: Path | str, *, opset: int = 17) -> None:
    """Writes what a float32 LiteRT file computes as an ONNX file with a free batch axis.

    Args:
        source: A ``.tflite`` file.
        target: The file to write.
        opset: ONNX operator set version, 13 to 18.
    """
    import tf2onnx

    tf2onnx.convert.from_tflite(str(source), opset=opset, output_path=str(target))


@contextlib.contextmanager
def traceable(model: Any) -> Iterator[None]:
    """Within it a model is traced into operations and constants alone.

    Tensors from outside of the graph, such as the statistics of an adapted Normalization or the result of
    ``keras.ops.arange`` in a functional model, would be taken by the converter for further inputs of the
    model. Grouped convolutions are compiled by XLA as functions of their own, since TensorFlow's kernels for
    processors lack them; the converter leaves such functions in as operations that no runtime knows. And the
    converter learns the operations that it lacks.

    Args:
        model: A built ``keras.Model``.
    """
    from keras.src.backend.tensorflow import nn
    from tensorflow.core.function.capture.capture_container import FunctionCaptures

    _teach_converter()
    tensorflow, capture = nn.tf, FunctionCaptures.capture_by_value
    try:
        FunctionCaptures.capture_by_value = _as_constants(capture)
        nn.tf = _Uncompiled(tensorflow)
        yield
    finally:
        nn.tf = tensorflow
        FunctionCaptures.capture_by_value = capture


def _as_constants(capture: Callable[..., Any]) -> Callable[..., Any]:
    """In place of TensorFlow's capture of a tensor as an input: values become constants of the graph."""
    from tensorflow.python.framework.dtypes import TF_VALUE_DTYPES
    from tensorflow.python.types.core import Value

    made: dict[tuple[int, int], tuple[Any, ...]] = {}  # with what it was made of, so that no identity recurs

    def constant(captures: Any, graph: Any, tensor: Any, name: str | None = None) -> Any:
        if not isinstance(tensor, Value) or tensor.dtype not in TF_VALUE_DTYPES:  # a variable's handle
            return capture(captures, graph, tensor, name)
        key = id(graph), id(tensor)
        if key not in made:
            with graph.as_default():
                made[key] = tensor._capture_as_const(name or "captured"), graph, tensor
        found = made[key][0]
        return capture(captures, graph, tensor, name) if found is None else found

    return constant


class _Uncompiled:
    """TensorFlow, with functions that are traced into the graph that calls them."""

    def __init__(self, tensorflow: Any) -> None:
        self._tensorflow = tensorflow

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tensorflow, name)

    @staticmethod
    def function(**_: Any) -> Callable[[Any], Any]:
        """In place of ``tf.function``: leaves a Python function as it is."""
        return lambda function: function


@cache
def _teach_converter() -> None:
    """Adds what tf2onnx lacks, once in a process: ``Erfc``, which TensorFlow's exact GELU is made of."""
    from tf2onnx import utils
    from tf2onnx.handler import tf_op

    class Erfc:
        """erfc(x) = 1 - erf(x)."""

        @classmethod
        def version_9(cls, ctx: Any, node: Any, **_: Any) -> None:
            dtype = utils.map_onnx_to_numpy_type(ctx.get_dtype(node.output[0]))
            one = ctx.make_const(utils.make_name("one"), np.array(1, dtype))
            node.type = "Erf"
            ctx.insert_new_node_on_output(
                "Sub", node.output[0], name=utils.make_name("erfc"), inputs=[one.output[0], node.output[0]]
            )

    tf_op("Erfc")(Erfc)
