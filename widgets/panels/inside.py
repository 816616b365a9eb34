"""The inside of a variant: its layers with time, bytes, operations and error, beside those of another one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from widgets.panels.inside_colors import (
    Cell,
    deepest,
    error_cell,
    error_legend,
    paint_cells,
    precision_cell,
    precision_legend,
)
from widgets.panels.inside_graph import graph_view, shape_words
from widgets.session import Session
from widgets.wording import count, interval_words, short, size, time
from workbench.api.errors import WorkbenchError
from workbench.api.text import Text, say
from workbench.api.variant import Layer, Variant
from workbench.measure.inside.names import readable
from workbench.measure.inside.records import Inside, InsideLayer
from workbench.measure.inside.times import times_obstacle
from workbench.results.inside_words import CHANGES, inside_summary, time_words


def inside_view(session: Session, variant: Variant, reference: Variant | None) -> dict[str, Any] | None:
    """What the page shows of the layers, in the current language; None where none are known.

    Args:
        session: Of the workbench.
        variant: What is looked at.
        reference: What it is held against; None for nothing.
    """
    if not variant.description.layers:
        return None
    try:
        known = session.workbench.inside_now(variant.id, None if reference is None else reference.id)
    except WorkbenchError:  # one of them was deleted since the rows were read
        return None
    looking = next((job for job in session.jobs if _looks_at(job, variant, reference)), None)
    names = [short(variant.name), "" if reference is None else short(reference.name)]
    compared = any(layer.before is not None for layer in known.layers)
    rows = _rows(known, compared=compared)
    return {
        "caption": str(say("Layers of {name}", name=names[0])),
        "above": str(say("Above: {name}. Below: {other}.", name=names[0], other=names[1]))
        if compared
        else "",
        "columns": _columns(known, rows),
        "rows": rows,
        "graph": graph_view(known, variant.description.inputs, names),
        "order": str(say("Colored by")),
        "inOrder": str(say("Layer")),
        "look": str(_look_label(variant, known)),
        "lookHint": str(
            say(
                "Times each layer alone on this machine, and compares what each gives with the other variant "
                "on samples of the validation split."
            )
        ),
        "offersLook": looking is None and _can_tell_more(variant, reference, known),
        "looking": None
        if looking is None
        else str(
            say("Looking inside: {stage}", stage=looking.stage)
            if looking.stage is not None
            else say("Looking inside …")
        ),
        "summary": [str(line) for line in inside_summary(known)],
        "notes": [str(note) for note in known.notes],
    }


def _looks_at(job: Any, variant: Variant, reference: Variant | None) -> bool:
    asked = job.request.get("variant"), job.request.get("against")
    return (
        job.kind == "inside"
        and not job.ended
        and asked == (variant.id, None if reference is None else reference.id)
    )


def _can_tell_more(variant: Variant, reference: Variant | None, known: Inside) -> bool:
    timed = known.times is not None or times_obstacle(variant.runtime, variant.format) is not None
    matched = reference is None or any(layer.change is not None for layer in known.layers)
    before_timed = known.beside is None or known.before_times is not None
    return not (timed and matched and before_timed)


def _look_label(variant: Variant, known: Inside) -> Text:
    if times_obstacle(variant.runtime, variant.format) is not None:
        return say("Compare layer by layer")
    if any(layer.change is not None for layer in known.layers) or known.reference is None:
        return say("Time the layers")
    return say("Time the layers and compare them")


def _columns(known: Inside, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What can be shown of the layers, each with what its colours mean."""
    columns = []
    if known.times is not None or known.before_times is not None:
        columns.append(("time", say("Time")))
    if any(layer.agreement is not None for layer in known.layers):
        columns.append(("error", say("Error (SNR)")))
    columns.append(("bytes", say("Bytes")))
    if any(layer.macs for layer in known.layers):
        columns.append(("macs", say("Multiply-accumulates")))
    columns.append(("parameters", say("Parameters")))
    columns.append(("precision", say("Precision")))
    legends = {name: paint_cells(_cells(rows, name), write) for name, write in _WRITTEN.items()}
    legends |= {
        "error": error_legend(deepest(known.layers)),
        "precision": precision_legend(_cells(rows, "precision")),
    }
    return [{"name": name, "title": str(title), "legend": legends[name]} for name, title in columns]


