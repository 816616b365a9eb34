"""How much each unit of a model matters, by which channel pruning chooses."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from workbench.api.dataset import sample_count, select
from workbench.api.technique import Context
from workbench.api.text import say
from workbench.graph.channels import Ids
from workbench.graph.parts import Path
from workbench.graph.surgery import layer_at
from workbench.graph.units import Removed, Units
from workbench.techniques.structure.pruning.plan import Scores

Importance = Literal["l1", "l2", "batchnorm", "taylor", "random"]
TAYLOR_BATCHES = 10


def magnitude(
    model: Any, units: Units, before: Removed, order: Literal[1, 2], role: str = "kernel"
) -> Scores:
    """Mean size of the weights that make each unit, relative to the others of its layer.

    Args:
        model: The model, from which ``before`` is missing.
        units: The units of the model it was made from.
        before: The channels that are missing.
        order: 1 for the mean of absolute values, 2 for the root of the mean square.
        role: The weights that are looked at: ``kernel``, or ``scale`` for the gamma of
            BatchNormalization. Units without such weights are scored 0.

    Source: Li et al., Pruning Filters for Efficient ConvNets, 2017 (arXiv:1608.08710); for gamma Liu et
    al., Network Slimming, 2017 (arXiv:1708.06519).
    """
    total, count = np.zeros(len(units.of)), np.zeros(len(units.of))
    for path, parts in units.graph.layers.items():
        chosen = [number for number, weight in enumerate(parts.weights) if weight.role == role]
        if not chosen:
            continue
        values = layer_at(model, path).get_weights()
        for number in chosen:
            weight = parts.weights[number]
            for at in weight.made if role == "kernel" else (0,):
                channels = weight.axes[at].channels
                if channels is None:
                    continue
                value = np.abs(values[number].astype(np.float64))
                others = tuple(axis for axis in range(value.ndim) if axis != at)
                sizes = value.mean(axis=others) if order == 1 else np.sqrt((value**2).mean(axis=others))
                found = units.of[channels[~before[channels]]]
                np.add.at(total, found, sizes / (sizes.mean() or 1.0))
                np.add.at(count, found, 1)
    return total / np.maximum(count, 1)


def batchnorm_scale(model: Any, units: Units, before: Removed) -> Scores:
    """Gamma of the BatchNormalization behind each unit; the mean absolute weight where there is none."""
    scales = magnitude(model, units, before, 1, role="scale")
    return np.where(scales > 0, scales, magnitude(model, units, before, 1))


def taylor(
    model: Any,
    units: Units,
    before: Removed,
    context: Context,
    *,
    batch_size: int,
    from_logits: bool,
    seed: int,
) -> Scores:
    """First-order change of the loss if a unit were zero, squared, over batches of the training split.

    A unit's gate is its scale and shift in BatchNormalization, and kernel and bias of the layers that make
    it where no BatchNormalization follows: behind one, the loss does not feel the length of a kernel.

    Source: Molchanov et al., Importance Estimation for Neural Network Pruning, 2019 (arXiv:1906.10771).
    """
    import tensorflow as tf

    from workbench.training.loop import cross_entropy

    gates = [
        (layer_at(model, path).weights[number].value, at, units.of[channels[~before[channels]]])
        for path, number, at, channels in gate_axes(units)
    ]
    loss = cross_entropy(int(model.output_shape[-1]), from_logits)
    features, labels = context.dataset.x("train"), np.asarray(context.dataset.y("train"))
    order = np.random.default_rng(seed).permutation(sample_count(features))
    total = np.zeros(len(units.of))
    variables = [variable for variable, _, _ in gates]
    for number in range(min(TAYLOR_BATCHES, -(-len(order) // batch_size))):
        context.report.check()
        context.report.stage(
            say("Judging channels: batch {number} of {all}", number=number + 1, all=TAYLOR_BATCHES)
        )
        index = np.sort(order[number * batch_size : (number + 1) * batch_size])
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for variable in variables:
                tape.watch(variable)
            batch = tf.nest.map_structure(tf.convert_to_tensor, select(features, index))
            error = loss(labels[index], model(batch, training=False))
        gradients = tape.gradient(error, variables, unconnected_gradients="zero")
        felt = np.zeros(len(units.of))
        for (variable, at, found), gradient in zip(gates, gradients, strict=True):
            product = np.float64(variable.numpy()) * np.float64(tf.convert_to_tensor(gradient).numpy())
            others = tuple(axis for axis in range(product.ndim) if axis != at)
            np.add.at(felt, found, product.sum(axis=others))
        total += felt**2
    return total


def gate_axes(units: Units) -> list[tuple[Path, int, int, Ids]]:
    """Everything that multiplies units as a whole: layer, number of the weight, axis, its channels."""
    normalized = np.zeros(len(units.of), np.bool_)
    layers = units.graph.layers.values()
    for parts in layers:
        for weight in parts.weights:
            if weight.role == "scale" and (channels := weight.axes[0].channels) is not None:
                normalized[units.of[channels]] = True
    return [
        (parts.path, number, at, channels)
        for parts in layers
        for number, weight in enumerate(parts.weights)
        for at in ((0,) if weight.role in ("scale", "shift") else weight.made)
        if (channels := weight.axes[at].channels) is not None
        and (weight.role in ("scale", "shift") or not normalized[units.of[channels]].any())
    ]


def random(units: Units, seed: int) -> Scores:
    """Numbers without meaning: what any other measure has to beat."""
    return np.random.default_rng(seed).random(len(units.of))
