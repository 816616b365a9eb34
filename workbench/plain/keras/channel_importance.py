"""How much each unit of a model matters, by which channel pruning chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from .channels import Gone, ModelChannels, Numbers, Scores, layer_at

TAYLOR_BATCHES = 10


def magnitude(
    model: Any, channels: ModelChannels, before: Gone, order: Literal[1, 2] = 1, role: str = "kernel"
) -> Scores:
    """Mean size of the weights that make each unit, relative to the others of its layer.

    Args:
        model: The model, from which ``before`` is missing.
        channels: The channels of the model it was made from.
        before: The units that are missing.
        order: 1 for the mean of absolute values, 2 for the root of the mean square.
        role: The weights that are looked at: ``kernel``, or ``scale`` for the gamma of
            BatchNormalization. Units without such weights are scored 0.

    Source: Li et al., Pruning Filters for Efficient ConvNets, 2017 (arXiv:1608.08710); for gamma Liu et
    al., Network Slimming, 2017 (arXiv:1708.06519).
    """
    total, count = np.zeros(channels.count), np.zeros(channels.count)
    for name, layer in channels.layers.items():
        chosen = [number for number, weight in enumerate(layer.weights) if weight.role == role]
        if not chosen:
            continue
        values = layer_at(model, name).get_weights()
        for number in chosen:
            weight = layer.weights[number]
            for at in weight.makes if role == "kernel" else (0,):
                axis = weight.axes[at]
                if not isinstance(axis, np.ndarray):
                    continue
                value = np.abs(values[number].astype(np.float64))
                others = tuple(other for other in range(value.ndim) if other != at)
                sizes = value.mean(axis=others) if order == 1 else np.sqrt((value**2).mean(axis=others))
                here = axis[~before[axis]]
                np.add.at(total, here, sizes / (sizes.mean() or 1.0))
                np.add.at(count, here, 1)
    return total / np.maximum(count, 1)


def batchnorm_scale(model: Any, channels: ModelChannels, before: Gone) -> Scores:
    """Gamma of the BatchNormalization behind each unit; the mean absolute weight where there is none."""
    scales = magnitude(model, channels, before, role="scale")
    return np.where(scales > 0, scales, magnitude(model, channels, before))


def taylor(
    model: Any,
    channels: ModelChannels,
    before: Gone,
    features: Any,
    labels: Any,
    loss: Callable[..., Any],
    *,
    batch_size: int,
    seed: int,
    judging: Callable[[int], None] | None = None,
    weights: Any = None,
    outputs: Sequence[str] = (),
) -> Scores:
    """First-order change of the loss if a unit were zero, squared, over batches of training samples.

    A unit's gate is its scale and shift in BatchNormalization, and kernel and bias of the layers that make
    it where no BatchNormalization follows: behind one, the loss does not feel the length of a kernel.

    Args:
        model: The model, from which ``before`` is missing.
        channels: The channels of the model it was made from.
        before: The units that are missing.
        features: An array, or one for each input by its name.
        labels: Of the same samples; of several outputs by name.
        loss: Such as ``keras.losses.SparseCategoricalCrossentropy()``; of several outputs ``SummedLoss`` of
            ``plain.keras.several_outputs``.
        batch_size: Samples of each batch.
        seed: Which samples are drawn.
        judging: Called with the number of each batch before it.
        weights: How much each sample counts, with an axis for each axis of the loss; once if None.
        outputs: Names of the outputs in the model's order, where it has several.

    Source: Molchanov et al., Importance Estimation for Neural Network Pruning, 2019 (arXiv:1906.10771).
    """
    import tensorflow as tf

    from .several_outputs import by_name

    answering = by_name(model, outputs) if outputs else model
    gates = [
        (layer_at(model, name).weights[number].value, at, axis[~before[axis]])
        for name, number, at, axis in _gates(channels)
    ]
    variables = [variable for variable, _, _ in gates]
    count = len(next(iter(labels.values())) if isinstance(labels, Mapping) else labels)
    order = np.random.default_rng(seed).permutation(count)
    total = np.zeros(channels.count)
    for number in range(min(TAYLOR_BATCHES, -(-len(order) // batch_size))):
        if judging is not None:
            judging(number)
        index = np.sort(order[number * batch_size : (number + 1) * batch_size])
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for variable in variables:
                tape.watch(variable)
            counted = {} if weights is None else {"sample_weight": _rows(weights, index)}
            given = answering(_samples(features, index), training=False)
            error = loss(_rows(labels, index), given, **counted)
        gradients = tape.gradient(error, variables, unconnected_gradients="zero")
        felt = np.zeros(channels.count)
        for (variable, at, here), gradient in zip(gates, gradients, strict=True):
            product = np.float64(variable.numpy()) * np.float64(tf.convert_to_tensor(gradient).numpy())
            others = tuple(other for other in range(product.ndim) if other != at)
            np.add.at(felt, here, product.sum(axis=others))
        total += felt**2
    return total


def _rows(values: Any, index: Numbers) -> Any:
    if isinstance(values, Mapping):
        return {name: _rows(array, index) for name, array in values.items()}
    return np.asarray(values[index])


def _samples(features: Any, index: Numbers) -> Any:
    from keras import ops

    if isinstance(features, Mapping):
        return {name: ops.convert_to_tensor(array[index]) for name, array in features.items()}
    return ops.convert_to_tensor(features[index])


def _gates(channels: ModelChannels) -> list[tuple[str, int, int, Numbers]]:
    """Everything that multiplies units as a whole: layer, number of the weight, axis, and its units."""
    normalized = channels.nothing()
    for layer in channels.layers.values():
        for weight in layer.weights:
            if weight.role == "scale" and isinstance(axis := weight.axes[0], np.ndarray):
                normalized[axis] = True
    return [
        (name, number, at, axis)
        for name, layer in channels.layers.items()
        for number, weight in enumerate(layer.weights)
        for at in ((0,) if weight.role in ("scale", "shift") else weight.makes)
        if isinstance(axis := weight.axes[at], np.ndarray)
        and (weight.role in ("scale", "shift") or not normalized[axis].any())
    ]


def random(channels: ModelChannels, seed: int) -> Scores:
    """Numbers without meaning: what any other measure has to beat."""
    return np.random.default_rng(seed).random(channels.count)
