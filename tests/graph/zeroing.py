"""Zeroes the weights behind channels in place, so that removing those channels must change nothing."""

import numpy as np

from workbench.graph.dependencies import DependencyGraph
from workbench.graph.units import Units


def units_of(model):
    return Units(DependencyGraph(model.get_config()))


def some_units(units, fraction, seed=0):
    """Units at random, at least one of each group staying."""
    rng = np.random.default_rng(seed)
    chosen = [
        rng.choice(group.units, min(int(np.ceil(len(group.units) * fraction)), len(group.units) - 1), False)
        for group in units.groups
    ]
    return np.concatenate([np.empty(0, np.int64), *chosen])


def layer_at(model, path):
    for name in path:
        model = model.get_layer(name)
    return model


def changed_weights(model, units):
    """The parts of each layer with its weights, which it gets back as they are afterwards."""
    for path, parts in units.graph.layers.items():
        if parts.weights:
            layer = layer_at(model, path)
            values = [np.array(value) for value in layer.get_weights()]
            yield parts, values
            layer.set_weights(values)


def zero_outgoing(model, units, removed):
    """Zeroes what reads the removed channels: slices of kernels along axes that their layer does not make."""
    for parts, values in changed_weights(model, units):
        for weight, value in zip(parts.weights, values, strict=True):
            if weight.role != "kernel":
                continue
            for at, axis in enumerate(weight.axes):
                if at in weight.made or axis.channels is None:
                    continue
                value[(slice(None),) * at + (removed[axis.channels],)] = 0
        for number, axis in parts.rescaled:
            # Attention multiplies queries by keys: there a channel is dead if it is zero.
            values[number][..., removed[axis.channels]] = 0


def zero_made(model, units, removed):
    """Zeroes what makes the removed channels, and what changes them on their way; not what reads them."""
    for parts, values in changed_weights(model, units):
        for weight, value in zip(parts.weights, values, strict=True):
            for at, axis in enumerate(weight.axes):
                if axis.channels is not None and (at in weight.made or weight.role != "kernel"):
                    value[(slice(None),) * at + (removed[axis.channels],)] = 0


def randomized(model, seed=0):
    """Weights away from zeros and ones, statistics included; random kernels stay as they are."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        value = np.asarray(weight)
        if weight.dtype.startswith("float") and np.ptp(value) == 0:
            noise = rng.normal(size=value.shape).astype(value.dtype) * 0.1
            weight.assign(np.abs(value + noise) + 0.1 if "variance" in weight.path else value + noise)
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()  # a Normalization computes with a copy of its weights
    return model


def largest_change(model, smaller, features):
    """Largest difference of any output, relative to the largest value where that is above 1."""
    import keras

    worst = 0.0
    for one, other in zip(
        keras.tree.flatten(model(features, training=False)),
        keras.tree.flatten(smaller(features, training=False)),
        strict=True,
    ):
        one, other = np.asarray(one), np.asarray(other)
        assert np.isfinite(one).all()
        worst = max(worst, float(np.abs(one - other).max() / max(1.0, np.abs(one).max())))
    return worst


def samples(model, count=3, steps=6):
    """Random inputs; free lengths become ``steps``."""
    rng = np.random.default_rng(1)
    arrays = []
    for tensor in model.inputs:
        shape = [count, *(steps if length is None else length for length in tensor.shape[1:])]
        if "int" in str(tensor.dtype):
            arrays.append(rng.integers(0, 5, shape).astype("int32"))
        else:
            arrays.append(rng.normal(size=shape).astype("float32"))
    return arrays[0] if len(arrays) == 1 else arrays
