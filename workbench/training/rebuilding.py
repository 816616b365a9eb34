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
from workbench.plain.keras.errors import NotRebuilt
from workbench.plain.keras.widths import with_widths


def rebuilt(parent: Any, plan: WidthPlan) -> Any:
    """The model with new widths and new weights; layers that the plan keeps take over the parent's.

    Raises:
        Refused: If it cannot be built, with the layer.
    """
    try:
        return with_widths(parent, plan.changes, plan.keep)
    except NotRebuilt as error:
        raise Refused(
            say(
                "The narrower model cannot be built at layer {layer}: {error}",
                layer=error.layer,
                # Keras puts the whole configuration before what is wrong with it.
                error=reason_of(error.__cause__ or error),
            ),
            say("Choose another width or another multiple."),
        ) from error


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


COPYING_IMPORT = "from plain.keras.copying import copy_weights"
REBUILDING_IMPORT = "from plain.keras.widths import with_widths"


def rebuilding_code(made: str, source: str, plan: WidthPlan, seed: int | str) -> str:
    """Plain code that calls what :func:`rebuilt` calls, where :data:`REBUILDING_IMPORT` stands in the script.

    Args:
        made: The variable that gets the new model.
        source: The variable that holds the old one.
        plan: What changes and what is kept.
        seed: Seeds the new weights.
    """
    changes = "".join(f"    {json.dumps(name)}: {json.dumps(new)},\n" for name, new in plan.changes.items())
    kept = keep = ""
    if plan.keep:
        places = "".join(f"    {_place(path)},\n" for path in plan.keep)
        kept = f"# Frozen, or adapted to the data: taken over as they are.\nkeep = [\n{places}]\n"
        keep = ", keep"
    return f"""\
changes = {{
{changes}}}
{kept}\
keras.utils.set_random_seed({seed})
{made} = with_widths({source}, changes{keep})
""".replace("= {\n}", "= {}")


def _place(path: tuple[str, ...]) -> str:
    return "(" + "".join(f"{json.dumps(name)}, " for name in path).rstrip() + ")"
