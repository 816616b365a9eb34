"""How many bytes weights take in a converted file, from what Keras says of the layers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from workbench.api.variant import Layer

SCALE = 4.0
"""Bytes of a scale, one for each channel."""
ZERO_POINT = 8.0
"""Bytes of a zero point in a LiteRT file. Those of symmetric weights are all 0, and as many zeros are stored
once, for all layers of so many channels."""
_BIAS = 4.0
_FLOAT = 32


def stored_bytes(
    layers: Sequence[Layer],
    bits: Callable[[Layer], float],
    *,
    bias: float = _BIAS,
    per_channel: float = 0.0,
    shared_per_channel: float = 0.0,
) -> float:
    """Bytes of the weights of layers in a file for a runtime, where normalizations are folded into kernels.

    Args:
        layers: As Keras describes them.
        bits: Of each weight of a layer's kernel.
        bias: Bytes of each bias.
        per_channel: Bytes that each output channel of a kernel takes besides, where it is rounded.
        shared_per_channel: Bytes that each takes once for all layers of so many channels.
    """
    total = 0.0
    shared: set[int] = set()
    for layer in layers:
        if not layer.parameters:
            continue
        channels = (layer.output_shape[-1] if layer.output_shape else None) or 0
        if layer.kind == "BatchNormalization":
            # The bias of the layer before it is what is left; if that had one, it is counted there, too.
            total += bias * channels
            continue
        kernel, each = _kernel(layer, channels), bits(layer)
        total += kernel * each / 8 + (layer.parameters - kernel) * bias
        if each < _FLOAT:
            total += channels * per_channel
            shared.add(channels)
    return total + shared_per_channel * sum(shared)


def _kernel(layer: Layer, channels: int) -> int:
    """Weights of a layer that are multiplied; the others are biases."""
    positions = math.prod(axis or 0 for axis in layer.output_shape[:-1])
    if layer.macs and positions and layer.macs % positions == 0:
        kernel = layer.macs // positions
        if 0 <= layer.parameters - kernel <= channels:
            return kernel
    return layer.parameters - min(channels, layer.parameters)
