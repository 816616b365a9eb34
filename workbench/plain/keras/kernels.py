"""The weight matrices of a Keras model: what is made sparse or clustered, and kept so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

KERNEL_NAMES = frozenset({"kernel", "recurrent_kernel", "pointwise_kernel", "embeddings"})
"""Names that Keras gives to weight matrices; biases and normalizations have others."""


@dataclass(frozen=True)
class Kernel:
    """One weight matrix.

    Attributes:
        name: The layer's name from the outside in, such as ``encoder/dense``; with the matrix's own
            where the layer has several.
        layer: The name of its layer alone.
        kind: Class of the layer.
        variable: The ``keras.Variable``.
        reduced: The axes that are summed over: the inputs of one output value. Empty where there is no
            sum or it is not known.
        frozen: Whether training leaves it as it is.
    """

    name: str
    layer: str
    kind: str
    variable: Any
    reduced: tuple[int, ...]
    frozen: bool

    @property
    def convolution(self) -> bool:
        """Whether its layer is a convolution."""
        return "Conv" in self.kind


def kernels(model: keras.Model) -> list[Kernel]:
    """Every weight matrix of a model, each once, nested models included.

    Left out are depthwise kernels, whose few weights are each a channel's own filter, everything of
    fewer than two axes, and integer (quantized) weights.
    """
    found: list[Kernel] = []
    seen: set[int] = set()
    for path, layer in leaves(model):
        kind = type(layer).__name__
        if kind.startswith("DepthwiseConv"):
            continue
        trained = {id(variable) for variable in layer.trainable_variables}
        held = [
            variable
            for variable in layer.variables
            if variable.name in KERNEL_NAMES
            and len(variable.shape) > 1
            and "float" in str(variable.dtype)
            and id(variable) not in seen
        ]
        seen.update(id(variable) for variable in held)
        found += [
            Kernel(
                name=path if len(held) == 1 else f"{path} {_own_name(variable.path, layer.name)}",
                layer=layer.name,
                kind=kind,
                variable=variable,
                reduced=_reduced(layer, kind, variable),
                frozen=id(variable) not in trained,
            )
            for variable in held
        ]
    return found


def leaves(model: keras.Model, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every layer that is no model, with its name from the outside in."""
    for layer in model.layers:
        # A model keeps a list of layers; so do a few layers, but not as ``layers`` of a model.
        if hasattr(layer, "layers") and hasattr(layer, "get_layer"):
            yield from leaves(layer, f"{prefix}{layer.name}/")
        else:
            yield f"{prefix}{layer.name}", layer


def _own_name(path: str, layer: str) -> str:
    return path.rpartition(f"{layer}/")[2]


def _reduced(layer: Any, kind: str, variable: Any) -> tuple[int, ...]:
    axes = len(variable.shape)
    if kind == "EinsumDense":
        return summed_axes(layer.equation)
    if "Attention" in kind:
        # Heads and values are summed over on the way out, features on the way in.
        return (0, 1) if "output" in variable.path.split("/")[-2] else (0,)
    if kind == "Dense" or variable.name == "recurrent_kernel":
        return (0,)
    if "Conv" in kind:
        return (axes - 1,) if "Transpose" in kind else (axes - 2,)
    if kind in {"LSTM", "GRU", "SimpleRNN", "Bidirectional"}:
        return (0,)
    return ()


def summed_axes(equation: str) -> tuple[int, ...]:
    """The axes of the kernel that an EinsumDense layer sums over."""
    operands, _, result = equation.replace(" ", "").partition("->")
    kernel = operands.partition(",")[2]
    return tuple(axis for axis, letter in enumerate(kernel) if letter not in result)
