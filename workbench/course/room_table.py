"""A room as one table: a line for each prediction, check, variant and decision."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from workbench.course.board import demands_met
from workbench.course.class_settings import Demands
from workbench.course.hand_in import HandIn, Made, Predicted, Tried

COLUMNS = (
    "learner",
    "lesson",
    "machine",
    "cores",
    "kind",
    "name",
    "said",
    "measured",
    "low",
    "high",
    "right",
    "passed",
    "tries",
    "steps",
    "runtime",
    "automatic",
    "file_bytes",
    "times_smaller",
    "latency_ms_on_this_machine",
    "speedup_to_own_baseline",
    "speedup_low",
    "speedup_high",
    "speed_verdict",
    "speed_doubt",
    "quality",
    "quality_change",
    "quality_change_low",
    "quality_change_high",
    "quality_verdict",
    "meets_size",
    "meets_quality",
    "meets_speed",
    "text",
)
"""What stands in the table."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Cell = str | int | float | bool | None


def room_csv(handed: Sequence[HandIn], demands: Demands) -> str:
    """The table as CSV, with a mark at its head by which spreadsheets know its encoding.

    Args:
        handed: What was gathered.
        demands: Of the challenge.
    """
    written = io.StringIO()
    written.write("\ufeff")
    table = csv.DictWriter(written, COLUMNS, lineterminator="\r\n")
    table.writeheader()
    for one in handed:
        for line in _lines(one, demands):
            table.writerow({name: _safe(value) for name, value in line.items()})
    return written.getvalue()


def _lines(one: HandIn, demands: Demands) -> Iterator[dict[str, Cell]]:
    whose: dict[str, Cell] = {
        "learner": one.learner,
        "lesson": one.lesson,
        "machine": one.machine,
        "cores": one.cores,
    }
    for prediction in one.predictions:
        yield {**whose, "kind": "prediction", **_prediction(prediction)}
    for check in one.checks:
        yield {**whose, "kind": "check", **_check(check)}
    baseline = next((made for made in one.variants if made.baseline), None)
    for made in one.variants:
        yield {**whose, "kind": "variant", **_variant(made, demands, baseline)}
    if one.decision is not None:
        decided = {"name": one.decision.variant or "", "text": one.decision.text}
        yield {**whose, "kind": "decision", **decided}


def _prediction(one: Predicted) -> dict[str, Cell]:
    return {
        "name": one.key,
        "text": one.question,
        "said": one.said,
        "measured": None if one.doubted else one.measured,
        "low": None if one.doubted else one.low,
        "high": None if one.doubted else one.high,
        "right": one.right,
    }


def _check(one: Tried) -> dict[str, Cell]:
    return {"name": one.key, "passed": one.passed, "tries": one.tries, "text": "; ".join(one.wrong)}


def _variant(made: Made, demands: Demands, baseline: Made | None) -> dict[str, Cell]:
    met = demands_met(made, demands, baseline)
    speedup = None if made.doubt else made.speedup
    return {
        "name": made.name,
        "steps": " > ".join(made.steps),
        "runtime": made.runtime,
        "automatic": made.automatic,
        "file_bytes": made.file_bytes,
        "times_smaller": made.times_smaller,
        "latency_ms_on_this_machine": None if made.doubt else made.latency_ms,
        "speedup_to_own_baseline": None if speedup is None else speedup.value,
        "speedup_low": None if speedup is None else speedup.low,
        "speedup_high": None if speedup is None else speedup.high,
        "speed_verdict": made.speed,
        "speed_doubt": made.doubt,
        "quality": made.measured,
        "quality_change": None if made.change is None else made.change.value,
        "quality_change_low": None if made.change is None else made.change.low,
        "quality_change_high": None if made.change is None else made.change.high,
        "quality_verdict": made.kept,
        **(
            {}
            if made.baseline
            else {"meets_size": met.size, "meets_quality": met.quality, "meets_speed": met.speed}
        ),
    }


def _safe(value: Cell) -> Cell:
    """Words that a spreadsheet would take for a formula are marked as words."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
