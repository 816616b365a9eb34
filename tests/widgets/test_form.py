"""Forms from parameter models: every kind of field, and every technique that is installed."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import Field

from widgets.panels.form import defaults, fields, help_of, values_of
from workbench.api.technique import Parameters
from workbench.techniques import techniques


class Everything(Parameters):
    epochs: int = Field(
        10,
        ge=1,
        le=200,
        title="Epochs",
        description="Passes over the data.",
        json_schema_extra={"unit": "epochs"},
    )
    rate: float = Field(0.001, gt=0, le=1, title="Learning rate")
    batch: int = Field(32, ge=1, le=4096)
    factor: float = Field(0.5, ge=0.1, le=1)
    mode: Literal["global", "local"] = "global"
    bits: Literal[4, 8] = 8
    shuffle: bool = True
    note: str = ""
    seed: int | None = Field(None, ge=0, json_schema_extra={"advanced": True})
    needed: int
    number: int = Field(0, ge=0, le=2**31 - 1)


def test_each_type_has_its_control_with_unit_range_and_options() -> None:
    by_name = {field["name"]: field for field in fields(Everything)}
    assert {name: field["kind"] for name, field in by_name.items()} == {
        "epochs": "range",
        "rate": "number",
        "batch": "number",
        "factor": "range",
        "mode": "select",
        "bits": "select",
        "shuffle": "checkbox",
        "note": "text",
        "seed": "number",
        "needed": "number",
        "number": "number",
    }
    assert by_name["number"]["range"] == "From 0 to 2,147,483,647."
    epochs = by_name["epochs"]
    assert (epochs["title"], epochs["unit"], epochs["range"]) == ("Epochs", "epochs", "From 1 to 200.")
    assert (epochs["minimum"], epochs["maximum"], epochs["step"]) == (1, 200, 1)
    assert by_name["bits"]["options"] == [{"value": 4, "label": "4"}, {"value": 8, "label": "8"}]
    assert [name for name, field in by_name.items() if field["advanced"]] == ["seed"]


def test_an_empty_field_is_none_only_where_none_is_allowed() -> None:
    assert values_of(Everything, {"seed": "", "epochs": "", "note": ""}) == {
        "seed": None,
        "epochs": "",
        "note": "",
    }
    assert values_of(Everything, "nonsense") == {}


def test_what_a_form_starts_with_is_valid_where_everything_has_a_default() -> None:
    start = defaults(Everything)
    assert start["needed"] == ""
    assert Everything.model_validate({**start, "needed": "3"}).needed == 3


@pytest.mark.parametrize("name", techniques())
def test_every_technique_has_a_form_whose_start_is_valid_and_a_help_text(name: str) -> None:
    technique = techniques()[name]
    parameters = technique.parameters_type
    assert [field["name"] for field in fields(parameters)] == list(parameters.model_fields)
    assert all(field["title"] for field in fields(parameters))
    parameters.model_validate(values_of(parameters, defaults(parameters)))
    summary, _ = help_of(technique)
    assert summary
    assert "\n" not in summary


def test_a_form_asks_one_to_three_things_and_folds_the_rest() -> None:
    for name, technique in techniques().items():
        asked, values = fields(technique.parameters_type), defaults(technique.parameters_type)
        shown = [
            field["name"]
            for field in asked
            if not field["advanced"] and all(values[other] == value for other, value in field["only"])
        ]
        assert len(shown) <= 3, (name, shown)
        assert shown or not asked, name
        # What a field waits for is there, is in sight, and can have that value.
        by_name = {field["name"]: field for field in asked}
        for field in asked:
            for other, value in field["only"]:
                assert not by_name[other]["advanced"]
                assert value in [option["value"] for option in by_name[other]["options"]]


def test_what_is_asked_of_several_outputs_is_not_asked_of_one() -> None:
    parameters = techniques()["training.retrain"].parameters_type
    every, of_one = fields(parameters), fields(parameters, several_outputs=False)
    assert {one["name"] for one in every} - {one["name"] for one in of_one} == {"output_weights"}
    assert "output_weights" in defaults(parameters)
