"""Bytes that a layer's weights take in a converted file, from what Keras says of the layer."""

from __future__ import annotations

from workbench.api.variant import Layer

SCALE = 4.0
"""Bytes of a scale, one for each channel."""
ZERO_POINT = 8.0
"""Bytes of a zero point in a LiteRT file, one for each scale."""
_BIAS = 4.0


def stored_bytes(layer: Layer, bits: float, *, bias: float = _BIAS, per_channel: float = 0.0) -> float:
    """Bytes of a layer's weights in a file for a runtime, where normalizations are folded into kernels.

    Args:
        layer: As Keras describes it.
        bits: Of each weight of a kernel.
        bias: Bytes of each bias.
        per_channel: Bytes that each output channel takes besides.
    """
    if not layer.parameters:
        return 0.0
    channels = (layer.output_shape[-1] if layer.output_shape else None) or 0
    if layer.kind == "BatchNormalization":
        # What is left of it is the bias of the layer before it. Its bias, if it has one, is counted there.
        return bias * channels
    biases = min(channels, layer.parameters)
    return (layer.parameters - biases) * bits / 8 + biases * (bias + per_channel)
