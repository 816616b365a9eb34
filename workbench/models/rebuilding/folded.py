"""Builds a Keras model again without the layers that were computed into the weights of others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.api.errors import Refused
from workbench.api.library_errors import reason_of
from workbench.api.text import say
from workbench.models.converting.conversion import import_keras
from workbench.models.rebuilding.folding import Fold, FoldingPlan, Path
from workbench.plain.keras.channel_factors import affine, kernels_and_bias, scaled

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Factors:
    """What a layer does to each channel when the model predicts: ``x * factor + offset``.

    Attributes:
        fold: The layer and where it went.
        factor: Shape ``(channels,)``, or ``()`` where it is one for all.
        offset: The same shape.
    """

    fold: Fold
    factor: Array
    offset: Array


def fold(model: Any, plan: FoldingPlan) -> tuple[Any, list[Factors]]:
    """Builds the model without the layers that are gone.

    Args:
        model: A ``keras.Model``, Sequential or functional; it is not changed.
        plan: What :func:`workbench.models.rebuilding.folding.plan_folding` found in its configuration.

    Returns:
        The new model, with the old names of layers and inputs, and the factors that were folded.

    Raises:
        Refused: If Keras cannot build a layer again from its configuration.
    """
    keras = import_keras()
    biased = {item.into for item in plan.folds}
    made: dict[Path, tuple[Any, Any]] = {}
    new = _rebuilt(keras, model, (), plan.gone, biased, made)
    factors = []
    # Offsets and kernels of one layer build on each other, in the order of the plan.
    weights = {place: kernels_and_bias(old) for place, (old, _) in made.items() if place in biased}
    for item in plan.folds:
        factor, offset = affine(find(model, item.layer))
        factors.append(Factors(item, factor, offset))
        into = find(model, item.into)
        weights[item.into] = scaled(type(into).__name__, weights[item.into], factor, offset, after=item.after)
    for place, (old, layer) in made.items():
        if place in weights:
            layer.set_weights([array.astype(np.float32) for array in weights[place]])
        elif old.weights:
            layer.set_weights(old.get_weights())
            if hasattr(layer, "finalize_state"):  # Normalization computes with copies of its weights
                layer.finalize_state()
    return new, factors


def find(model: Any, place: Path) -> Any:
    """A layer by its name and the names of the models around it."""
    for name in place:
        model = model.get_layer(name)
    return model


def _rebuilt(
    keras: Any,
    model: Any,
    path: Path,
    gone: frozenset[Path],
    biased: set[Path],
    made: dict[Path, tuple[Any, Any]],
) -> Any:
    def clone(layer: Any) -> Any:
        place = (*path, layer.name)
        if place in made:
            return made[place][1]
        if isinstance(layer, keras.Sequential) or type(layer).__name__ in ("Functional", "Model"):
            return _rebuilt(keras, layer, place, gone, biased, made)
        config = layer.get_config()
        if place in biased:
            config["use_bias"] = True
        try:
            new = layer.__class__.from_config(config)
        except (ValueError, TypeError, NotImplementedError) as error:
            raise Refused(
                say(
                    "Layer {name} cannot be built again: {error}",
                    name="/".join(place),
                    error=reason_of(error),
                )
            ) from error
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
