"""The form of how a model is used, and the table that follows from it."""

from __future__ import annotations

import pytest

from tests.results.test_savings import BASE, FAST
from widgets.panels.saving import parse_use, saving_view
from workbench.api.errors import InvalidInput
from workbench.results.savings import Use, savings


def test_numbers_are_taken_and_nonsense_is_named() -> None:
    given = {"predictions_per_day": "5e6", "price_per_kwh": "0.31", "grams_per_kwh": "56"}
    assert parse_use(given) == Use(predictions_per_day=5e6, price_per_kwh=0.31, grams_per_kwh=56)
    for name, wrong in (("predictions_per_day", "0"), ("price_per_kwh", "-1"), ("grams_per_kwh", "nan")):
        with pytest.raises(InvalidInput, match="number of 0 or more"):
            parse_use({**given, name: wrong})


def test_an_estimate_is_called_one_and_what_is_unknown_is_a_dash() -> None:
    rows = (BASE, FAST)
    shown = saving_view(Use(), savings(rows, Use(), 2), list(rows))
    lines = {line[0]: line[1:] for line in shown["table"]["rows"]}
    assert lines["Times less than the baseline"] == ["–", "4.00× [3.60×, 4.40×]"]
    assert all(cell.startswith("≈ ") for cell in lines["kWh a year"])
    assert lines["Saved: kWh a year"][0] == "–"
    assert lines["Making it is paid back after"] == ["–", "50,000 to 100,000 predictions"]
    assert any("estimate, because no meter was read: 3.75 to 10.6 W" in note for note in shown["notes"])
    unknown = BASE.model_copy(update={"latency": None})
    shown = saving_view(Use(), savings((unknown, FAST), Use(), 2), [FAST])
    assert {cell for line in shown["table"]["rows"] for cell in line[1:]} == {"–"}
    assert "time it again" in shown["reasons"][0]
