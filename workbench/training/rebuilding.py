"""A Keras model built again with other widths, in memory and as plain code."""

from __future__ import annotations

import json
import zipfile
from typing import Any

from workbench.api.errors import Refused
from workbench.api.library_errors import reason_of
from workbench.api.text import Text, say
from workbench.api.variant import Variant
from workbench.graph.calls import read_config
from workbench.graph.widths import WIDTH_PARAMETER, WidthPlan, plan_widths, scaled
from workbench.models.rebuilding.copying import copy_weights


def rebuilt(keras: Any, parent: Any, plan: WidthPlan) -> Any:
    """The model with new widths and new weights; layers that the plan keeps take over the parent's.

    Raises:
        Refused: If it cannot be built, with the layer.
    """
    made: list[Any] = []

    def narrowed(layer: Any) -> Any:
        config = layer.get_config()
        config.update(plan.changes.get(layer.name, {}))
        try:
            made.append(layer.__class__.from_config(config))
        except (ValueError, TypeError) as error:
            raise _does_not_build(layer.name, error) from error
        return made[-1]

    try:
        model = keras.models.clone_model(parent, clone_function=narrowed, recursive=True)
    except (ValueError, TypeError, ArithmeticError, NotImplementedError) as error:
        raise _does_not_build(next((layer.name for layer in made if not layer.built), ""), error) from error
    for path in plan.keep:
        old, new = parent, model
        for name in path:
            old, new = old.get_layer(name), new.get_layer(name)
        copy_weights(old, new)
    return model


def _does_not_build(layer: str, error: Exception) -> Refused:
    # Keras puts the whole configuration before what is wrong with it.
    told = reason_of(error)
    return Refused(
        say("The narrower model cannot be built at layer {layer}: {error}", layer=layer, error=told),
        say("Choose another width or another multiple."),
    )


def touched(plan: WidthPlan) -> tuple[Text, ...]:
    """What a report says of a plan."""
    if not plan.changes:
        return (say("Trained again from new weights; every width stayed."),)
    return tuple(
        say(
            "{layer}: {parameter} {before} became {after}.",
            layer=name,
            parameter=parameter,
            before=str(plan.before[name][parameter]),
            after=str(after),
        )
        for name, new in plan.changes.items()
        for parameter, after in new.items()
    )


def plan_without_keras(variant: Variant, factor: float, round_to: int) -> WidthPlan:
    """The plan from the file's configuration; where that cannot be read, from the description."""
    try:
        return plan_widths(read_config(variant.path), factor, round_to)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, Refused):
        plan = WidthPlan()
    layers = [layer for layer in variant.description.layers if layer.kind in WIDTH_PARAMETER]
    for layer in layers[:-1]:
        if layer.output_shape and (width := layer.output_shape[-1]):
            new = scaled(width, factor, round_to)
            plan.changes[layer.name.rpartition("/")[2]] = {WIDTH_PARAMETER[layer.kind]: new}
    return plan


def rebuilding_code(made: str, source: str, plan: WidthPlan, seed: int | str) -> str:
    """Plain code that does what :func:`rebuilt` does.

    Args:
        made: The variable that gets the new model.
        source: The variable that holds the old one.
        plan: What changes and what is kept.
        seed: Seeds the new weights.
    """
    changes = "".join(f"    {json.dumps(name)}: {json.dumps(new)},\n" for name, new in plan.changes.items())
    kept = ""
    if plan.keep:
        pairs = "".join(f"    ({source}{_get(path)}, {made}{_get(path)}),\n" for path in plan.keep)
        kept = f"""\
# Frozen, or adapted to the data: taken over as they are.
for old, new in [
{pairs}]:
    new.set_weights(old.get_weights())
    if hasattr(new, "finalize_state"):  # normalization computes with copies of its weights
        new.finalize_state()
"""
    return f"""\
changes = {{
{changes}}}


def narrowed(layer):
    config = layer.get_config()
    config.update(changes.get(layer.name, {{}}))
    return layer.__class__.from_config(config)


keras.utils.set_random_seed({seed})
{made} = keras.models.clone_model({source}, clone_function=narrowed, recursive=True)
{kept}"""


def _get(path: tuple[str, ...]) -> str:
    return "".join(f".get_layer({json.dumps(name)})" for name in path)
