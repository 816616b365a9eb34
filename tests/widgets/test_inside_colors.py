"""Colours of layers, and what the legend says of them."""

from __future__ import annotations

import pytest

from widgets.panels.inside_colors import (
    deepest,
    error_cell,
    error_legend,
    paint_cells,
    precision_cell,
    precision_legend,
)
from widgets.panels.inside_graph import graph_view
from widgets.wording import size
from workbench.api.variant import Edge, Layer, TensorSpec
from workbench.measure.inside.records import Inside, InsideLayer


def test_each_value_has_the_colour_that_the_legend_gives_it() -> None:
    values = [0, 1, 20, 21, 60, 99, 100]
    cells = [{"words": [str(value)], "order": value, "before": value * 2} for value in values]
    legend = paint_cells(cells, str)
    assert [cell["paint"] for cell in cells] == ["", *(f"heat-{step}" for step in (0, 0, 1, 2, 4, 4))]
    bounds = {one["paint"]: one["words"] for one in legend}
    assert bounds == {
        **{f"heat-{step}": f"≤ {20 * (step + 1)}" for step in range(5)},
        "heat-5": "> 100",  # the counterpart of 60 has 120
    }
    assert cells[4]["paintBefore"] == "heat-5"
    assert cells[1]["paintBefore"] == "heat-0"
    nothing = [{"words": [""], "order": None, "before": None}]
    assert paint_cells(nothing, size) == []
    assert nothing[0]["paint"] == ""


@pytest.mark.parametrize(
    ("own", "agreement", "paint"),
    [
        (70.0, "measured", ""),
        (50.0, "measured", "heat-0"),
        (13.0, "measured", "heat-3"),
        (11.0, "measured", "heat-4"),
        (None, "equal", ""),
        (None, "not finite", "heat-4"),
    ],
)
def test_more_error_is_redder(own: float | None, agreement: str, paint: str) -> None:
    layer = InsideLayer(
        name="a", kind="B", parameters=0, size_bytes=0, agreement=agreement, own_db=own, snr_db=own
    )
    assert error_cell(layer)["paint"] == paint
    assert [one["words"] for one in error_legend(0.0)] == [
        "≥ 48.0 dB",
        "≥ 36.0 dB",
        "≥ 24.0 dB",
        "≥ 12.0 dB",
        "< 12.0 dB",
    ]


def test_the_worst_layer_has_the_full_colour_also_where_others_are_nearly_as_bad() -> None:
    plain = InsideLayer(name="a", kind="B", parameters=0, size_bytes=0, agreement="measured")
    layers = [plain.model_copy(update={"own_db": own, "snr_db": own}) for own in (-3.0, -40.0, 55.0)]
    deep = deepest(layers)
    heats = [error_cell(layer, deep)["heat"] for layer in layers]
    assert heats[1] == 1.0 > heats[0] > heats[2] > 0
    assert [error_cell(layer, deep)["paint"] for layer in layers] == ["heat-3", "heat-4", "heat-0"]
    assert error_legend(deep)[-1]["words"] == "< −20.0 dB"


def layer(precision: str, parameters: int = 1) -> Layer:
    return Layer(name="a", kind="B", parameters=parameters, size_bytes=4, precision=precision)


def test_types_of_as_many_bits_share_a_colour() -> None:
    cells = [
        precision_cell([layer("int8"), layer("float32")]),
        precision_cell([layer("uint8")]),
        precision_cell([layer("int4"), None]),
        precision_cell([layer("float32", parameters=0)]),
    ]
    assert [cell["paint"] for cell in cells] == ["bits-8", "bits-8", "bits-4", ""]
    assert cells[0]["paintBefore"] == "bits-32"
    assert precision_legend(cells) == [
        {"paint": "bits-4", "words": "int4"},
        {"paint": "bits-8", "words": "int8, uint8"},
        {"paint": "bits-32", "words": "float32"},
    ]


def test_the_graph_tells_on_which_side_each_edge_is() -> None:
    plain = InsideLayer(name="a", kind="B", parameters=0, size_bytes=0)
    known = Inside(
        variant="v",
        layers=(plain, plain),
        removed=(layer("int8"),),
        edges=(Edge(giver=-1, taker=0, shape=(28, None)), Edge(giver=0, taker=1)),
        before_edges=(Edge(giver=-1, taker=0), Edge(giver=0, taker=2), Edge(giver=2, taker=1)),
    )
    view = graph_view(known, [TensorSpec(name="x", shape=(28, 28))], ["v", "w"])
    assert view is not None
    assert view["edges"] == [
        [-1, 0, "28×?", ""],
        [0, 1, "", "mine"],
        [0, 2, "", "theirs"],
        [2, 1, "", "theirs"],
    ]
    assert view["sides"]
    alone = graph_view(known.model_copy(update={"before_edges": ()}), [], ["v", ""])
    assert alone is not None
    assert not alone["sides"]
    assert {edge[3] for edge in alone["edges"]} == {""}
    assert graph_view(known.model_copy(update={"edges": ()}), [], ["v", ""]) is None
