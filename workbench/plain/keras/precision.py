"""Training in 16-bit arithmetic, with float32 weights before, while and after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


@contextmanager
def computing_in(model: keras.Model, policy: str) -> Iterator[None]:
    """Lets the layers of a model compute in 16 bits inside a ``with`` block.

    Layers that give an output stay in float32, since softmax and loss lose too much in 16 bits; layers that
    are not float32 stay as they are. Weights are float32 all the time, and afterwards the model is what it
    was, so that it can be saved and exported.

    Source: Micikevicius et al., Mixed precision training, 2017 (arXiv:1710.03740).

    Args:
        model: A built Keras model.
        policy: ``mixed_float16``, ``mixed_bfloat16``, or ``float32``, which changes nothing.
    """
    if policy == "float32":
        yield
        return
    # Layers inside of layers too, such as the cells of recurrent ones; Keras has no public name for it.
    layers = [
        layer for layer in model._flatten_layers(include_self=False) if layer.dtype_policy.name == "float32"
    ]
    last = []
    for output in model.outputs:
        history = output._keras_history
        while getattr(history.operation, "outputs", None):  # a model inside the model
            history = history.operation.outputs[history.tensor_index]._keras_history
        last.append(history.operation)
    before = [(layer, layer.dtype_policy) for layer in layers]
    try:
        for layer in layers:
            if not any(layer is one for one in last):
                layer.dtype_policy = policy
        yield
    finally:
        for layer, own in before:
            layer.dtype_policy = own
