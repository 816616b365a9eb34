"""Looks at tensors inside a trained model while it predicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from .channels import layer_at
from .retracing import retraced


@dataclass(frozen=True)
class Place:
    """A tensor inside a model: what a layer gives, or is called with.

    Attributes:
        layer: The layer's name; one of a nested model is ``model/layer``.
        argument: Number of the positional argument that it is called with, or its name; None: what it gives.
    """

    layer: str
    argument: int | str | None = None


def observe(
    model: keras.Model,
    places: Sequence[Place],
    measure: Callable[[int, Any], Any],
    samples: Any,
    *,
    batch_size: int = 64,
    check: Callable[[], None] | None = None,
) -> Iterator[list[tuple[int, Any]]]:
    """Goes through samples and measures tensors inside the model.

    Args:
        model: A built Sequential or functional model; it is not changed.
        places: Where to look. A layer that is called several times is looked at in each call.
        measure: Given the number of a place and its tensor for one batch, gives a tensor. It runs in the
            graph, so that what is kept is as small as it makes it.
        samples: An array, or a dict of them by input name.
        batch_size: Samples in a batch.
        check: Called before each batch; what it raises ends the work.

    Yields:
        For each batch the number of each place with what was measured there.

    Raises:
        ValueError: If a place is not in the model.
    """
    import tensorflow as tf

    numbers, watching = observed(model, places)

    @tf.function(reduce_retracing=True, autograph=False)  # type: ignore[untyped-decorator]
    def measured(batch: Any) -> list[Any]:
        tensors = keras.tree.flatten(watching(batch, training=False))
        return [measure(number, tensor) for number, tensor in zip(numbers, tensors, strict=True)]

    for batch in batches(model, samples, batch_size):
        if check is not None:
            check()
        found = [np.asarray(one) for one in measured(batch)]
        yield list(zip(numbers, found, strict=True))


def observed(model: keras.Model, places: Sequence[Place]) -> tuple[list[int], keras.Model]:
    """A model that gives tensors inside another one.

    Args:
        model: A built Sequential or functional model, whose layers the new one shares.
        places: Where they are.

    Returns:
        For each output of the new model the number of its place, and the new model.
    """
    at: dict[int, list[int]] = {}
    for number, place in enumerate(places):
        at.setdefault(id(layer_at(model, place.layer)), []).append(number)
    found: list[tuple[int, Any]] = []

    def call(operation: Any, arguments: tuple[Any, ...], keywords: dict[str, Any], old: list[Any]) -> Any:
        given = operation(*arguments, **keywords)
        for number in at.get(id(operation), ()):
            argument = places[number].argument
            if argument is None:
                tensor = given
            else:
                tensor = arguments[argument] if isinstance(argument, int) else keywords[argument]
            found.append((number, keras.tree.flatten(tensor)[0]))
        return given

    whole = retraced(model, call, lambda tensor: tensor)
    if missing := set(range(len(places))) - {number for number, _ in found}:
        raise ValueError(f"places must be those of layers. Received: {places[min(missing)]}")
    return [number for number, _ in found], keras.Model(inputs_of(whole), [tensor for _, tensor in found])


def inputs_of(model: keras.Model) -> Any:
    """The inputs in the form in which samples come: one tensor, or a dict of them by name.

    A model that is made for a list of inputs warns of samples in any other form.
    """
    return model.inputs[0] if len(model.inputs) == 1 else {tensor.name: tensor for tensor in model.inputs}


def batches(model: keras.Model, samples: Any, size: int) -> Iterator[Any]:
    """Samples in batches, as a model whose inputs are :func:`inputs_of` takes them.

    Args:
        model: Any model with these inputs. One that takes a fixed number of samples gets just these; the
            last batch is filled up with its last sample.
        samples: An array, or a dict of them by input name.
        size: Samples in a batch.
    """
    import tensorflow as tf

    fixed = model.inputs[0].shape[0]
    arrays = samples if isinstance(samples, dict) else {"": samples}
    count = len(next(iter(arrays.values())))
    for start in range(0, count, fixed or size):
        rows = np.arange(start, start + (fixed or size))
        rows = np.minimum(rows, count - 1) if fixed else rows[rows < count]
        # TensorFlow's own tensors: Keras has none of text.
        batch = {name: tf.convert_to_tensor(np.asarray(array[rows])) for name, array in arrays.items()}
        yield next(iter(batch.values())) if len(batch) == 1 else batch


def largest_change(before: keras.Model, after: keras.Model, samples: Any, *, batch_size: int = 64) -> float:
    """The largest difference between what two models give, as a share of the largest value of that output.

    Args:
        before: A model.
        after: One with the same inputs and outputs.
        samples: An array, or a dict of them by input name.
        batch_size: Samples in a batch.
    """
    models = [keras.Model(inputs_of(model), keras.tree.flatten(model.outputs)) for model in (before, after)]
    largest: Any = 0.0
    change: Any = 0.0
    for batch in batches(before, samples, batch_size):
        one, other = (_outputs(model, batch) for model in models)
        largest = np.maximum(largest, [np.abs(a).max() for a in one])
        # NaN, which is no change that could be told, must not be lost in a maximum.
        change = np.maximum(change, [np.abs(a - b).max() for a, b in zip(one, other, strict=True)])
    return float(np.max(change / np.maximum(largest, 1e-30)))


def _outputs(model: keras.Model, batch: Any) -> list[Any]:
    return [np.asarray(y, np.float64) for y in keras.tree.flatten(model(batch, training=False))]
