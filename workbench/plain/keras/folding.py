"""Builds a Keras model again without layers that are computed into the weights of others, or do nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .channel_factors import affine, kernels_and_bias, scaled
from .errors import NotRebuilt

if TYPE_CHECKING:
    import keras

Place = tuple[str, ...]
"""Name of a layer after the names of the models around it."""


@dataclass(frozen=True)
class Fold:
    """One layer that goes into the weights of another.

    Attributes:
        layer: The factor and offset per channel.
        kind: Its class.
        into: The layer whose weights take them.
        after: Whether it stands behind that layer; else in front of it.
    """

    layer: Place
    kind: str
    into: Place
    after: bool


def fold(model: keras.Model, folds: Sequence[Fold], removed: Collection[Place] = ()) -> keras.Model:
    """Builds a model without the layers that are folded and those that do nothing.

    Args:
        model: Sequential or functional; it is not changed.
        folds: In the order in which they are computed.
        removed: Layers that hand on what they get.

    Returns:
        The new model, with the old names of layers and inputs.

    Raises:
        NotRebuilt: If Keras cannot build a layer again from its configuration.
    """
    gone = {item.layer for item in folds} | set(removed)
    biased = {item.into for item in folds}
    made: dict[Place, tuple[Any, Any]] = {}
    new = _rebuilt(model, (), gone, biased, made)
    # Offsets and kernels of one layer build on each other, in the order of the folds.
    weights = {place: kernels_and_bias(old) for place, (old, _) in made.items() if place in biased}
    for item in folds:
        kind = type(find(model, item.into)).__name__
        factor, offset = affine(find(model, item.layer))
        weights[item.into] = scaled(kind, weights[item.into], factor, offset, after=item.after)
    for place, (old, layer) in made.items():
        if place in weights:
            layer.set_weights([array.astype(np.float32) for array in weights[place]])
        elif old.weights:
            layer.set_weights(old.get_weights())
            if hasattr(layer, "finalize_state"):  # Normalization computes with copies of its weights
                layer.finalize_state()
    return new


def find(model: keras.Model, place: Place) -> Any:
    """A layer by its name and the names of the models around it."""
    for name in place:
        model = model.get_layer(name)
    return model


def _rebuilt(
    model: keras.Model,
    path: Place,
    gone: set[Place],
    biased: set[Place],
    made: dict[Place, tuple[Any, Any]],
) -> keras.Model:
    import keras

    def clone(layer: Any) -> Any:
        place = (*path, layer.name)
        if place in made:
            return made[place][1]
        if isinstance(layer, keras.Sequential) or type(layer).__name__ in ("Functional", "Model"):
            return _rebuilt(layer, place, gone, biased, made)
        config = layer.get_config()
        if place in biased:
            config["use_bias"] = True
        try:
            new = layer.__class__.from_config(config)
        except (ValueError, TypeError, NotImplementedError) as error:
            raise NotRebuilt("/".join(place)) from error
        # Functions such as keras.ops.add stand among the layers of a functional model and have no weights.
        if place not in gone and isinstance(layer, keras.Layer):
            made[place] = layer, new
        return new

    models: dict[str, Any] = {}

    def clone_once(layer: Any) -> Any:
        if layer.name not in models:
            models[layer.name] = clone(layer)
        return models[layer.name]

    def call(layer: Any, *arguments: Any, **named: Any) -> Any:
        if (*path, getattr(layer, "name", "")) in gone:
            return arguments[0]
        return layer(*arguments, **named)

    if isinstance(model, keras.Sequential):
        kept = [layer for layer in model.layers if (*path, layer.name) not in gone]
        start = keras.Input(
            batch_shape=model.inputs[0].shape, dtype=model.inputs[0].dtype, name=_input_name(model.inputs[0])
        )
        return keras.Sequential([start, *map(clone_once, kept)], name=model.name)
    starts = keras.tree.map_structure(
        lambda x: keras.Input(batch_shape=x.shape, dtype=x.dtype, name=_input_name(x)), model.input
    )
    return keras.models.clone_model(
        model, input_tensors=starts, clone_function=clone_once, call_function=call
    )


def _input_name(tensor: Any) -> str:
    return str(tensor._keras_history.operation.name)
