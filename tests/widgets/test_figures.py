"""Figures are valid plotly, carry intervals, and show hostile names as plain text."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

import widgets
from tests.widgets.result_rows import DETAILS, HOSTILE, ROWS, interval
from widgets.charts.bars import BarsChart, Number, bar_figure
from widgets.charts.chart import FAMILY_COLOURS, FAMILY_SHAPES, plain
from widgets.charts.classes import class_chart, class_figure, confusion_chart, confusion_figure
from widgets.charts.curves import curves_figure
from widgets.charts.found import findings, found_chart
from widgets.charts.trade_off import trade_off_figure
from workbench.text import say
from workbench.variant import Table

NUMBERS = [
    Number(row, row.latency.p50_ms.value, row.latency.p50_ms.low, row.latency.p50_ms.high, "1 ms", "[1, 1]")
    for row in ROWS
    if row.latency
]
SENSITIVITY = Table(
    title=say("Sensitivity"),
    columns=(say("Layer"), say("Loss of F1")),
    rows=((HOSTILE, 0.25), ("dense", 0.125), ("last", None)),
    picture="bars",
)
SWEEP = Table(
    title=say("Sweep"),
    columns=(say("Learning rate"), say("Loss"), say("Word")),
    rows=((1e-6, 2.5, "a"), (1e-3, float("inf"), "b"), (1.0, 9, "c")),
    picture="line",
)
GRID = Table(
    title=say("Grid"),
    columns=(say("Runtime"), say("Threads"), say("ms")),
    rows=(("litert", 1, 0.5), ("litert", 2, 0.25), (HOSTILE, 2, None)),
    picture="heatmap",
)
FIGURES = {
    "found bars": found_chart(SENSITIVITY)["figure"],
    "found line": found_chart(SWEEP)["figure"],
    "found heat map": found_chart(GRID)["figure"],
    "trade-off": trade_off_figure(ROWS, "q"),
    "trade-off of nothing": trade_off_figure(()),
    "trade-off of one": trade_off_figure(ROWS[:1]),
    "bars": bar_figure(NUMBERS),
    "dots on a logarithmic axis": bar_figure(NUMBERS, from_zero=False, logarithmic=True),
    "dots": bar_figure(NUMBERS, from_zero=False),
    "classes": class_figure(DETAILS),
    "confusion": confusion_figure(DETAILS),
    "curves": curves_figure({"training loss": [(1, 0.5), (2, 0.25)]}, "epoch"),
}


def strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    return [text for item in value for text in strings(item)] if isinstance(value, (list, tuple)) else []


@pytest.mark.parametrize("name", FIGURES)
def test_figure_is_valid_plotly_and_json(name: str) -> None:
    figure = FIGURES[name]
    go.Figure(figure)
    json.dumps(figure, allow_nan=False)


@pytest.mark.parametrize("name", FIGURES)
def test_hostile_names_stay_text(name: str) -> None:
    for text in strings(FIGURES[name]):
        lower = text.lower()
        assert "<script" not in lower
        assert "<a " not in lower
        assert "\u202e" not in text
        assert len(text) < 200


def test_a_heat_map_of_wide_values_is_colored_by_magnitude_and_reads_short() -> None:
    def drawn(*values: float | None) -> tuple[list[Any], list[Any]]:
        rows = tuple(("litert", str(place), value) for place, value in enumerate(values))
        trace = found_chart(GRID.model_copy(update={"rows": rows}))["figure"]["data"][0]
        return trace["z"][0], trace["text"][0]

    assert drawn(0.5, 0.25, None) == ([0.5, 0.25, None], ["0.500", "0.250", ""])
    assert drawn(0.0, 1000.0)[0] == [0.0, 1000.0]
    colors, words = drawn(0.0021512, 12_345.0, 999_600.0, None, 8.5e9)
    assert colors == [pytest.approx(math.log10(value)) for value in (0.0021512, 12_345, 999_600)] + [
        None,
        pytest.approx(math.log10(8.5e9)),
    ]
    assert words == ["0.00215", "12.3k", "1.00M", "", "8.50G"]


def test_the_better_cell_of_a_heat_map_is_the_darker_one_and_the_chosen_one_has_a_frame() -> None:
    figures = [
        found_chart(GRID.model_copy(update={"better": better, "chosen": 1})) for better in ("less", "more")
    ]
    less, more = [figure["figure"]["data"][0] for figure in figures]
    assert less["z"][0] == [-0.5, -0.25]  # 0.25 ms is better, and darker
    assert more["z"][0] == [0.5, 0.25]
    assert less["colorscale"] == more["colorscale"]
    (frame,) = figures[0]["figure"]["layout"]["shapes"]
    assert (frame["x0"], frame["x1"], frame["y0"], frame["y1"]) == (0.5, 1.5, -0.5, 0.5)
    assert figures[0]["summary"] == "In each cell: ms; the darker, the better. The framed one was chosen."
    plain_one = found_chart(GRID)
    assert plain_one["summary"] == "In each cell: ms; the darker, the better."
    assert plain_one["figure"]["layout"]["shapes"] == []


def test_the_style_sheet_has_the_color_of_the_chart_and_a_shape_for_every_family() -> None:
    css = (Path(widgets.__file__).parent / "static" / "workbench.css").read_text("utf-8")
    assert set(FAMILY_SHAPES) == set(FAMILY_COLOURS)
    for family, color in FAMILY_COLOURS.items():
        assert f".wb-shape-{family} {{ background: var(--wb-" in css
        if family != "baseline":
            assert f"--wb-{family}: {color.lower()};" in css


def test_templates_never_hold_names() -> None:
    for figure in FIGURES.values():
        for trace in figure["data"]:
            assert "hovertemplate" not in trace
            assert trace.get("texttemplate") in (None, "%{text}")


def test_names_keep_what_plotly_would_eat() -> None:
    assert plain("a<b>&c") == "a&lt;b&gt;&amp;c"


def test_whiskers_reach_the_ends_of_the_intervals() -> None:
    bubbles = [trace for trace in trade_off_figure(ROWS)["data"] if "customdata" in trace]
    assert sum(len(trace["x"]) for trace in bubbles) == 3
    for trace in bubbles:
        for number, id_ in enumerate(trace["customdata"]):
            row = next(row for row in ROWS if row.variant.id == id_)
            assert row.paired_ms is not None
            assert row.quality is not None
            x, y = trace["x"][number], trace["y"][number]
            assert x + trace["error_x"]["array"][number] == pytest.approx(row.paired_ms.high)
            assert x - trace["error_x"]["arrayminus"][number] == pytest.approx(row.paired_ms.low)
            assert y + trace["error_y"]["array"][number] == pytest.approx(row.quality.f1_macro.high)


def test_latencies_of_different_moments_are_drawn_beside_the_baseline_and_tell_what_was_measured() -> None:
    rows = [ROWS[0], ROWS[1].model_copy(update={"paired_ms": interval(0.06, 0.001)})]
    x = {id_: x for trace in trade_off_figure(rows)["data"] if "customdata" in trace
         for id_, x in zip(trace["customdata"], trace["x"], strict=True)}  # fmt: skip
    assert x == {"b": 0.9, "q": 0.06}
    hover = [text for text in strings(trade_off_figure(rows)) if "int8</b>" in text]
    assert len(hover) == 1
    assert "measured: 50.0 µs" in hover[0]


def test_what_was_not_timed_beside_the_baseline_is_not_drawn() -> None:
    rows = [ROWS[0], ROWS[1].model_copy(update={"paired_ms": None})]
    assert [name["text"] for name in trade_off_figure(rows)["layout"]["meta"]["names"]] == ["baseline"]


def test_lineage_joins_measured_parents_and_children_and_the_front_is_marked() -> None:
    lineage, front = trade_off_figure(ROWS)["data"][:2]
    assert lineage["x"] == [0.9, 0.05, None, 0.9, 0.4, None]
    assert front["x"] == [0.05, 0.4]


def test_a_wide_range_of_latencies_gets_a_logarithmic_axis_with_labels_that_read_alone() -> None:
    axis = trade_off_figure(ROWS)["layout"]["xaxis"]
    assert axis["type"] == "log"
    assert axis["ticktext"] == [f"{value:g}" for value in axis["tickvals"]]
    assert trade_off_figure(ROWS[:1])["layout"]["xaxis"]["type"] == "linear"


def test_tables_behind_pictures_have_a_row_for_everything_drawn() -> None:
    chart = class_chart(DETAILS)
    assert [len(row) for row in chart["table"]["rows"]] == [4, 4, 4]
    assert "-10.0".replace("-", "\N{MINUS SIGN}") in chart["summary"]
    assert [row[2] for row in confusion_chart(DETAILS)["table"]["rows"]] == ["−3", "+2", "+1"]


def test_every_chart_component_says_what_it_follows() -> None:
    assert "results" in BarsChart.follows


def test_what_was_found_is_a_table_with_the_picture_it_asks_for() -> None:
    bars, line, heat, alone = findings(
        [SENSITIVITY, SWEEP, GRID, SENSITIVITY.model_copy(update={"picture": None})]
    )
    assert bars["figure"]["data"][0]["x"] == [0.25, 0.125]  # what has no number has no bar
    assert [row[1] for row in bars["table"]["rows"]] == ["0.250", "0.125", "–"]
    assert [one["numeric"] for one in bars["table"]["columns"]] == [False, True]
    assert line["figure"]["layout"]["xaxis"]["type"] == "log"
    assert [trace["y"] for trace in line["figure"]["data"]] == [[2.5, None, 9.0]]
    assert heat["figure"]["data"][0]["z"] == [[0.5, 0.25], [None, None]]
    assert alone["figure"] is None
    assert alone["name"] != bars["name"]
