"""How a Keras model is traced for the ONNX converter, which does not see everything that TensorFlow runs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np


@contextlib.contextmanager
def traceable(model: Any) -> Iterator[None]:
    """Within it a model is traced into operations and constants alone.

    An adapted Normalization computes with tensors from outside of the graph, which the converter takes for
    further inputs of the model. Grouped convolutions are compiled by XLA as functions of their own, since
    TensorFlow's kernels for processors lack them; the converter leaves such functions in as operations that
    no runtime knows. And the converter learns the operations that it lacks.

    Args:
        model: A built ``keras.Model``.
    """
    from keras.src.backend.tensorflow import nn

    _teach_converter()
    adapted = [layer for layer in _layers(model) if type(layer).__name__ == "Normalization"]
    before = [(layer.mean, layer.variance) for layer in adapted]
    tensorflow = nn.tf
    try:
        for layer in adapted:
            layer.mean, layer.variance = (
                None if value is None else np.asarray(value) for value in (layer.mean, layer.variance)
            )
        nn.tf = _Uncompiled(tensorflow)
        yield
    finally:
        nn.tf = tensorflow
        for layer, (mean, variance) in zip(adapted, before, strict=True):
            layer.mean, layer.variance = mean, variance


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


def _layers(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        if hasattr(layer, "layers"):
            yield from _layers(layer)
        else:
            yield layer


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
