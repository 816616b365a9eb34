"""Zeroes the weights behind channels in place, so that removing those channels must change nothing."""

import numpy as np

from workbench.graph.calls import calls
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


def zero_outgoing(model, units, removed):
    """Zeroes what reads the removed channels: slices of kernels along axes that their layer does not make."""
    for path, parts in units.graph.layers.items():
        if not parts.weights:
            continue
        layer = layer_at(model, path)
        values = [np.array(value) for value in layer.get_weights()]
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
        layer.set_weights(values)


def randomized(model, seed=0):
    """Weights away from their initial zeros and ones, statistics included."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.dtype.startswith("float"):
            value = np.asarray(weight)
            noise = rng.normal(size=value.shape).astype(value.dtype) * 0.1
            weight.assign(np.abs(value + noise) + 0.1 if "variance" in weight.path else value + noise)
    return model


def kinds(model):
    return {call.kind for call in calls(model.get_config())}
