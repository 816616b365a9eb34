"""How a Keras model is traced for the ONNX converter, which does not see everything that TensorFlow runs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


@contextlib.contextmanager
def traceable(model: Any) -> Iterator[None]:
    """Within it a model is traced into operations and constants alone.

    An adapted Normalization computes with tensors from outside of the graph, which the converter takes for
    further inputs of the model. Grouped convolutions are compiled by XLA as functions of their own, since
    TensorFlow's kernels for processors lack them; the converter leaves such functions in as operations that
    no runtime knows.

    Args:
        model: A built ``keras.Model``.
    """
    from keras.src.backend.tensorflow import nn

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
