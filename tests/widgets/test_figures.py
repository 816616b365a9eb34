"""Figures are valid plotly, carry intervals, and show hostile names as plain text."""

from __future__ import annotations

import json
import math
from itertools import combinations
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

import widgets
from tests.widgets.result_rows import DETAILS, HOSTILE, ROWS, interval
from widgets.charts.axes import AXES, range_of
from widgets.charts.chart import FAMILY_COLOURS, FAMILY_SHAPES, plain
from widgets.charts.classes import class_chart, class_figure, confusion_chart, confusion_figure
from widgets.charts.curves import curves_figure
from widgets.charts.found import findings, found_chart
from widgets.charts.scene import scene
from widgets.charts.trade_off import legend, scene_table
from widgets.charts.trade_off_figure import trade_off_figure
from workbench.api.text import say
from workbench.api.variant import Table
from workbench.results.rows import ResultRow

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
    "trade-off": trade_off_figure(scene(ROWS), "q", "b"),
    "trade-off of nothing": trade_off_figure(scene(())),
    "trade-off of one": trade_off_figure(scene(ROWS[:1])),
    **{
        f"trade-off of {across} and {up}": trade_off_figure(scene(ROWS, across, up), by="family")
        for across, up in combinations(AXES, 2)
    },
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
        assert len(text) < 260


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


def marks(rows: Any = ROWS, across: str = "speed", up: str = "change") -> dict[str, Any]:
    return {mark.row.variant.id: mark for mark in scene(rows, across, up).marks}


def changed(value: float, spread: float = 0.004, word: str = "kept") -> Any:
    assert ROWS[1].quality_change is not None
    return ROWS[1].quality_change.model_copy(update={"change": interval(value, spread), "word": word})


def test_whiskers_reach_the_ends_of_the_paired_intervals() -> None:
    drawn = [trace for trace in trade_off_figure(scene(ROWS))["data"] if "customdata" in trace]
    assert sum(len(trace["x"]) for trace in drawn) == 3
    for trace in drawn:
        for number, id_ in enumerate(trace["customdata"]):
            row = next(row for row in ROWS if row.variant.id == id_)
            x, y = trace["x"][number], trace["y"][number]
            if row.quality_change is None:
                assert (x, y) == (1, 0)
                continue
            assert row.total_speedup is not None
            assert x + trace["error_x"]["array"][number] == pytest.approx(row.total_speedup.high)
            assert x - trace["error_x"]["arrayminus"][number] == pytest.approx(row.total_speedup.low)
            assert y + trace["error_y"]["array"][number] == pytest.approx(row.quality_change.change.high)


def test_the_front_is_that_of_the_two_axes_and_ringed_not_joined() -> None:
    rows = [
        ROWS[0],
        ROWS[1].model_copy(update={"quality_change": changed(-0.03, word="lost")}),
        ROWS[2].model_copy(update={"on_front": True}),
    ]
    by_speed, by_size = marks(rows), marks(rows, "size", "f1")
    assert {id_ for id_, mark in by_speed.items() if mark.front} == {"b", "q", "w"}
    # Larger and less right than int8 and the wide one: the third axis is not in the picture.
    assert {id_ for id_, mark in by_size.items() if mark.front} == {"q", "w"}
    less = marks(rows, "memory", "size")
    assert less == {}
    traces = trade_off_figure(scene(rows))["data"]
    rings = [trace for trace in traces if trace["mode"] == "markers" and "customdata" not in trace]
    assert len(rings[0]["x"]) == 3
    assert [trace["mode"] for trace in traces].count("lines") == 1  # from parent to child


def test_selected_and_compared_are_marked_apart() -> None:
    selected, compared = trade_off_figure(scene(ROWS), "q", "w")["data"][2:4]
    assert (selected["x"], compared["x"]) == ([18.0], [2.25])
    assert selected["marker"]["line"]["width"] > compared["marker"]["line"]["width"]


