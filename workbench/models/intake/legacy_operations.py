"""Operations of TensorFlow that Keras 2 wrote into its files as layers, in the words of Keras 3.

``x / 255`` or ``tf.nn.relu(x)`` in a functional model became a ``TFOpLambda`` with the name of a function of
TensorFlow. Some of these read and write files: only the functions named here are ever called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_SAME = {
    "math.abs": "abs",
    "math.add": "add",
    "math.argmax": "argmax",
    "math.cumsum": "cumsum",
    "math.ceil": "ceil",
    "math.cos": "cos",
    "math.divide": "divide",
    "math.equal": "equal",
    "math.erf": "erf",
    "math.exp": "exp",
    "math.floor": "floor",
    "math.floordiv": "floor_divide",
    "math.floormod": "mod",
    "math.greater": "greater",
    "math.greater_equal": "greater_equal",
    "math.less": "less",
    "math.less_equal": "less_equal",
    "math.log": "log",
    "math.log1p": "log1p",
    "math.logical_and": "logical_and",
    "math.logical_not": "logical_not",
    "math.logical_or": "logical_or",
    "math.maximum": "maximum",
    "math.minimum": "minimum",
    "math.multiply": "multiply",
    "math.negative": "negative",
    "math.not_equal": "not_equal",
    "math.pow": "power",
    "math.reciprocal": "reciprocal",
    "math.reduce_max": "max",
    "math.reduce_mean": "mean",
    "math.reduce_min": "min",
    "math.reduce_prod": "prod",
    "math.reduce_std": "std",
    "math.reduce_sum": "sum",
    "math.reduce_variance": "var",
    "math.rsqrt": "rsqrt",
    "math.sigmoid": "sigmoid",
    "math.sign": "sign",
    "math.sin": "sin",
    "math.softplus": "softplus",
    "math.sqrt": "sqrt",
    "math.square": "square",
    "math.subtract": "subtract",
    "math.tanh": "tanh",
    "math.truediv": "true_divide",
    "nn.elu": "elu",
    "nn.log_softmax": "log_softmax",
    "nn.relu": "relu",
    "nn.relu6": "relu6",
    "nn.selu": "selu",
    "nn.softmax": "softmax",
    "nn.softplus": "softplus",
    "nn.softsign": "softsign",
    "cast": "cast",
    "clip_by_value": "clip",
    "concat": "concatenate",
    "expand_dims": "expand_dims",
    "identity": "identity",
    "ones_like": "ones_like",
    "repeat": "repeat",
    "reshape": "reshape",
    "reverse": "flip",
    "roll": "roll",
    "round": "round",
    "squeeze": "squeeze",
    "stack": "stack",
    "tile": "tile",
    "transpose": "transpose",
    "where": "where",
    "zeros_like": "zeros_like",
    "__operators__.add": "add",
    "__operators__.eq": "equal",
    "__operators__.ne": "not_equal",
}
"""Function of TensorFlow, and of ``keras.ops`` with the same arguments in the same order."""
_ALIASES = {
    "compat.v1.nn.relu6": "nn.relu6",
    "compat.v1.squeeze": "squeeze",
    "compat.v1.transpose": "transpose",
    "compat.v1.argmax": "math.argmax",
    "compat.v1.gather": "gather",
    "compat.v1.pad": "pad",
    "math.l2_normalize": "linalg.l2_normalize",
    "nn.sigmoid": "math.sigmoid",
    "nn.swish": "nn.silu",
    "nn.tanh": "math.tanh",
}


_ELEMENTWISE = ("math.", "__operators__.")


def _named(name: str, elementwise: bool) -> Callable[[Any], Callable[..., Any]]:
    def made(keras: Any) -> Callable[..., Any]:
        function = getattr(keras.ops, name)

        def call(*arguments: Any, **named: Any) -> Any:
            # the first ones are called x, input, input_tensor, tensor, a, ...: the rest keeps its name
            places = [
                value
                for key, value in named.items()
                if key not in _KEPT and value is not None and value is not False
            ]
            kept = {key: value for key, value in named.items() if key in _KEPT and value is not None}
            given = [*arguments, *places]
            return function(*(_constants(given) if elementwise else given), **kept)

        return call

    return made


_KEPT = {"axis", "keepdims", "dtype"}


def _constants(values: list[Any]) -> list[Any]:
    """Lists of numbers as arrays of the type of the tensor that they meet, as TensorFlow takes them."""
    kind = next((value.dtype for value in values if hasattr(value, "dtype")), None)
    return [np.asarray(value, kind) if isinstance(value, list | tuple) else value for value in values]


def _bias_add(keras: Any) -> Callable[..., Any]:
    def call(value: Any, bias: Any, data_format: str | None = None) -> Any:
        if data_format is not None and data_format.startswith("NC"):
            raise ValueError(f"bias_add with data_format = {data_format} is not known.")
        return keras.ops.add(*_constants([value, bias]))

    return call


def _silu(keras: Any) -> Callable[..., Any]:
    return lambda features, beta=1.0: features * keras.ops.sigmoid(features * beta)


def _gelu(keras: Any) -> Callable[..., Any]:
    return lambda features, approximate=False: keras.ops.gelu(features, approximate=approximate)


def _leaky_relu(keras: Any) -> Callable[..., Any]:
    return lambda features, alpha=0.2: keras.ops.leaky_relu(features, negative_slope=alpha)


def _l2_normalize(keras: Any) -> Callable[..., Any]:
    def call(x: Any, axis: Any = None, epsilon: float = 1e-12) -> Any:
        squares = keras.ops.sum(keras.ops.square(x), axis=axis, keepdims=True)
        return x * keras.ops.rsqrt(keras.ops.maximum(squares, epsilon))

    return call


def _matmul(keras: Any) -> Callable[..., Any]:
    def call(a: Any, b: Any, transpose_a: bool = False, transpose_b: bool = False) -> Any:
        a = keras.ops.swapaxes(a, -1, -2) if transpose_a else a
        b = keras.ops.swapaxes(b, -1, -2) if transpose_b else b
        return keras.ops.matmul(a, b)

    return call


def _split(keras: Any) -> Callable[..., Any]:
    def call(value: Any, num_or_size_splits: Any, axis: int = 0) -> Any:
        parts = num_or_size_splits
        if isinstance(parts, list | tuple):
            parts = [sum(parts[: place + 1]) for place in range(len(parts) - 1)]
        return keras.ops.split(value, parts, axis=axis)

    return call


def _unstack(keras: Any) -> Callable[..., Any]:
    return lambda value, num=None, axis=0: keras.ops.unstack(value, num, axis)


def _gather(keras: Any) -> Callable[..., Any]:
    def call(
        params: Any, indices: Any, validate_indices: Any = None, axis: int | None = None, batch_dims: int = 0
    ) -> Any:
        if batch_dims:
            raise ValueError(f"gather with batch_dims = {batch_dims} is not known.")
        return keras.ops.take(params, indices, axis=axis or 0)

    return call


def _one_hot(keras: Any) -> Callable[..., Any]:
    return lambda indices, depth: keras.ops.one_hot(indices, depth)


def _pad(keras: Any) -> Callable[..., Any]:
    def call(tensor: Any, paddings: Any, mode: str = "CONSTANT", constant_values: float = 0) -> Any:
        widths = [[int(size) for size in pair] for pair in paddings]
        if mode.lower() == "constant":
            return keras.ops.pad(tensor, widths, constant_values=constant_values)
        return keras.ops.pad(tensor, widths, mode=mode.lower())

    return call


def _resize(keras: Any) -> Callable[..., Any]:
    def call(images: Any, size: Any, method: str = "bilinear", antialias: bool = False) -> Any:
        return keras.ops.image.resize(images, tuple(size), interpolation=method, antialias=antialias)

    return call


def _add_n(keras: Any) -> Callable[..., Any]:
    return lambda inputs: sum(inputs[1:], inputs[0])


def _squared_difference(keras: Any) -> Callable[..., Any]:
    return lambda x, y: keras.ops.square(x - y)


OPERATIONS: dict[str, Callable[[Any], Callable[..., Any]]] = {
    **{name: _named(same, name.startswith(_ELEMENTWISE)) for name, same in _SAME.items()},
    "image.resize": _resize,
    "gather": _gather,
    "linalg.l2_normalize": _l2_normalize,
    "linalg.matmul": _matmul,
    "math.add_n": _add_n,
    "math.squared_difference": _squared_difference,
    "nn.bias_add": _bias_add,
    "nn.gelu": _gelu,
    "nn.leaky_relu": _leaky_relu,
    "nn.silu": _silu,
    "one_hot": _one_hot,
    "pad": _pad,
    "split": _split,
    "unstack": _unstack,
}
"""Given the module ``keras``: what is called in place of the function of TensorFlow."""
OPERATIONS |= {alias: OPERATIONS[name] for alias, name in _ALIASES.items()}

SLICING = "__operators__.getitem"


def sliced(tensor: Any, slice_spec: Any) -> Any:
    """``tensor[slice_spec]``, as Keras 2 wrote it down."""
    parts = slice_spec if isinstance(slice_spec, list | tuple) else [slice_spec]
    return tensor[tuple(_slice(part) for part in parts)]


def _slice(part: Any) -> Any:
    if isinstance(part, dict):
        return slice(part.get("start"), part.get("stop"), part.get("step"))
    return part
