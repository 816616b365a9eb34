"""Reporters: what is gathered, in which order, and that nothing is lost."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.local_reporter import LocalReporter
from workbench.api.errors import Cancelled
from workbench.api.text import say
from workbench.api.variant import Table
from workbench.jobs.curves import LiveCurve
from workbench.jobs.reporter import WorkerReporter


class Wire:
    """Keeps what a reporter sends, and the timers that it sets."""

    def __init__(self):
        self.messages, self.timers, self.cancelled = [], [], False
        self.reporter = WorkerReporter(
            self.messages.append, lambda seconds, call: self.timers.append(call), lambda: self.cancelled
        )

    @property
    def events(self):
        return [event for message in self.messages for event in message]


def test_many_calls_make_few_messages():
    wire = Wire()
    for number in range(1000):
        wire.reporter.progress(number / 1000)
        wire.reporter.metric("loss", number, 1.0)
    wire.reporter.flush()
    assert len(wire.messages) < 20
    points = [point for event in wire.events if event["type"] == "metric" for point in event["points"]]
    assert [step for step, _ in points] == list(range(1000))
    assert [event["fraction"] for event in wire.events if event["type"] == "progress"][-1] == 0.999


def test_one_timer_is_set_for_what_waits_and_sends_it():
    wire = Wire()
    for word in ("first", "second", "third"):
        wire.reporter.stage(say(word))
    assert len(wire.messages) == 1
    assert len(wire.timers) == 1
    wire.timers[0]()
    assert [event["text"]["template"] for event in wire.events] == ["first", "second", "third"]


@given(st.lists(st.sampled_from(["stage", "log", "metric", "progress"]), max_size=40), st.integers(1, 5))
def test_stages_logs_and_points_keep_their_order(kinds, flush_every):
    wire = Wire()
    for number, kind in enumerate(kinds):
        if kind == "metric":
            wire.reporter.metric("curve", number, 0.0)
        elif kind == "progress":
            wire.reporter.progress(number / 100)
        else:
            getattr(wire.reporter, kind)(say("{number}", number=number))
        if number % flush_every == 0:
            wire.reporter.flush()
    wire.reporter.flush()
    said = [event["text"]["values"]["number"] for event in wire.events if event["type"] in ("stage", "log")]
    assert said == [number for number, kind in enumerate(kinds) if kind in ("stage", "log")]
    points = [step for event in wire.events if event["type"] == "metric" for step, _ in event["points"]]
    assert points == [number for number, kind in enumerate(kinds) if kind == "metric"]
    progress = [number / 100 for number, kind in enumerate(kinds) if kind == "progress"]
    if progress:
        assert [event["fraction"] for event in wire.events if event["type"] == "progress"][-1] == progress[-1]


def test_threads_lose_nothing():
    wire = Wire()

    def report(name):
        for number in range(500):
            wire.reporter.metric(name, number, 0.0)

    threads = [threading.Thread(target=report, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wire.reporter.flush()
    for name in "abcd":
        steps = [
            step
            for event in wire.events
            if event["type"] == "metric" and event["name"] == name
            for step, _ in event["points"]
        ]
        assert steps == list(range(500))


@pytest.mark.parametrize(("given_", "sent"), [(-1, 0.0), (0.5, 0.5), (7, 1.0)])
def test_progress_stays_between_nothing_and_all(given_, sent):
    wire = Wire()
    wire.reporter.progress(given_)
    wire.reporter.progress(float("nan"))
    wire.reporter.flush()
    assert wire.events == [{"type": "progress", "fraction": sent}]


def test_check_raises_once_cancelled():
    wire = Wire()
    wire.reporter.check()
    wire.cancelled = True
    with pytest.raises(Cancelled):
        wire.reporter.check()


def test_of_a_table_that_fills_the_fullest_is_sent_and_points_carry_their_interval():
    wire = Wire()
    for count in range(5):
        wire.reporter.table(filled(count))
        wire.reporter.metric("latency", count, 2.0, (1.0, 3.0))
    wire.reporter.flush()
    tables = [event["table"] for event in wire.events if event["type"] == "table"]
    assert tables == [filled(0).model_dump(mode="json"), filled(4).model_dump(mode="json")]
    points = [point for event in wire.events if event["type"] == "metric" for point in event["points"]]
    assert points == [(count, 2.0, 1.0, 3.0) for count in range(5)]


def filled(count):
    cells = tuple((str(place), 1.0 if place < count else None) for place in range(4))
    return Table(title=say("Times"), columns=(say("Cell"), say("ms")), rows=cells, note=say(f"{count}"))


def test_the_local_reporter_keeps_everything():
    heard = []
    report = LocalReporter(heard.append)
    report.stage(say("training"))
    report.progress(0.5)
    report.metric("loss", 1, 0.25)
    report.metric("loss", 2, 0.125)
    report.log(say("done"))
    assert [str(text) for text in report.stages] == ["training"]
    assert report.fractions == [0.5]
    assert report.metrics == {"loss": [(1.0, 0.25), (2.0, 0.125)]}
    assert [str(text) for text in report.lines] == ["done"]
    assert [event["type"] for event in report.events] == ["stage", "progress", "metric", "metric", "log"]
    assert heard == report.events
    report.check()
    report.cancel()
    with pytest.raises(Cancelled):
        report.check()


def test_curves_go_over_the_wire_by_their_names():
    wire = Wire()
    for curve in LiveCurve:
        wire.reporter.metric(curve, 1, 0.5)
    wire.reporter.flush()
    # a subclass of str is not taken
    assert {type(event["name"]) for event in wire.events} == {str}
    assert [event["name"] for event in wire.events] == [curve.value for curve in LiveCurve]


def test_tables_whose_titles_differ_in_a_value_alone_are_both_sent():
    wire = Wire()
    wire.reporter.stage(say("measuring"))
    for layer in ("first", "second"):
        title = say("Times of {layer}", layer=layer)
        wire.reporter.table(filled(1).model_copy(update={"title": title}))
    wire.reporter.flush()
    titles = [event["table"]["title"]["values"]["layer"] for event in wire.events if event["type"] == "table"]
    assert titles == ["first", "second"]


def test_a_kind_of_curve_is_sent_as_a_plain_text():
    wire = Wire()
    wire.reporter.metric(LiveCurve.RUNNING_F1, 1, 0.5)
    wire.reporter.flush()
    assert [type(event["name"]) for event in wire.events] == [str]
