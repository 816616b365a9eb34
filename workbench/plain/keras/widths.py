"""A Keras model built again with other widths and new weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .copying import copy_weights
from .errors import NotRebuilt

if TYPE_CHECKING:
    import keras


def with_widths(
    model: keras.Model, changes: Mapping[str, Mapping[str, Any]], keep: Sequence[tuple[str, ...]] = ()
) -> keras.Model:
    """Builds a model again in which some layers are configured otherwise, with new weights.

    Args:
        model: Sequential or functional; it is not changed.
        changes: What changes in the configuration of layers, by their name.
        keep: Layers whose weights are taken over, such as frozen ones: names from the outside in.

    Raises:
        NotRebuilt: If it cannot be built, with the layer.
    """
    import keras

    made: list[Any] = []

    def narrowed(layer: Any) -> Any:
        try:
            made.append(layer.__class__.from_config(layer.get_config() | dict(changes.get(layer.name, {}))))
        except (ValueError, TypeError) as error:
            raise NotRebuilt(layer.name) from error
        return made[-1]

    try:
        narrow = keras.models.clone_model(model, clone_function=narrowed, recursive=True)
    except NotRebuilt:
        raise
    except (ValueError, TypeError, ArithmeticError, NotImplementedError) as error:
        raise NotRebuilt(next((layer.name for layer in made if not layer.built), "")) from error
    for path in keep:
        old, new = model, narrow
        for name in path:
            old, new = old.get_layer(name), new.get_layer(name)
        copy_weights(old, new)
    return narrow
