"""The arithmetic of layers that multiply each channel by a factor and add an offset.

BatchNormalization, Normalization and Rescaling do that when a model predicts. Beside a linear layer
it is part of that layer's weights: behind it, ``f (W x + b) + o`` is ``(f W) x + (f b + o)``; in
front of it, ``W (f x + o) + b`` is ``(W f) x + (W o + b)``.

Source: Jacob et al., Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference, CVPR 2018 (arXiv:1712.05877), section 3.2, for BatchNormalization.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

DEPTHWISE = frozenset({"DepthwiseConv1D", "DepthwiseConv2D"})
SEPARABLE = frozenset({"SeparableConv1D", "SeparableConv2D"})
TRANSPOSED = frozenset({"Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"})
LINEAR = frozenset({"Dense", "Conv1D", "Conv2D", "Conv3D"}) | DEPTHWISE | SEPARABLE | TRANSPOSED
"""Layers whose weights can take a factor and an offset per channel."""

AFFINE = frozenset({"BatchNormalization", "Normalization", "Rescaling"})
"""Layers that are a factor and an offset per channel when a model predicts."""


def affine(layer: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """What a layer does to each channel when the model predicts: ``x * factor + offset``.

    Args:
        layer: A BatchNormalization, Normalization or Rescaling layer.

    Returns:
        The factor and the offset, shape ``(channels,)``, or ``()`` where they are one for all.
    """
    match type(layer).__name__:
        case "BatchNormalization":
            factor = 1 / np.sqrt(_real(layer.moving_variance) + layer.epsilon)
            if layer.scale:
                factor = factor * _real(layer.gamma)
            offset = -_real(layer.moving_mean) * factor
            return factor, offset + (_real(layer.beta) if layer.center else 0.0)
        case "Normalization":
            import keras  # the layer is Keras', so it is here

            mean, variance = _real(layer.mean).squeeze(), _real(layer.variance).squeeze()
            # Keras keeps the divisor above its fuzz factor.
            spread = np.maximum(np.sqrt(variance), keras.config.epsilon())
            return (spread, -mean) if layer.invert else (1 / spread, -mean / spread)
        case "Rescaling":
            factor, offset = np.broadcast_arrays(_real(layer.scale), _real(layer.offset))
            return np.array(factor), np.array(offset)
        case kind:
            raise ValueError(f"layer must be one of {sorted(AFFINE)}. Received: {kind}")


def kernels_and_bias(layer: Any) -> list[npt.NDArray[np.float64]]:
    """The weights of a linear layer; a bias of zeros where it has none.

    Args:
        layer: One of :data:`LINEAR`.

    Returns:
        Its kernel, or two, and its bias, in Keras' order and shapes.
    """
    arrays = [_real(weight) for weight in layer.get_weights()]
    if layer.use_bias:
        return arrays
    kernel, kind = arrays[-1], type(layer).__name__
    if kind in DEPTHWISE:
        count = kernel.shape[-1] * kernel.shape[-2]
    else:
        count = kernel.shape[-2 if kind in TRANSPOSED else -1]
    return [*arrays, np.zeros(count)]


def scaled(
    kind: str,
    weights: list[npt.NDArray[np.float64]],
    factor: npt.NDArray[np.float64],
    offset: npt.NDArray[np.float64],
    *,
    after: bool,
) -> list[npt.NDArray[np.float64]]:
    """The weights of a linear layer with a factor and an offset computed into them.

    Args:
        kind: Class of the layer, such as ``Conv2D``.
        weights: What :func:`kernels_and_bias` returns.
        factor: Shape ``(channels,)`` or ``()``: of outputs if ``after``, else of inputs.
        offset: The same shape.
        after: Whether they come behind the layer.
    """
    *kernels, bias = weights
    if after:
        return [*kernels[:-1], kernels[-1] * _over_outputs(kind, kernels[-1], factor), bias * factor + offset]
    first = kernels[0]
    if kind in TRANSPOSED:
        return [first * factor, bias]  # only without an offset, which borders would see
    inputs = first.shape[-2]
    shift = first * np.broadcast_to(offset, (inputs,))[:, None]
    shift = shift.sum(axis=tuple(range(first.ndim - 2)))
    if kind in SEPARABLE:
        moved = shift.reshape(-1) @ kernels[1].reshape(-1, kernels[1].shape[-1])
    else:
        moved = shift.reshape(-1) if kind in DEPTHWISE else shift.sum(axis=0)
    return [first * np.broadcast_to(factor, (inputs,))[:, None], *kernels[1:], bias + moved]


def _over_outputs(
    kind: str, kernel: npt.NDArray[np.float64], factor: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """The factor in the shape that multiplies a kernel's output channels."""
    if factor.ndim == 0:
        return factor
    if kind in TRANSPOSED:
        return factor[:, None]  # its kernel ends in (outputs, inputs)
    if kind in DEPTHWISE:
        return factor.reshape(kernel.shape[-2:])
    return factor


def _real(value: Any) -> npt.NDArray[np.float64]:
    return np.asarray(value, dtype=np.float64)
