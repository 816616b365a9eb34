"""While a search runs, the chart shows what it expects, hollow, and shades what is needed."""

from __future__ import annotations

import json

import plotly.graph_objects as go
import pytest

from tests.widgets.result_rows import HOSTILE, ROWS, interval
from tests.widgets.test_advisor import FORESEEN, LEDGER, MEASURED
from widgets.charts.expected import MOST, corner_of, expected_of
from widgets.charts.scene import scene
from widgets.charts.trade_off import legend, scene_table
from widgets.charts.trade_off_figure import trade_off_figure
from workbench.advisor.demands import Demands
from workbench.api.text import Text

BASELINE = next(row for row in ROWS if row.variant.is_baseline)
SEARCH = LEDGER.model_copy(
    update={
        "demands": Demands(size_kb=1, latency_ms=0.5, loss_points=2),
        "rows": (MEASURED, FORESEEN.model_copy(update={"title": Text(template=HOSTILE)})),
    }
)


def test_expected_ratios_are_against_the_baseline_and_their_ends_change_places():
    assert BASELINE.size is not None
    assert BASELINE.shown_ms is not None
    (one,) = expected_of(SEARCH, BASELINE, "speed", "change")
    assert one.x.value == pytest.approx(BASELINE.shown_ms.value / 0.02)
    assert one.x.low == pytest.approx(BASELINE.shown_ms.value / 0.025)
    assert one.x.high == pytest.approx(BASELINE.shown_ms.value / 0.015)
    assert one.y == interval(0, 0.01)
    (smaller,) = expected_of(SEARCH, BASELINE, "size", "change")
    assert smaller.x.value == pytest.approx(BASELINE.size.file_bytes / 9000)
    assert expected_of(SEARCH, BASELINE, "memory", "change") == ()


def test_the_likeliest_are_shown_and_what_was_measured_is_not():
    many = tuple(
        FORESEEN.model_copy(
            update={"key": str(n), "foreseen": FORESEEN.foreseen.model_copy(update={"meets": n / 100})}
        )
        for n in range(20)
    )
    found = expected_of(SEARCH.model_copy(update={"rows": (MEASURED, *many)}), BASELINE, "speed", "size")
    assert [one.meets for one in found] == [n / 100 for n in range(19, 19 - MOST, -1)]


def test_what_is_needed_is_a_corner_of_the_axes_that_are_shown():
    demands = SEARCH.demands
    assert BASELINE.size is not None
    assert BASELINE.shown_ms is not None
    assert corner_of(demands, BASELINE, "size", "change") == (BASELINE.size.file_bytes / 1000, -0.02)
    assert corner_of(demands, BASELINE, "speed", "size") == (
        BASELINE.shown_ms.value / 0.5,
        BASELINE.size.file_bytes / 1000,
    )
    # What nobody has said may fall by as much as elsewhere; of memory and F1 nothing is demanded.
    assert corner_of(Demands(), BASELINE, "speed", "change") == (None, -0.01)
    assert corner_of(demands, BASELINE, "memory", "f1") == (None, None)


def test_the_picture_has_them_in_marks_legend_and_table():
    picture = scene(ROWS, ledger=SEARCH)
    figure = trade_off_figure(picture)
    go.Figure(figure)
    text = json.dumps(figure, allow_nan=False)
    assert "<img" not in text
    (hollow,) = (one for one in figure["data"] if one.get("marker", {}).get("symbol") == "circle-open-dot")
    assert hollow["x"] == [one.x.value for one in picture.expected]
    corner, *lines = figure["layout"]["shapes"]
    assert picture.corner is not None
    assert (corner["x0"], corner["y0"]) == picture.corner
    assert corner["x1"] == picture.x.high > corner["x0"]
    assert corner["y1"] == picture.y.high
    assert [line["type"] for line in lines] == ["line", "line"]
    kinds = {one["kind"] for one in legend(picture, "verdict")}
    assert {"expected", "band"} <= kinds
    _, rows = scene_table(picture)
    assert rows[-1][0] == f"{HOSTILE} (expected)"
    assert rows[-1][5:] == ["–"] * 3

    without = scene(ROWS)
    assert without.expected == ()
    assert without.corner is None
    assert "expected" not in {one["kind"] for one in legend(without, "verdict")}