def test_a_time_that_is_not_believed_is_hollow_says_why_and_is_not_the_best() -> None:
    busy = ROWS[1].model_copy(update={"distrust": say("The machine was busy.")})
    mark = marks([ROWS[0], busy, ROWS[2]])["q"]
    assert mark.unsure
    assert not mark.front
    figure = trade_off_figure(scene([ROWS[0], busy, ROWS[2]]))
    (trace,) = [trace for trace in figure["data"] if trace.get("customdata") == ["q"]]
    assert trace["text"] == ["?"]
    assert trace["marker"]["symbol"] == ["square-open"]
    assert "faster [" not in trace["hovertext"][0]
    assert "The machine was busy." in trace["hovertext"][0]
    # Size and F1 are exact whatever the machine did.
    assert not marks([ROWS[0], busy], "size", "f1")["q"].unsure


def test_the_legend_names_the_measure_of_the_task_before_anything_is_measured() -> None:
    unmeasured = ROWS[3].variant
    description = unmeasured.description.model_copy(update={"task": "regression"})
    row = ResultRow(variant=unmeasured.model_copy(update={"description": description}))
    (band,) = legend(scene([row]), "verdict")
    assert band["words"] == "MAE grows by at most 1%"


def test_the_band_of_what_is_kept_is_there_where_the_change_is_drawn() -> None:
    figure = trade_off_figure(scene(ROWS, tolerance=0.02))
    assert [shape["y0"] for shape in figure["layout"]["shapes"]] == [-0.02, -0.02]
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < -0.02 < 0 < high
    assert trade_off_figure(scene(ROWS, "speed", "f1"))["layout"]["shapes"] == []


def test_one_that_collapsed_does_not_flatten_the_others() -> None:
    rows = [*ROWS[:2], ROWS[2].model_copy(update={"quality_change": changed(-0.6, 0.05, "lost")})]
    picture = scene(rows)
    lost = next(mark for mark in picture.marks if mark.row.variant.id == "w")
    assert lost.beyond
    assert lost.drawn == picture.y.low > -0.1
    names = [name["text"] for name in trade_off_figure(picture)["layout"]["meta"]["names"]]
    assert any("60.0 points) ↓" in name for name in names)
    cells = scene_table(picture)[1]
    assert [row[3] for row in cells][2] == "−60.0"


def test_what_was_not_timed_beside_the_baseline_is_not_drawn_but_named() -> None:
    picture = scene([ROWS[0], ROWS[1].model_copy(update={"paired_ms": None}), ROWS[3]])
    assert [mark.row.variant.name for mark in picture.marks] == ["baseline"]
    assert [row.variant.name for row in picture.missing] == ["int8", "not measured yet"]


def test_lineage_joins_measured_parents_and_children() -> None:
    lineage = trade_off_figure(scene(ROWS))["data"][0]
    assert lineage["x"] == [1.0, 18.0, None, 1.0, 2.25, None]


@pytest.mark.parametrize(
    ("key", "values", "ticks"),
    [
        ("speed", [1, 18], ["1×", "2×", "5×", "10×", "20×"]),
        ("speed", [0.9, 1.3], ["0.9×", "1×", "1.1×", "1.2×", "1.3×"]),
        ("speed", [1, 1000], ["1×", "3×", "10×", "30×", "100×", "300×", "1,000×"]),
        ("change", [-0.014, 0.005], ["−1.5", "−1", "−0.5", "0.0", "+0.5"]),
        ("f1", [0.9], ["0.800", "0.850", "0.900", "0.950", "1.000"]),
        ("memory", [1e6, 9e6], ["2.00 MB", "4.00 MB", "6.00 MB", "8.00 MB"]),
    ],
)
def test_every_tick_of_an_axis_reads_alone(key: str, values: list[float], ticks: list[str]) -> None:
    seen = range_of(AXES[key], values)
    assert [text for _, text in seen.ticks] == ticks
    assert all(seen.low <= tick <= seen.high for tick, _ in seen.ticks)


def test_tables_behind_pictures_have_a_row_for_everything_drawn() -> None:
    chart = class_chart(DETAILS)
    assert [len(row) for row in chart["table"]["rows"]] == [4, 4, 4]
    assert "-10.0".replace("-", "\N{MINUS SIGN}") in chart["summary"]
    assert [row[2] for row in confusion_chart(DETAILS)["table"]["rows"]] == ["−3", "+2", "+1"]


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
