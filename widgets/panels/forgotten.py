"""What a variant has forgotten: the samples it gets wrong now, and what it looks at, beside another one."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import numpy.typing as npt

from widgets.charts.chart import column
from widgets.session import Session
from widgets.wording import short
from workbench.api.errors import WorkbenchError
from workbench.api.text import Text, say
from workbench.api.variant import Variant
from workbench.measure.forgotten.records import Drift, Forgotten
from workbench.results import forgotten_words as written

_HEAT = np.array([(13, 8, 80), (122, 20, 150), (205, 70, 118), (248, 150, 64), (244, 240, 110)], float)
"""Colours of a map from its least to its greatest value; they also rise in lightness."""
_LARGEST = 256

Table = dict[str, Any]


def forgotten_view(session: Session, variant: Variant, reference: Variant | None) -> dict[str, Any] | None:
    """What the page shows of what is forgotten, in the current language; None where nothing is compared.

    Args:
        session: Of the workbench.
        variant: What is looked at.
        reference: What it is held against.
    """
    if reference is None or reference.id == variant.id:
        return None
    try:
        known = session.workbench.forgotten_now(variant.id, reference.id)
    except WorkbenchError:  # one of them was deleted since the rows were read
        return None
    looking = next((job for job in session.jobs if _looks_at(job, variant, reference)), None)
    waiting = None
    if looking is not None:
        waiting = say("Comparing what they look at …")
        if looking.stage is not None:
            waiting = say("Comparing what they look at: {stage}", stage=looking.stage)
    names = short(variant.name), short(reference.name)
    return {
        "lossesTitle": str(say("Samples that are wrong now and were right before")),
        "losses": _losses(known),
        "driftTitle": str(say("Does it still look at the same?")),
        "obstacle": None if known.drift_obstacle is None else str(known.drift_obstacle),
        "offersLook": known.drift is None and known.drift_obstacle is None and looking is None,
        "look": str(say("Compare what they look at")),
        "lookHint": str(
            say(
                "Perturbs samples of the test split, the same way for both files, and compares which parts "
                "their answers hang on."
            )
        ),
        "looking": None if waiting is None else str(waiting),
        "drift": None if known.drift is None else _drift(session, known.drift, *names),
        "notes": [str(note) for note in known.notes],
    }


def _looks_at(job: Any, variant: Variant, reference: Variant) -> bool:
    asked = job.request.get("variant"), job.request.get("against")
    return job.kind == "forgotten" and not job.ended and asked == (variant.id, reference.id)


def _losses(known: Forgotten) -> dict[str, Any]:
    found, classes = known.losses, known.classes
    if found is None:
        return {"lines": [str(known.losses_obstacle)], "tables": []}
    tables = []
    if found.lost or found.won:
        tables = [
            _table(say("By class"), written.CLASS_COLUMNS, written.class_rows(found, classes)),
            _table(say("By confidence"), written.CONFIDENCE_COLUMNS, written.confidence_rows(found)),
            _table(say("What was thought before"), written.THOUGHT_COLUMNS, written.thought_rows(found)),
        ]
    return {
        "lines": [str(line) for line in written.losses_summary(found, classes)],
        "tables": [table for table in tables if table["rows"]],
    }


def _table(caption: Text, columns: tuple[Text, ...], rows: list[list[str]]) -> Table:
    heads = [column(title, numeric=place > 0) for place, title in enumerate(columns)]
    return {"caption": str(caption), "columns": heads, "rows": rows}


def _drift(session: Session, drift: Drift, name: str, other: str) -> dict[str, Any]:
    rows = written.drift_rows(drift, name, other)
    maps: dict[str, npt.NDArray[Any]] = {}
    if drift.perturbations.method == "masks":
        maps = session.workbench.drift_maps(drift.variant, drift.reference)
    return {
        "table": _table(say("Rank correlation of maps"), written.DRIFT_COLUMNS, rows),
        "lines": [str(line) for line in written.drift_notes(drift)],
        "drifted": str(say("Drifted most")),
        "samples": [
            {
                "index": one.index,
                "title": str(say("Test sample {index}", index=one.index)),
                "words": str(say("Rank correlation {value}", value=written.correlation(one.correlation))),
                "peak": str(written.peak_words(drift, place)),
                "pictures": _pictures(session, one.index, maps, place, name, other),
            }
            for place, one in enumerate(drift.drifted)
        ],
    }


def _pictures(
    session: Session, index: int, maps: dict[str, npt.NDArray[Any]], place: int, name: str, other: str
) -> list[dict[str, str]]:
    if not maps:
        return []
    png = session.workbench.picture(index)
    shown = [] if png is None else [(say("Sample"), png)]
    shown += [
        (say("{name} looks at", name=one), heat_map(maps[key][place]))
        for key, one in (("before", other), ("after", name))
    ]
    return [
        {"title": str(title), "url": f"data:image/png;base64,{base64.b64encode(content).decode('ascii')}"}
        for title, content in shown
    ]


def heat_map(values: npt.NDArray[Any]) -> bytes:
    """A map as PNG: yellow is what the answer hangs on most, dark blue least.

    Args:
        values: Shape ``(rows, columns)``.
    """
    from PIL import Image

    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    share = np.nan_to_num((values - low) / (high - low or 1.0)) * (len(_HEAT) - 1)
    below = np.minimum(share.astype(int), len(_HEAT) - 2)
    part = (share - below)[..., None]
    colours = _HEAT[below] * (1 - part) + _HEAT[below + 1] * part
    image = Image.fromarray(np.rint(colours).astype(np.uint8))
    image.thumbnail((_LARGEST, _LARGEST))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()
