"""Builds a Keras model again with some of its layers replaced or left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras

from .copying import copy_assets

Path = tuple[str, ...]
"""Where a layer is: the names of the models around it, from the outside in, and its own."""

Replace = Callable[[Path, Any], "list[Any] | None"]
"""The new, unbuilt layers in place of one, called one after the other; None keeps the layer."""


@dataclass
class RebuiltModel:
    """A model that was built again.

    Attributes:
        model: The new model; layers that were kept are copies with the same weights.
        layers: The new layers by the path of the old one.
    """

    model: Any
    layers: dict[Path, list[Any]] = field(default_factory=dict)


def rebuild(
    model: keras.Model, replace: Replace, *, bypass: Mapping[Path, int] | None = None
) -> RebuiltModel:
    """Builds a Sequential or functional model again, models inside it included.

    A layer that is called several times is replaced by layers that are called as often.

    Args:
        model: A built model.
        replace: What stands in place of each layer that is no model. An empty list leaves out a layer of one
            input.
        bypass: Layers that hand on one of their inputs, by its number. What only they needed is left out.

    Raises:
        ValueError: If a model is subclassed, which cannot be built from its parts.
    """
    maker = _Maker(replace, bypass or {})
    rebuilt = maker.model(model, ())
    for old, new in maker.copies:
        copy_assets(old, new)
        if getattr(old, "weights", ()) and new.built:  # an operation such as x + y has none
            new.set_weights(old.get_weights())
            if hasattr(new, "finalize_state"):  # of a normalization that was adapted to data
                new.finalize_state()
    return RebuiltModel(rebuilt, maker.layers)


def subclassed(model: keras.Model) -> str | None:
    """Name of the model, this one or one inside it, that :func:`rebuild` cannot build, or None."""
    if _is_subclassed(model):
        return str(model.name)
    inner = (layer for layer in model.layers if isinstance(layer, keras.Model))
    return next(filter(None, map(subclassed, inner)), None)


def _is_subclassed(model: keras.Model) -> bool:
    functional = hasattr(model, "_nodes_by_depth") and model.inputs
    return not (functional or isinstance(model, keras.Sequential))


class _Maker:
    def __init__(self, replace: Replace, bypass: Mapping[Path, int]) -> None:
        self.copies: list[tuple[Any, Any]] = []
        self.layers: dict[Path, list[Any]] = {}
        self._replace = replace
        self._bypass = bypass
        self._made: dict[int, list[Any]] = {}

    def model(self, model: Any, path: Path) -> Any:
        if isinstance(model, keras.Sequential):
            (given,) = model.inputs
            first = keras.Input(
                batch_shape=given.shape, dtype=given.dtype, name=given._keras_history.operation.name
            )
            parts = [part for layer in model.layers for part in self._parts(layer, path)]
            return keras.Sequential([first, *parts], name=model.name, trainable=model.trainable)
        if _is_subclassed(model):
            raise ValueError(f"model must be Sequential or functional. Received the subclassed {model.name}")

        def call(parts: tuple[Path, list[Any]], *arguments: Any, **named: Any) -> Any:
            where, layers = parts
            if where in self._bypass:
                return keras.tree.flatten(arguments)[self._bypass[where]]
            if not layers:
                return arguments[0]
            result = layers[0](*arguments, **named)
            for layer in layers[1:]:
                result = layer(result)
            return result

        return keras.models.clone_model(
            model,
            clone_function=lambda layer: ((*path, layer.name), self._parts(layer, path)),
            call_function=call,
        )

    def _parts(self, layer: Any, path: Path) -> list[Any]:
        """What stands in place of a layer; the same each time that it is called."""
        if id(layer) not in self._made:
            where = (*path, layer.name)
            if isinstance(layer, keras.Model):
                parts = [self.model(layer, where)]
            else:
                new = self._replace(where, layer)
                if new is None:
                    new = [layer.__class__.from_config(layer.get_config())]
                    self.copies.append((layer, new[0]))
                parts = new
            self._made[id(layer)] = parts
            self.layers[where] = parts
        return self._made[id(layer)]
