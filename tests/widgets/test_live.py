"""What is drawn while a job runs: axes that are named, bands that narrow, a heat map that fills."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import plotly.graph_objects as go
import pytest

from tests.widgets.result_rows import HOSTILE, variant
from widgets.charts.curves import curves_chart, curves_figure, grouped
from widgets.charts.live import LiveChart
from widgets.charts.narrowing import MOST_STRIPS, narrowing_chart, timings
from widgets.rhythm import Rhythm
from workbench.api.text import say
from workbench.api.variant import Table
from workbench.jobs.job import Job
from workbench.jobs.state import JobState
from workbench.measure.narrowing import latency_curve

NARROWS = ((6.0, 0.05, 0.02, 0.09), (12.0, 0.04, 0.03, 0.06), (30.0, 0.05, 0.049, 0.052))
VARIANTS = (variant("b", "baseline"), variant("q", HOSTILE, "quantization.int8", "b"))


def test_curves_that_share_axes_share_a_picture_and_what_is_no_number_ends_a_curve() -> None:
    groups = grouped(
        {
            "running F1": ((100, 0.7, 0.6, 0.8),),
            "training loss": ((1, 0.5), (2, float("nan"))),
            "validation loss": ((1, 0.6),),
            "validation F1": ((1, 0.7),),
            "validation F1 over seconds": ((1.5, 0.7),),
            "sparsity": ((10, 0.3),),
            "F1 over kept layers": ((3, 0.9),),
            "empty": (),
            "my loss": ((1, 3.0),),
            "my share": ((1, 0.5),),
        }
    )
    assert [(str(axes.across), list(curves)) for axes, curves in groups.items()] == [
        ("epoch", ["training loss", "validation loss"]),
        ("epoch", ["validation F1"]),
        ("training step", ["sparsity"]),
        ("layers left exact", ["F1 over kept layers"]),
        ("seconds of training", ["validation F1 over seconds"]),
        ("test samples", ["running F1"]),
        # what these show is not guessed from their names
        ("step", ["my loss"]),
        ("step", ["my share"]),
    ]
    assert next(iter(groups.values()))["training loss"] == [(1, 0.5)]
    for axes, curves in groups.items():
        shown = curves_chart(axes, curves)
        layout = shown["figure"]["layout"]
        assert layout["xaxis"]["title"]["text"] == str(axes.across)
        assert layout["yaxis"]["title"]["text"] == str(axes.up)
        assert [one["title"] for one in shown["table"]["columns"]][1:] == [str(axes.across), str(axes.up)]


def test_an_interval_is_a_band_below_its_curve_and_stands_in_words_and_table() -> None:
    low, high, line = curves_figure({"running F1": ((50, 0.7), *NARROWS)}, "x", "y")["data"]
    assert (low["y"], high["y"]) == ([0.02, 0.03, 0.049], [0.09, 0.06, 0.052])
    assert low["x"] == high["x"] == [6.0, 12.0, 30.0]
    assert high["fill"] == "tonexty"
    assert line["x"] == [50, 6.0, 12.0, 30.0]
    ((axes, curves),) = grouped({"running F1": NARROWS}).items()
    shown = curves_chart(axes, curves)
    assert shown["summary"] == "Now: running F1 0.0500 [0.0490, 0.0520]."
    assert shown["table"]["rows"][0] == ["running F1", "6", "0.0500 [0.0200, 0.0900]"]


def test_each_file_that_is_timed_has_a_strip_with_its_own_unit() -> None:
    slow = tuple((step, *(100 * value for value in rest)) for step, *rest in NARROWS)
    metrics = {"loss": ((1, 0.5),), latency_curve("b"): slow, latency_curve("q"): NARROWS}
    metrics[latency_curve("gone")] = NARROWS
    shown = narrowing_chart(timings(metrics, VARIANTS))
    figure = shown["figure"]
    go.Figure(figure)
    json.dumps(figure, allow_nan=False)
    assert [figure["layout"][axis]["ticksuffix"] for axis in ("yaxis", "yaxis2")] == [" ms", " µs"]
    assert [trace["yaxis"] for trace in figure["data"]] == ["y"] * 3 + ["y2"] * 3
    lower, upper, median = figure["data"][3:]
    widths = [high - low for low, high in zip(lower["y"], upper["y"], strict=True)]
    assert widths == sorted(widths, reverse=True)
    assert median["y"] == pytest.approx([50, 40, 50])
    first, second = (note["text"] for note in figure["layout"]["annotations"])
    assert first == "<b>baseline</b>  5.00 ms [4.90, 5.20]"
    assert "<script" not in second
    assert second.endswith("50.0 µs [49.0, 52.0]")
    assert shown["table"]["rows"][-1][1:] == ["30", "50.0 µs [49.0, 52.0]"]


def test_of_many_files_the_last_interval_is_drawn() -> None:
    many = [(variant(str(number), f"v{number}"), NARROWS) for number in range(MOST_STRIPS + 1)]
    figure = narrowing_chart(many)["figure"]
    go.Figure(figure)
    (dots,) = figure["data"]
    assert dots["x"] == [0.05] * (MOST_STRIPS + 1)
    assert dots["error_x"]["array"][0] == pytest.approx(0.002)
    assert dots["error_x"]["arrayminus"][0] == pytest.approx(0.001)


class Page:
    """A session with one job, as far as the live chart looks."""

    def __init__(self) -> None:
        state = JobState(id="a", kind="apply", title=say("Grid"), created=datetime.now(UTC))
        self.job = Job(state, lambda _: None, lambda _: None)
        self.variants = VARIANTS
        self.workbench = self
        self.panels = None
        self.hidden = frozenset()
        self.projector = False
        self.closed = False
        self.rhythm = Rhythm(lambda: False)

    @property
    def jobs(self) -> tuple[JobState, ...]:
        return (self.job.state,)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    made = Page()
    monkeypatch.setattr("widgets.component.session_of", lambda _: made)
    return made


def test_the_live_chart_fills_its_heat_map_and_can_be_called_back(page: Page) -> None:
    chart = LiveChart(page)
    assert chart.view()["charts"] == []
    page.job.begin()

    def filled(count: int) -> Table:
        rows = tuple(("LiteRT", f"batch {place}", 0.5 if place < count else None) for place in range(4))
        columns = (say("Runtime"), say("Batch"), say("ms"))
        note = say("{done} of 4 cells are timed.", done=count)
        return Table(title=say("Time of a call"), columns=columns, rows=rows, picture="heatmap", note=note)

    seen: Callable[[], dict[str, Any]] = lambda: chart.view()["charts"][0]  # noqa: E731  (one line, used twice)
    for count in range(5):
        page.job.on_event({"type": "table", "table": filled(count).model_dump(mode="json")})
        go.Figure(seen()["figure"])
        cells = seen()["figure"]["data"][0]["text"][0]
        assert [bool(cell) for cell in cells] == [place < count for place in range(4)]
        assert f"{count} of 4 cells" in seen()["summary"]
    assert chart.view()["running"]
    page.job.end()
    assert not chart.view()["running"]
    assert seen()["name"] == "Time of a call"
