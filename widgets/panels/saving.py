"""What a variant saves in a year of use: a form of how it is used, and its numbers beside the baseline's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from widgets.charts.chart import column
from widgets.wording import count, digits, interval_words, short, times
from workbench.api.errors import InvalidInput
from workbench.api.text import Text, say
from workbench.measure.records import Interval
from workbench.results.rows import ResultRow
from workbench.results.savings import DAYS, GRID_SOURCE, GRIDS, WATTS_PER_CORE, Saving, Span, Use

_FIELDS: dict[str, Text] = {
    "predictions_per_day": say("Predictions a day"),
    "price_per_kwh": say("Price of a kWh"),
    "grams_per_kwh": say("g CO2e for a kWh"),
}


def saving_view(use: Use, found: Mapping[str, Saving], shown: list[ResultRow]) -> dict[str, Any]:
    """The form, the table and what stands behind its numbers, in the current language.

    Args:
        use: How the model is used.
        found: What each variant saves, by its identifier.
        shown: The variants side by side, each once.
    """
    mine = [found[row.variant.id] for row in shown]
    metered = {one.meter for one in mine if one.meter}
    return {
        "fields": [
            {"name": name, "label": str(label), "value": f"{getattr(use, name):.15g}"}
            for name, label in _FIELDS.items()
        ],
        "grids": [
            {
                "grams": f"{grid.grams:g}",
                "label": str(say("{place}: {grams}", place=grid.name, grams=f"{grid.grams:g}")),
            }
            for grid in GRIDS.values()
        ],
        "gridHint": str(say("Electricity of the year, by country; source: {source}.", source=GRID_SOURCE)),
        "submit": str(say("Reckon")),
        "table": _table(mine, shown),
        "reasons": [
            f"{short(row.variant.name)}: {one.reason}"
            for row, one in zip(shown, mine, strict=True)
            if one.reason is not None
        ],
        "notes": [
            str(_assumption() if not metered else _meters(metered)),
            str(say("Processor time is measured: all threads, timed by turns with the baseline.")),
        ],
    }


def parse_use(given: Mapping[str, object]) -> Use:
    """How a model is used, as a form says it.

    Raises:
        InvalidInput: If something is no number, or no sensible one.
    """
    try:
        return Use.model_validate({name: given[name] for name in _FIELDS if name in given}, strict=False)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        raise InvalidInput(
            say(
                "{field} is a number of 0 or more. Received: {given}.",
                field=_FIELDS[name],
                given=repr(given.get(name))[:40],
            ),
            say("Write it like 0.25."),
        ) from None


def _assumption() -> Text:
    low, high = WATTS_PER_CORE
    return say(
        "Energy is an estimate, because no meter was read: {low} to {high} W for each busy core (thermal "
        "design power / cores of an AMD EPYC 9654 and of a Ryzen 9 7950X). Memory, power supply, cooling and "
        "idling are not in it.",
        low=f"{low:.3g}",
        high=f"{high:.3g}",
    )


def _meters(names: set[str]) -> Text:
    return say(
        "Energy is metered ({meter}), less what the idle machine draws.", meter=", ".join(sorted(names))
    )


def _table(mine: list[Saving], shown: list[ResultRow]) -> dict[str, Any]:
    lines: list[tuple[Text, Callable[[Saving], str]]] = [
        (say("Processor seconds for 1,000 predictions"), lambda one: _interval(one.processor_s, digits)),
        (say("Times less than the baseline"), lambda one: _interval(one.times_less, times)),
        (say("Joules for 1,000 predictions"), lambda one: _span(one.joules, one.meter is None)),
        (say("kWh a year"), lambda one: _span(one.kwh, one.meter is None)),
        (say("Money a year"), lambda one: _span(one.money, one.meter is None)),
        (say("kg CO2e a year"), lambda one: _span(one.co2e_kg, one.meter is None)),
        (say("Saved: kWh a year"), lambda one: _span(one.saved_kwh, one.meter is None)),
        (say("Saved: money a year"), lambda one: _span(one.saved_money, one.meter is None)),
        (say("Saved: kg CO2e a year"), lambda one: _span(one.saved_co2e_kg, one.meter is None)),
        (say("Making it is paid back after"), _break_even),
    ]
    names = [short(row.variant.name) for row in shown]
    return {
        "caption": str(say("A year of {days} days", days=DAYS)),
        "columns": [column(say("In use")), *(column(name, numeric=True) for name in names)],
        "rows": [[str(title), *map(write, mine)] for title, write in lines],
    }


def _interval(interval: Interval | None, write: Callable[[float], str]) -> str:
    if interval is None:
        return "–"
    return f"{write(interval.value)} {interval_words(interval, write)}".strip()


def _span(span: Span | None, estimated: bool) -> str:
    if span is None:
        return "–"
    if span.low == span.high:
        return digits(span.low)
    words = say("{low} to {high}", low=digits(span.low), high=digits(span.high))
    return str(say("≈ {range}", range=words) if estimated else words)


def _break_even(one: Saving) -> str:
    if one.break_even is None:
        return "–"
    low, high = count(round(one.break_even.low)), count(round(one.break_even.high))
    if low == high:
        return str(say("{count} predictions", count=low))
    return str(say("{low} to {high} predictions", low=low, high=high))
