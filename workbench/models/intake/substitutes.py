"""Layers of Keras itself in place of others that compute the same with the same weights.

Libraries derive from Keras' layers to add what a model of a fixed graph does not use, such as a cache.
Without it they are the layer that they derive from, which every technique knows. Nothing is taken on trust
here: whoever uses a substitute compares the graphs.
"""

from __future__ import annotations

from typing import Any


def substitute(layer: Any) -> Any:
    """The layer as one of Keras' own, with the same weights and layers inside; None if it is based on none.

    Args:
        layer: A built layer of another class.
    """
    import keras

    base = next((kind for kind in type(layer).__mro__ if str(kind.__module__).split(".")[0] == "keras"), None)
    if base in {None, keras.layers.Layer, keras.layers.Wrapper, keras.Model, keras.Sequential}:
        return None
    if str(getattr(base, "__name__", "")) in {"Functional", "RNN", "Operation"}:
        return None
    if base is keras.layers.ReversibleEmbedding and layer.tie_weights:
        base = keras.layers.Embedding  # it was not called in reverse, or that will fail
    made = object.__new__(base)
    made.__dict__.update(layer.__dict__)
    made.__dict__.update(_inbound_nodes=[], _outbound_nodes=[])
    return made


def positions_looked_up(layer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What keras-hub's ``PositionEmbedding`` gives for embedded ids, by an ``Embedding`` of their positions.

    Args:
        layer: A layer of any class.
        args: What it is called with.
        kwargs: The same.

    Returns:
        The tensor; None where it is another layer, or is called in another way.
    """
    import keras

    kind = type(layer)
    if (
        kind.__name__ != "PositionEmbedding"
        or str(kind.__module__).split(".")[0] != "keras_hub"
        or len(args) != 1
        or any(value is not None for name, value in kwargs.items() if name != "training")
    ):
        return None
    made_by = getattr(args[0], "_keras_history", None)
    if made_by is None or not isinstance(made_by.operation, keras.layers.Embedding):
        return None
    ids = made_by.operation._inbound_nodes[made_by.node_index].input_tensors[0]
    length, width = layer.position_embeddings.shape
    table = keras.layers.Embedding(int(length), int(width), dtype=layer.dtype_policy, name=layer.name)
    table._embeddings = layer.position_embeddings
    table.built = True
    return table(keras.ops.cumsum(keras.ops.ones_like(ids, dtype="int32"), axis=1) - 1)