_WRITTEN = {"time": time, "bytes": size, "macs": count, "parameters": count}


def _cells(rows: Sequence[dict[str, Any]], column: str) -> list[Cell]:
    return [row["cells"][column] for row in rows if column in row["cells"]]


def _rows(known: Inside, *, compared: bool) -> list[dict[str, Any]]:
    deep = deepest(known.layers)
    rows = [_row(layer, deep, compared=compared) for layer in known.layers]
    rows += [_removed(layer) for layer in known.removed]
    if known.times is not None:
        rows += [
            {
                "name": str(say("The call itself")) if not one.name else short(one.name),
                "about": str(say("between the layers")),
                "change": "",
                "changeName": "",
                "cells": {"time": _cell([time_words(one.time_ms)], one.time_ms.value)},
            }
            for one in known.times.between
        ]
    return rows


def _row(layer: InsideLayer, deep: float, *, compared: bool) -> dict[str, Any]:
    before = layer.before
    shape = shape_words(layer.output_shape)
    if layer.change is not None and before is not None and before.output_shape != layer.output_shape:
        shape = f"{shape_words(before.output_shape)} → {shape}"
    about = [layer.kind, shape]
    both: Sequence[Layer | None] = (layer, before) if compared else (layer,)
    cells = {
        "bytes": _numbers([None if one is None else one.size_bytes for one in both], size),
        "macs": _numbers([None if one is None else one.macs for one in both], count),
        "parameters": _numbers([None if one is None else one.parameters for one in both], count),
        "error": error_cell(layer, deep),
        "precision": precision_cell(both),
    }
    times = [layer.time_ms, layer.before_ms] if compared else [layer.time_ms]
    words = [time_words(one) for one in times]
    if layer.time_ms is None and layer.runs_in is not None:
        words[0] = str(say("in {layer}", layer=short(readable(layer.runs_in))))
    own = None if layer.time_ms is None else layer.time_ms.value
    cells["time"] = _cell(words, own, None if layer.before_ms is None else layer.before_ms.value)
    cells["time"]["title"] = "" if layer.time_ms is None else interval_words(layer.time_ms, time)
    return {
        "name": short(readable(layer.name)),
        "full": layer.name,
        "about": " · ".join(short(one) for one in about if one),
        "kind": short(layer.kind),
        "shapes": [shape_words(one.output_shape) for one in both if one is not None],
        "change": layer.change or "",
        "changeName": str(CHANGES[layer.change]) if layer.change is not None else "",
        "cells": cells,
    }


def _removed(layer: Layer) -> dict[str, Any]:
    return {
        "name": short(readable(layer.name)),
        "full": layer.name,
        "about": " · ".join(one for one in (layer.kind, shape_words(layer.output_shape)) if one),
        "kind": short(layer.kind),
        "shapes": ["", shape_words(layer.output_shape)],
        "change": "removed",
        "changeName": str(CHANGES["removed"]),
        "cells": {
            "bytes": _numbers([None, layer.size_bytes], size),
            "macs": _numbers([None, layer.macs], count),
            "parameters": _numbers([None, layer.parameters], count),
            "precision": precision_cell([None, layer]),
        },
    }


def _numbers(values: Sequence[int | None], write: Any) -> Cell:
    """What holds nothing has no number: zeros would hide what matters."""
    shown = any(values)
    words = ["" if not shown or value is None else write(value) for value in values]
    return _cell(words, *values)


def _cell(words: Sequence[str], order: float | None, before: float | None = None) -> Cell:
    return {"words": list(words), "order": order, "before": before}
