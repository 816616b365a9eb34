"""Which layers can become products of smaller ones, and the layers that they become."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .factors import Factors, MatrixFactors, Ranks, TuckerFactors
from .kernels import leaves, summed_axes

if TYPE_CHECKING:
    import keras

ConvolutionMethod = Literal["spatial", "tucker"]
Obstacle = Literal["kind", "frozen", "changed", "groups", "equation"]

DENSE = frozenset({"Dense", "EinsumDense"})
CONVOLUTIONS = frozenset({"Conv1D", "Conv2D"})
KINDS = DENSE | CONVOLUTIONS
"""Layers that can be factorized."""

_OWN = (
    *("kernel_constraint", "bias_constraint", "bias_initializer"),
    *("bias_regularizer", "activity_regularizer", "quantization_config"),
)
"""What a layer says of its bias, its output or its whole kernel: the first factor has none of it."""


@dataclass(frozen=True)
class Factorable:
    """A layer whose kernel can be split.

    Attributes:
        name: Its name from the outside in.
        path: The same as a path.
        layer: The Keras layer.
        factors: Its kernel.
    """

    name: str
    path: tuple[str, ...]
    layer: Any
    factors: Factors


def factorable(
    model: keras.Model,
    *,
    kinds: Collection[str] = KINDS,
    leave: Collection[str] = (),
    convolutions: ConvolutionMethod = "spatial",
) -> list[Factorable]:
    """The layers of a model that can be split, each once, nested models included.

    Args:
        model: A built model.
        kinds: Classes of the layers that are wanted.
        leave: Names of layers that stay as they are.
        convolutions: What a Conv2D becomes: a column and a row, or three convolutions in fewer channels.
    """
    found: list[Factorable] = []
    for name, layer in leaves(model):
        wanted = type(layer).__name__ in kinds and layer.name not in leave and obstacle(layer) is None
        if wanted and all(layer is not other.layer for other in found):
            found.append(Factorable(name, tuple(name.split("/")), layer, factors_of(layer, convolutions)))
    return found


def split(model: keras.Model, layers: Sequence[Factorable], ranks: Mapping[str, Ranks]) -> keras.Model:
    """A new model with layers in their factors.

    Args:
        model: A Sequential or functional model; it is not changed.
        layers: What :func:`factorable` found in it.
        ranks: Of each layer that is split, by its name.
    """
    from .rebuild import rebuild

    chosen = {layer.path: layer for layer in layers if layer.name in ranks}

    def parts(path: tuple[str, ...], layer: Any) -> list[Any] | None:
        return factor_layers(chosen[path], ranks[chosen[path].name]) if path in chosen else None

    rebuilt = rebuild(model, parts)
    for path, layer in chosen.items():
        set_factors(layer, ranks[layer.name], rebuilt.layers[path])
    return rebuilt.model


def obstacle(layer: Any) -> Obstacle | None:
    """What keeps a layer from being split, or None.

    ``changed`` are weights that are quantized, or have low-rank additions already.
    """
    kind = type(layer).__name__
    if kind not in KINDS or not type(layer).__module__.startswith("keras."):
        return "kind"
    if not layer.trainable:
        return "frozen"
    if getattr(layer, "quantization_mode", None) or getattr(layer, "lora_enabled", False):
        return "changed"
    if getattr(layer, "groups", 1) > 1:
        return "groups"
    if kind == "EinsumDense" and _einsum(layer.equation) is None:
        return "equation"
    return None


def factors_of(layer: Any, method: ConvolutionMethod) -> Factors:
    """The kernel of a layer, ready to be split."""
    kernel = np.asarray(layer.kernel.numpy())
    kind = type(layer).__name__
    if kind == "EinsumDense":
        rows = summed_axes(layer.equation)
        return MatrixFactors(kernel, rows, tuple(axis for axis in range(kernel.ndim) if axis not in rows))
    if kind == "Conv1D":
        return MatrixFactors(kernel, (0, 1), (2,))
    if kind == "Conv2D" and kernel.shape[:2] == (1, 1):
        return MatrixFactors(kernel, (0, 1, 2), (3,))
    if kind == "Conv2D":
        return TuckerFactors(kernel) if method == "tucker" else MatrixFactors(kernel, (0, 2), (1, 3))
    return MatrixFactors(kernel, (0,), (1,))


def _einsum(equation: str) -> tuple[str, str, str] | None:
    """Inputs, kernel and outputs of an equation, if each kernel axis is either an input or an output."""
    operands, _, result = equation.replace(" ", "").partition("->")
    given, _, kernel = operands.partition(",")
    summed = {letter for letter in kernel if letter not in result}
    plain = len(set(kernel)) == len(kernel) and "." not in kernel
    if not plain or not summed or not all(letter in given for letter in summed):
        return None
    if any(letter in given for letter in kernel if letter not in summed) or len(summed) == len(kernel):
        return None
    return given, kernel, result


def factor_layers(found: Factorable, ranks: Ranks) -> list[Any]:
    """New layers that do together what one did, unbuilt; :func:`set_factors` gives them their weights.

    The last has the name, the bias, the activation and the class of the old one.
    """
    layer, kind = found.layer, type(found.layer).__name__
    if kind == "Dense":
        return [_new(layer, "_in", units=ranks[0]), _last(layer)]
    if kind == "EinsumDense":
        return _einsum_layers(layer, ranks[0])
    if kind == "Conv1D":
        return [_new(layer, "_in", filters=ranks[0]), _last(layer, kernel_size=1, strides=1, dilation_rate=1)]
    if layer.kernel_size == (1, 1):
        return [_new(layer, "_in", filters=ranks[0]), _last(layer, strides=1)]
    height, width = layer.kernel_size
    if isinstance(found.factors, TuckerFactors):
        return [
            _new(layer, "_in", filters=ranks[0], kernel_size=1, strides=1, dilation_rate=1),
            _new(layer, "_core", filters=ranks[1]),
            _last(layer, kernel_size=1, strides=1, dilation_rate=1),
        ]
    (down, across), (apart_down, apart_across) = layer.strides, layer.dilation_rate
    return [
        _new(
            layer,
            "_column",
            filters=ranks[0],
            kernel_size=(height, 1),
            strides=(down, 1),
            dilation_rate=(apart_down, 1),
        ),
        _last(layer, kernel_size=(1, width), strides=(1, across), dilation_rate=(1, apart_across)),
    ]


def _einsum_layers(layer: Any, rank: int) -> list[Any]:
    parts = _einsum(layer.equation)
    assert parts is not None
    given, kernel, result = parts
    summed = "".join(letter for letter in kernel if letter not in result)
    rest = "".join(letter for letter in kernel if letter in result)
    free = next(letter for letter in "zyxwvutsrqponmlkjihgfedcba" if letter not in layer.equation)
    kept = "".join(letter for letter in given if letter not in summed)
    before = layer.input.shape if hasattr(layer, "input") else ()
    # The batch axis and what the dots stand for are not part of the output shape that Keras wants.
    letters = given.replace("...", "")
    lengths = dict(zip(reversed(letters), reversed(before), strict=False))
    shape = [lengths.get(letter) for letter in kept.replace("...", "")]
    if not given.startswith("..."):
        shape = shape[1:]
    return [
        _new(
            layer,
            "_in",
            equation=f"{given},{summed}{free}->{kept}{free}",
            output_shape=(*shape, rank),
            bias_axes=None,
        ),
        _last(layer, equation=f"{kept}{free},{free}{rest}->{result}"),
    ]


def _new(layer: Any, ending: str, **changes: Any) -> Any:
    """A layer like another one, linear and without bias."""
    config = layer.get_config()
    for key in _OWN:
        config.pop(key, None)
    if "use_bias" in config:
        config["use_bias"] = False
    return layer.__class__.from_config(config | {"name": layer.name + ending, "activation": None} | changes)


def _last(layer: Any, **changes: Any) -> Any:
    config = layer.get_config()
    config.pop("kernel_constraint", None)
    return layer.__class__.from_config(config | changes)


def set_factors(found: Factorable, ranks: Ranks, layers: list[Any]) -> None:
    """Gives built layers of :func:`factor_layers` the factors as weights, and the old bias."""
    kernels = found.factors.split(ranks)
    shape = layers[-1].kernel.shape
    if len(shape) == 4 and len(kernels) == 2:
        # Columns of the matrix count along the width first: (rank, width, outputs).
        kernels[1] = kernels[1].reshape(shape[2], shape[1], shape[3]).transpose(1, 0, 2)
    for layer, kernel in zip(layers[:-1], kernels, strict=False):
        layer.set_weights([kernel.reshape(layer.kernel.shape)])
    layers[-1].set_weights([kernels[-1].reshape(shape), *found.layer.get_weights()[1:]])
