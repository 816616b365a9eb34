"""What the units of a model give for samples, seen wherever a layer reads them.

A unit that is zero there for every sample is of no use: without it the model gives the same. It does not
matter what makes it zero, such as a ReLU as a layer, as an activation or behind a BatchNormalization, or
weights that are all zero. What counts is what arrives at the kernels that read it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from .channels import Gone, ModelChannels
from .observing import Place, observe


@dataclass(frozen=True)
class UnitActivity:
    """What units gave for samples, each by its number; what was read nowhere neither fires nor varies.

    Attributes:
        fires: Whether it was anything but zero, at any place where it is read.
        varies: Whether it was not the same at one of these for all samples, at all positions.
    """

    fires: Gone
    varies: Gone


def unit_activity(
    model: keras.Model,
    channels: ModelChannels,
    samples: Any,
    *,
    batch_size: int = 64,
    check: Callable[[], None] | None = None,
) -> UnitActivity:
    """Looks at each unit wherever a layer reads it.

    Args:
        model: A built model; it is not changed.
        channels: Its channels, with what layers read.
        samples: An array, or a dict of them by input name.
        batch_size: Samples in a batch.
        check: Called before each batch; what it raises ends the work.
    """
    reads = [(name, read) for name, layer in channels.layers.items() for read in layer.reads]
    lowest = [np.full(len(read.units), np.inf) for _, read in reads]
    highest = [np.full(len(read.units), -np.inf) for _, read in reads]
    fires = [np.zeros(len(read.units), np.bool_) for _, read in reads]

    def extent(number: int, tensor: Any) -> Any:
        others = [axis for axis in range(len(tensor.shape)) if axis != reads[number][1].axis]
        # A value that is not a number is not zero, but lost in a minimum.
        some = ops.cast(ops.any(ops.not_equal(tensor, 0), others), "float32")
        tensor = ops.cast(tensor, "float32")
        return ops.stack([ops.min(tensor, others), ops.max(tensor, others), some])

    places = [Place(name, read.argument) for name, read in reads]
    for found in observe(model, places, extent, samples, batch_size=batch_size, check=check):
        for number, (low, high, some) in found:
            lowest[number] = np.minimum(lowest[number], low)
            highest[number] = np.maximum(highest[number], high)
            fires[number] |= some > 0
    result = UnitActivity(channels.nothing(), channels.nothing())
    for (_, read), low, high, some in zip(reads, lowest, highest, fires, strict=True):
        np.logical_or.at(result.fires, read.units, some)
        np.logical_or.at(result.varies, read.units, ~(low == high))
    return result
