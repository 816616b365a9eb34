"""Writes a Keras model as a LiteRT file, whose converter wants to know shapes before anything runs."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..keras.export import signature


def export_litert(model: Any, path: Path | str, **converter: Any) -> None:
    """Writes a LiteRT file.

    Args:
        model: A built ``keras.Model``.
        path: The file to write; its name ends in ``.tflite``.
        **converter: Attributes of ``tf.lite.TFLiteConverter``, such as ``optimizations`` or
            ``representative_dataset``. Unless ``target_spec`` says otherwise, only operators that
            LiteRT has itself are allowed.
    """
    import tensorflow as tf

    converter.setdefault("target_spec", {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]})
    with static_shapes():
        model.export(str(path), format="litert", verbose=False, **signature(model), **converter)


@contextlib.contextmanager
def static_shapes() -> Iterator[None]:
    """Within it shapes are constants: those of Flatten and Reshape, and the batch of recurrent layers.

    Keras asks for the batch size of the tensor that it reshapes. In a LiteRT file that becomes three
    operations (SHAPE, STRIDED_SLICE, PACK) that no delegate takes: the graph is cut in two there, and a
    small model takes a tenth longer. -1 for the batch says the same in a constant.

    The loop of a recurrent layer keeps a list of states, which LiteRT can only hold where their shape is
    known: such a model takes one sample at a time.
    """
    from keras import InputSpec, layers, ops, tree
    from keras.src.export import litert

    plain = layers.Flatten.call, layers.Reshape.call

    def flatten(self: Any, inputs: Any) -> Any:
        shape = tuple(inputs.shape)[1:]
        if not shape or None in shape or self.data_format == "channels_first":
            return plain[0](self, inputs)
        return ops.reshape(inputs, (-1, math.prod(shape)))

    def reshape(self: Any, inputs: Any) -> Any:
        shape = self.compute_output_shape(tuple(inputs.shape))[1:]
        if None in shape:
            return plain[1](self, inputs)
        return ops.reshape(inputs, (-1, *shape))

    signature_of = litert.get_input_signature

    def one_sample(spec: Any) -> Any:
        return InputSpec(shape=(1, *spec.shape[1:]), dtype=spec.dtype, name=spec.name)

    def signature(model: Any) -> Any:
        free = signature_of(model)
        if not any(isinstance(layer, layers.RNN) for layer in model._flatten_layers()):
            return free
        return tree.map_structure(one_sample, free)

    _replace(layers, flatten, reshape)
    litert.get_input_signature = signature
    try:
        yield
    finally:
        _replace(layers, *plain)
        litert.get_input_signature = signature_of


def _replace(layers: Any, flatten: Callable[..., Any], reshape: Callable[..., Any]) -> None:
    layers.Flatten.call, layers.Reshape.call = flatten, reshape
