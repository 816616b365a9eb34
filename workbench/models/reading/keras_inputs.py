"""What a Keras model does first with the values of each of its inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.api.variant import Role

if TYPE_CHECKING:
    import keras

_LOOKS_UP = frozenset(
    {
        *("Embedding", "IntegerLookup", "StringLookup", "TextVectorization", "Hashing", "HashedCrossing"),
        *("CategoryEncoding", "OneHot", "MultiHot", "ReversibleEmbedding"),
    }
)
_SCALES = frozenset({"Normalization", "Rescaling", "Discretization"})
_PASSES = frozenset(
    {
        *("Flatten", "Reshape", "Permute", "RepeatVector", "Identity", "Dropout", "SpatialDropout1D"),
        *("Concatenate", "Stack", "Squeeze", "ExpandDims", "Cast", "GetItem", "Transpose", "Split"),
        *("Resizing", "CenterCrop", "Masking", "Unstack", "Ravel"),
        *("ZeroPadding1D", "ZeroPadding2D", "Cropping1D", "Cropping2D", "UpSampling1D", "UpSampling2D"),
    }
)
_SCALING_OPERATIONS = frozenset({"TrueDivide", "Divide", "Multiply", "Subtract", "Add"})
_LEAST_SHIFT = 2.0
"""A constant that is added or taken away and is larger moves the range of the raw values."""


def input_roles(model: keras.Model) -> tuple[Role, ...]:
    """The role of each input, in the model's order; see :class:`workbench.api.variant.TensorSpec`.

    Followed forward from the input through what keeps values as they are, into models inside, until a
    layer computes with them. Where an input goes several ways, a lookup tells most, then a scaling.

    Args:
        model: A built functional or Sequential model.
    """
    return tuple(_role(tensor, found) for tensor, found in zip(model.inputs, _first_uses(model), strict=True))


def _role(tensor: Any, found: set[Role]) -> Role:
    dtype = str(tensor.dtype)
    if dtype == "string":
        return "text"
    if "ids" in found:
        return "ids"
    # A fraction has no place in whole numbers, so values are taken as they come.
    if "raw numbers" in found or not dtype.startswith(("float", "bfloat")):
        return "raw numbers"
    return "numbers"


def _first_uses(model: Any) -> list[set[Role]]:
    """For each input, the roles that its first uses give it."""
    graph = getattr(model, "_functional", None) or model
    consumers: dict[int, list[Any]] = {}
    for nodes in getattr(graph, "_nodes_by_depth", {}).values():
        for node in nodes:
            for tensor in node.input_tensors:
                consumers.setdefault(id(tensor), []).append(node)
    return [_followed(tensor, consumers)[0] for tensor in graph.inputs]


def _followed(start: Any, consumers: dict[int, list[Any]]) -> tuple[set[Role], set[int]]:
    """The roles that a tensor's uses give it, and every tensor that still has its values."""
    found: set[Role] = set()
    reached, open_ = {id(start)}, [start]
    while open_:
        tensor = open_.pop()
        for node in consumers.get(id(tensor), ()):
            roles, passes = _use(node, tensor)
            found |= roles
            if passes:
                fresh = [output for output in node.output_tensors if id(output) not in reached]
                reached |= {id(output) for output in fresh}
                open_ += fresh
    return found, reached


def _use(node: Any, tensor: Any) -> tuple[set[Role], bool]:
    """What a node makes of a tensor, and whether its outputs still hold the tensor's values."""
    operation = node.operation
    inner = getattr(operation, "_functional", None) or operation
    if getattr(inner, "_nodes_by_depth", None) and getattr(inner, "inputs", None):
        positions = [place for place, given in enumerate(node.input_tensors) if given is tensor]
        return _inside(inner, positions)
    operation = getattr(operation, "layer", operation)  # of TimeDistributed
    kind = type(operation).__name__
    if kind in _LOOKS_UP or (kind == "Take" and _is_index(node, tensor)):
        return {"ids"}, False
    if kind in _SCALES or (kind in _SCALING_OPERATIONS and _rescales(kind, node)):
        return {"raw numbers"}, False
    if kind in _PASSES or kind.startswith("Random"):
        return set(), True
    return ({"ids"} if _only_looks_up(operation) else set()), False


def _inside(graph: Any, positions: Sequence[int]) -> tuple[set[Role], bool]:
    consumers: dict[int, list[Any]] = {}
    for nodes in graph._nodes_by_depth.values():
        for node in nodes:
            for tensor in node.input_tensors:
                consumers.setdefault(id(tensor), []).append(node)
    found: set[Role] = set()
    passes = False
    for place in positions:
        roles, reached = _followed(graph.inputs[place], consumers)
        found |= roles
        passes = passes or any(id(output) in reached for output in graph.outputs)
    return found, passes


def _is_index(node: Any, tensor: Any) -> bool:
    given = [*node.arguments.args, *node.arguments.kwargs.values()]
    return len(given) > 1 and given[0] is not tensor


def _rescales(kind: str, node: Any) -> bool:
    """Whether an operation with a constant maps raw values to the range that the layers behind it take."""
    constants = list(_constants([*node.arguments.args, *node.arguments.kwargs.values()]))
    if len(node.input_tensors) != 1 or not constants:
        return False
    largest = max(float(np.max(np.abs(value))) for value in constants)
    if kind in ("Add", "Subtract"):
        return largest > _LEAST_SHIFT
    return largest > 1 if kind.endswith("ivide") else largest < 1


def _constants(arguments: Sequence[Any]) -> Iterator[np.ndarray[Any, Any]]:
    for value in arguments:
        if hasattr(value, "_keras_history") or isinstance(value, bool | str | type(None)):
            continue
        try:
            array = np.asarray(value, np.float64)
        except (TypeError, ValueError):
            continue
        if array.size:
            yield array


def _only_looks_up(layer: Any) -> bool:
    """Whether a layer of somebody's own holds an Embedding and nothing that computes with its input."""
    inner = list(getattr(layer, "_flatten_layers", lambda **_: ())(include_self=False))
    return any(type(one).__name__ in _LOOKS_UP for one in inner) and not any(
        hasattr(one, "kernel") for one in inner
    )
