"""The last way to open a model of the user's own class: only the graph that TensorFlow runs is kept of it.

Such a model is one layer, whose weights are constants. Every runtime takes it, and quantization after
training does; a student can learn from it. Nothing in it can be trained, pruned or decomposed.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from workbench.api.text import Text
from workbench.api.variant import OwnClass
from workbench.models.intake.own_inputs import forms_of, symbolic_inputs


def graph_only(model: Any, samples: Any, reason: Text) -> tuple[Any, OwnClass] | None:
    """A functional model of one layer that computes what a model does; None where not even that can be had.

    Args:
        model: A built Keras 3 model, which is not changed.
        samples: A few inputs as the model takes them, if any are known.
        reason: Why it was not opened as layers.
    """
    import keras
    import numpy as np
    import tensorflow as tf

    from workbench.plain.keras.frozen_graph import frozen

    for form in forms_of(model, samples):
        inputs = keras.tree.flatten(symbolic_inputs(form))
        given = keras.tree.flatten(form.samples)

        run = _runner(model, form.samples)
        try:
            expected = run(*(tf.convert_to_tensor(array) for array in given))
            specs = [tf.TensorSpec(tensor.shape, tensor.dtype, tensor.name) for tensor in inputs]
            layer = frozen(run, specs, "graph", sum(prod(weight.shape) for weight in model.weights))
            whole = keras.Model(inputs if len(inputs) > 1 else inputs[0], layer(*inputs), name=model.name)
            computed = keras.tree.flatten(whole(given if len(given) > 1 else given[0], training=False))
        # whatever the user's own code, Keras and TensorFlow raise where it is run in this way
        except Exception:  # noqa: S112  # the reason that counts is why it is not written out
            continue
        pairs = zip(expected, computed, strict=True)
        if all(np.allclose(one, other, rtol=1e-5, atol=1e-5, equal_nan=True) for one, other in pairs):
            kind = type(model).__name__
            return whole, OwnClass(name=kind, layers=1, closed=(f"graph ({kind})",), graph_only=reason)
    return None


def _runner(model: Any, structure: Any) -> Callable[..., list[Any]]:
    import keras

    def run(*tensors: Any) -> list[Any]:
        outputs = model(keras.tree.pack_sequence_as(structure, list(tensors)), training=False)
        return list(keras.tree.flatten(outputs))

    return run
