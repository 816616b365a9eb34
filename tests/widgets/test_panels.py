"""Panels over a real workbench: what a page sends in, and what it is shown."""

from __future__ import annotations

import csv
import io
import shutil
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.widgets.result_rows import DETAILS, ROWS
from widgets import (
    BestLine,
    Dashboard,
    DetailsPanel,
    DrawingPad,
    GoalLine,
    JobsLine,
    LiveChart,
    QuantizationPanel,
    StructurePanel,
    TopBar,
    TradeoffChart,
    VariantsTable,
)
from widgets.component import Component
from widgets.panels.job_card import JobCard
from widgets.panels.outcome import outcome_of
from widgets.session import Session, session_of
from widgets.wording import latency_words
from widgets.wording import size as size_words
from workbench.api.errors import Cancelled, WorkbenchError
from workbench.api.recipe import Recipe, Step
from workbench.api.text import current_language, say, use_language
from workbench.jobs.executor import Executor
from workbench.measure.records import Flip
from workbench.results.offers import Offer
from workbench.runtimes import runtime
from workbench.workbench import Workbench

pytestmark = pytest.mark.slow

FLOAT16 = "quantization.float16"
INT8 = "quantization.int8"


class Reader:
    """Somebody who looks at one widget: draws each frame at once, and clicks."""

    def __init__(self, component: Component, monkeypatch: pytest.MonkeyPatch) -> None:
        self.component = component
        self.received: list[tuple[dict[str, Any], list[bytes]]] = []
        monkeypatch.setattr(
            component, "send", lambda content, buffers=None: self.received.append((content, buffers or []))
        )
        component.observe(lambda change: self._say(type="echo", frame=change["new"]["frame"]), "state")
        self._say(type="rendered")

    def _say(self, buffers: list[memoryview] | None = None, **content: Any) -> None:
        self.component._on_message(None, content, buffers or [])

    def click(self, action: str, buffers: list[memoryview] | None = None, **values: Any) -> dict[str, Any]:
        self._say(buffers, type="act", name=action, **values)
        return self.shown

    @property
    def shown(self) -> dict[str, Any]:
        self.component.session.rhythm.flush()
        return self.component.state


@pytest.fixture(scope="module")
def workbench(
    opened_digits: Path, executor: Executor, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workbench]:
    folder = shutil.copytree(opened_digits, tmp_path_factory.mktemp("panels") / "digits")
    with Workbench(folder, executor=executor) as workbench:
        workbench.apply(FLOAT16).wait()
        yield workbench


@pytest.fixture
def table(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Reader:
    return Reader(VariantsTable(workbench), monkeypatch)


def entry(state: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in state["techniques"] if one["name"] == name)


def test_the_open_technique_shows_form_expectation_and_code(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(QuantizationPanel(workbench), monkeypatch)
    assert set(entry(reader.shown, INT8)) == {
        "name",
        "family",
        "title",
        "aims",
        "problem",
        "refusal",
        "time",
        "jobs",
    }
    shown = entry(reader.click("open", technique=INT8), INT8)
    assert shown["fields"]
    assert shown["expectation"]
    # Float16 and the model as float32 were converted before.
    size, latency, *_, time = shown["figures"]
    assert size.endswith("kB (computed)")
    assert latency.endswith("(measured here on 2 variants)")
    assert time.startswith("takes about")
    fewer = entry(reader.click("check", technique=INT8, values={"per_channel": False}), INT8)["figures"][0]
    assert float(fewer.split()[0]) < float(size.split()[0])
    script, *helpers = shown["code"]
    assert script["name"] == "optimize.py"
    assert "from plain.litert.strip import strip_metadata" in script["text"]
    assert "plain/litert/strip.py" in {helper["name"] for helper in helpers}


def test_a_wrong_value_is_explained_at_its_field_and_starts_nothing(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(QuantizationPanel(workbench), monkeypatch)
    number = next(
        one["name"] for one in entry(reader.click("open", technique=INT8), INT8)["fields"] if one["minimum"]
    )
    before = len(workbench.jobs)
    shown = entry(reader.click("apply", technique=INT8, values={number: "-5"}), INT8)
    assert list(shown["errors"]) == [number]
    assert len(workbench.jobs) == before


@pytest.mark.parametrize(
    "message",
    [
        {"name": "apply", "technique": "no.such"},
        {"name": "apply", "technique": {"a": 1}},
        {"name": "apply", "technique": INT8, "values": {"__class__": "x", "epochs": [1]}},
        {"name": "check", "technique": INT8, "values": [[]]},
        {"name": "open", "technique": 5},
        {"name": "parent", "variant": "../../etc"},
        {"name": "cancel", "job": {"x": 1}},
        {"name": "rerun", "job": 3},
        {"name": "close"},
        {"name": "apply", "technique": INT8, "surprise": 1},
        {"name": "apply", "technique": INT8, "buffers": 1},
        {"name": "__init__"},
        {"name": None},
    ],
    ids=str,
)
def test_nonsense_from_a_page_starts_nothing_and_leaves_the_panel_alive(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch, message: dict[str, Any]
) -> None:
    reader = Reader(QuantizationPanel(workbench), monkeypatch)
    before = len(workbench.jobs)
    reader.click(message["name"], **{key: value for key, value in message.items() if key != "name"})
    assert len(workbench.jobs) == before
    assert reader.click("open", technique=FLOAT16)["open"] == FLOAT16


def test_the_table_has_every_number_with_interval_and_verdict(table: Reader) -> None:
    rows = {row["name"]: row for row in table.shown["rows"]}
    assert {"dense-digits", "float16"} <= set(rows)
    made = rows["float16"]
    assert made["size"]["chip"]["words"].endswith("× smaller")
    assert made["size"]["detail"].endswith("B")
    assert made["speed"]["chip"]["words"]
    assert made["quality"]["chip"]["words"].startswith(("kept", "lost", "not proven"))
    low, value, high = made["quality"]["interval"]
    assert low <= value <= high
    assert made["measured"]
    assert not rows["dense-digits"]["deletable"]


def test_what_a_variant_forgot_is_measured_once_and_shown_beside_what_to_hold_it_against(
    workbench: Workbench, table: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, baseline = workbench.variant("float16"), workbench.baseline
    assert baseline is not None
    table.click("open", variant=made.id)
    details = Reader(DetailsPanel(workbench), monkeypatch)
    shown = details.shown["forgotten"]
    assert shown["offersLook"]
    assert shown["losses"]["lines"][0].startswith("Of 359 test samples")
    assert "Calibration error" in shown["losses"]["lines"][-1]
    asked = {"variant": made.id, "reference": baseline.id}
    assert details.click("compare_maps", **asked)["forgotten"]["looking"]
    look = workbench.forgotten(made)
    known = look.wait()
    assert known.drift is not None
    shown = details.shown["forgotten"]
    assert not shown["offersLook"]
    rows = shown["drift"]["table"]["rows"]
    assert rows[1][1:] == ["1.0000", "exact"]
    assert 0.999 < known.drift.correlation.value <= 1
    assert known.drift.otherwise.value < 0.9
    assert len(shown["drift"]["samples"]) == len(look.maps()["before"]) > 0
    assert all(len(one["pictures"]) == 3 for one in shown["drift"]["samples"])
    again = workbench.forgotten(made)
    assert again.job.state.ended
    assert again.wait().drift == known.drift


def test_a_latency_is_the_same_on_every_surface(
    workbench: Workbench, table: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = next(row for row in workbench.results() if row.variant.name == "float16")
    table.click("open", variant=row.variant.id)
    details = Reader(DetailsPanel(workbench), monkeypatch).shown
    chart = Reader(TradeoffChart(workbench), monkeypatch).shown["chart"]
    words = latency_words(row)
    assert words
    assert next(one for one in table.shown["rows"] if one["name"] == "float16")["speed"]["detail"] in words
    assert next(line for line in chart["table"]["rows"] if line[0] == "float16")[5] == words
    hovers = [text for trace in chart["figure"]["data"] for text in trace.get("hovertext", ())]
    assert any(words in text for text in hovers if "<b>float16</b>" in text)
    (line,) = (line for line in details["numbers"]["rows"] if line[0] == "Latency")
    assert f"{line[1]} {line[2]}" == words
    # Beside what was expected before it was made.
    size, latency, taken = details["foreseen"]["rows"]
    assert size[2:] == [size_words(row.size.file_bytes), "as expected"]
    assert latency[2] == words.split(" [")[0]
    assert taken[0] == "Time to make and measure it"
    table.click("csv")
    message, parts = table.received[-1]
    assert message["name"] == "variants.csv"
    (exported,) = (one for one in csv_rows(parts) if one["name"] == "float16")
    assert float(exported["p50_ms"]) == row.shown_ms.value
    assert float(exported["size_ratio"]) == row.size_change.ratio


def csv_rows(parts: list[bytes]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(map(bytes, parts)).decode("utf-8-sig"))))


def test_what_somebody_writes_on_a_variant_is_kept_and_formulas_are_none(
    workbench: Workbench, table: Reader
) -> None:
    made = workbench.variant("float16").id
    shown = table.click("rename", variant=made, called="=1+1")
    table.click("note", variant=made, note="ask Lin")
    shown = table.click("star", variant=made, starred=True)
    (row,) = (one for one in shown["rows"] if one["id"] == made)
    assert (row["name"], row["note"], row["starred"]) == ("=1+1", "ask Lin", True)
    table.click("csv")
    assert "'=1+1" in {one["name"] for one in csv_rows(table.received[-1][1])}
    assert "has the name" in table.click("rename", variant=made, called="dense-digits")["error"]
    assert table.click("rename", variant=made, called=["x"])["error"]
    table.click("rename", variant=made, called="float16")
    table.click("note", variant=made, note="")
    shown = table.click("star", variant=made, starred=False)
    (row,) = (one for one in shown["rows"] if one["id"] == made)
    assert (row["name"], row["note"], row["starred"]) == ("float16", "", False)


def test_axes_and_colours_are_chosen_and_nonsense_is_refused(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    chart = Reader(TradeoffChart(workbench), monkeypatch)
    assert (chart.shown["x"], chart.shown["y"]) == ("speed", "change")
    shown = chart.click("axes", x="size", y="change")
    assert "smaller" in shown["chart"]["figure"]["layout"]["xaxis"]["title"]["text"]
    shown = chart.click("axes", x="change", y="change")
    assert (shown["x"], shown["y"]) == ("change", "size")
    shown = chart.click("colour", by="family")
    assert not [one for one in shown["legend"] if one["kind"] == "verdict"]
    for x, y in ((None, "size"), (["speed"], "size"), ("speed", "weather")):
        chart.click("axes", x=x, y=y)
    chart.click("colour", by={"a": 1})
    assert (chart.shown["x"], chart.shown["y"], chart.shown["by"]) == ("change", "size", "family")
    chart.click("axes", x="speed", y="change")
    chart.click("colour", by="verdict")


def test_what_was_cancelled_is_not_measured_until_asked_for_again(
    table: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    unmeasured = ROWS[3]
    busy = ROWS[1].model_copy(update={"distrust": say("The machine was busy.")})
    monkeypatch.setattr(Session, "rows", property(lambda self: (ROWS[0], busy, unmeasured)))
    jobs: list[Any] = []
    monkeypatch.setattr(Session, "jobs", property(lambda self: tuple(jobs)))

    def shown() -> list[dict[str, Any]]:
        return table.component.view()["rows"]

    baseline, doubted, waiting = shown()
    assert (baseline["measured"], baseline["distrusted"]) == (True, None)
    assert doubted["distrusted"] == "The machine was busy."
    assert doubted["speed"]["chip"]["tone"] == "unsure"
    assert doubted["speed"]["bar"] is None
    assert (waiting["measured"], waiting["busy"], waiting["size"]["chip"]) == (False, False, None)
    jobs.append(SimpleNamespace(ended=False, variant=None, request={"variants": [unmeasured.variant.id]}))
    assert [row["busy"] for row in shown()] == [False, False, True]
    jobs[0].ended = True
    assert [row["busy"] for row in shown()] == [False, False, False]


def test_two_that_are_no_parent_and_child_are_compared_in_everything(
    workbench: Workbench, table: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = next(one for one in workbench.variants if one.automatic)
    details = Reader(DetailsPanel(workbench), monkeypatch)
    table.click("compare", variant=workbench.variant("float16").id, reference=reference.id)
    deadline = time.monotonic() + 600
    while len((chips := details.shown["comparison"])["chips"]) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert chips["title"] == f"float16 against {reference.name}"
    assert chips["chips"][0]["words"].endswith("× smaller")
    assert chips["chips"][2]["words"].startswith(("kept", "not proven"))
    assert details.shown["inside"]["above"] == f"Above: float16. Below: {reference.name}."
    table.component.session.fold()
    table.component.session.compare(workbench.variant("dense-digits").id)


def test_selection_is_shared_by_all_widgets_of_a_workbench(
    workbench: Workbench, table: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    details = Reader(DetailsPanel(workbench), monkeypatch)
    panel = Reader(StructurePanel(workbench), monkeypatch)
    made = workbench.variant("float16").id
    session_of(workbench).fold()
    assert not table.click("select", variant=made)["opened"]
    assert details.shown["variant"] is None
    assert table.click("open", variant=made)["opened"]
    assert details.shown["variant"] == made
    assert [chip["words"].split(" ")[1] for chip in details.shown["comparison"]["chips"]][:1] == ["smaller"]
    assert [len(row) for row in details.shown["numbers"]["rows"]][:1] == [5]
    assert [tab["name"] for tab in details.shown["tabs"] if tab["shown"]] == [
        "flips",
        "forgotten",
        "quality",
        "numbers",
        "saving",
        "inside",
        "report",
    ]
    assert details.shown["inside"]["rows"]
    assert "float16" in details.shown["recipe"]
    table.click("continue", variant=made)
    assert panel.shown["parent"] == made
    baseline = workbench.variant("dense-digits").id
    assert table.click("branch", variant=baseline)["selected"] == baseline  # as a click on the map does
    assert panel.shown["parent"] == baseline
    assert session_of(workbench) is table.component.session
    rows = {row["id"]: row for row in table.shown["rows"]}
    assert (rows[baseline]["parent"], rows[baseline]["step"], rows[baseline]["origin"]) == (
        None,
        "",
        "dense-digits",
    )
    assert (rows[made]["parent"], rows[made]["step"]) == (baseline, "Float16 weights")
    assert rows[made]["origin"] == "dense-digits › float16 (Float16 weights)"


def test_a_prediction_that_was_wrong_and_is_wrong_otherwise_is_neither_lost_nor_won(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    flips = tuple(
        Flip(index=index, label=1, before=before, after=after)
        for index, (before, after) in enumerate([(1, 0), (0, 1), (0, 2)])
    )
    shown = DetailsPanel(workbench)._flips(DETAILS.model_copy(update={"flips": flips}))
    assert [one["kind"] for one in shown["samples"]] == ["lost", "won", "neither"]
    assert shown["summary"].endswith("Became wrong: 1, became right: 1, from one wrong class to another: 1.")


def test_what_is_listed_has_the_comma_of_the_language(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bar = Reader(TopBar(workbench), monkeypatch)
    features = workbench.environment.features[:2]
    for language, comma in (("en", ", "), ("zh_CN", "、")):
        shown = bar.click("language", language=language)
        assert comma.join(features) in shown["facts"][-1]["detail"]
    use_language("en")


def test_delete_can_be_undone_also_after_a_reload(
    workbench: Workbench, table: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workbench.variant("float16").id
    shown = table.click("delete", variant=made)
    assert made not in {row["id"] for row in shown["rows"]}
    reloaded = Reader(VariantsTable(workbench), monkeypatch)
    assert shown["undo"] == reloaded.shown["undo"] == "Undo delete of float16"
    shown = reloaded.click("undo")
    assert shown["message"] == "float16 is back."
    assert made in {row["id"] for row in shown["rows"]}
    assert shown["undo"] is None


def test_the_baseline_is_not_deleted_and_the_reason_is_shown(workbench: Workbench, table: Reader) -> None:
    shown = table.click("delete", variant=workbench.variant("dense-digits").id)
    assert "cannot be deleted" in shown["error"]


def test_file_and_recipe_reach_the_browser_as_they_are(workbench: Workbench, table: Reader) -> None:
    made = workbench.variant("float16")
    table.click("download", variant=made.id)
    table.click("recipe", variant=made.id)
    (file, content), (recipe, text) = (
        (message, parts[0]) for message, parts in table.received if message["type"] == "file"
    )
    assert file["name"].endswith(".tflite")
    assert bytes(content) == made.path.read_bytes()
    assert recipe["name"].endswith(".recipe.yaml")
    assert Recipe.from_yaml(bytes(text).decode()).steps[0].technique == FLOAT16


def test_the_code_of_a_variant_is_taken_home_with_its_files(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workbench.variant("float16")
    details = Reader(DetailsPanel(workbench), monkeypatch)
    details.click("take_home", variant=made.id)
    details.click("take_home", variant=workbench.variants[0].id)  # nothing made it
    ((file, parts),) = ((message, parts) for message, parts in details.received if message["type"] == "file")
    assert file["name"] == f"{FLOAT16}.zip"
    code = workbench.code(FLOAT16)
    with zipfile.ZipFile(io.BytesIO(bytes(parts[0]))) as archive:
        assert {*code.files(), "data.npz", workbench.variants[0].path.name} == set(archive.namelist())
        for name, text in code.files().items():
            assert archive.read(name).decode() == text


def test_every_widget_changes_its_language(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    bar = Reader(TopBar(workbench), monkeypatch)
    before = current_language()
    try:
        assert bar.click("language", language="zh_CN")["language"] == "zh_CN"
        assert current_language() == "zh_CN"
        assert "no language" in bar.click("language", language="xx")["error"] or bar.shown["error"]
    finally:
        use_language(before)


def test_the_bar_states_model_data_scaling_and_machine(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = Reader(TopBar(workbench), monkeypatch).shown["facts"]
    assert [fact["value"] for fact in facts[:2]] == ["dense-digits", "digits"]
    assert "scaled:" in facts[1]["detail"]
    assert len(facts) == 3


def test_the_bar_says_how_the_output_is_read(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    bar = Reader(TopBar(workbench), monkeypatch)
    assert "is read as probabilities" in bar.shown["remarks"][-1]
    assert [one["value"] for one in bar.shown["meanings"]] == ["auto", "probabilities", "raw scores"]
    refused = bar.click("open", model="dense-digits", data="digits", meaning=["probabilities"])["error"]
    assert "Choose from: auto, probabilities, raw scores" in refused
    beside = set(workbench.folder.parent.iterdir())
    refused = bar.click("open", model="dense-digits", data="digits", code=" /no/layers.py ")["error"]
    assert "/no/layers.py is no Python file with classes" in refused
    assert set(workbench.folder.parent.iterdir()) == beside


def test_a_recipe_is_shown_before_it_runs(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    bar = Reader(TopBar(workbench), monkeypatch)
    text = memoryview(b"workbench: 1\nsteps:\n- technique: quantization.dynamic_range\n")
    before = len(workbench.jobs)
    shown = bar.click("upload", [text], transfer="t", kind="recipe", file="r.yaml", part=0, parts=1, size=1)
    assert [step["title"] for step in shown["recipe"]["steps"]] == ["Dynamic range (int8 weights)"]
    assert bar.click("run", run=False)["recipe"] is None
    assert len(workbench.jobs) == before


def test_a_recipe_is_seen_at_the_technique_that_it_applies_now(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = QuantizationPanel(workbench)
    seen: list[tuple[list[str], list[str]]] = []

    def look(event: tuple[Any, ...]) -> None:
        if event[0] == "job" and event[1].status == "running" and event[1].technique is not None:
            titles = [[job["title"] for job in entry(panel.view(), name)["jobs"]] for name in (FLOAT16, INT8)]
            seen.append((titles[0], titles[1]))

    stop = workbench.observe(look)
    workbench.run(Recipe(steps=(Step(technique=FLOAT16),))).wait()
    stop()
    assert seen
    assert all(titles == (["Recipe of 1 step on dense-digits"], []) for titles in seen)
    assert entry(panel.view(), FLOAT16)["jobs"] == []


def test_a_page_that_nobody_looks_at_asks_who_else_does(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(VariantsTable(workbench), monkeypatch)
    reader._say(type="unseen")
    assert reader.received == [({"type": "who looks"}, [])]
    before = reader.component.state["frame"]
    use_language("zh_CN")
    try:
        reader.component.refresh()
        assert reader.component.state["frame"] == before
        reader._say(type="seen")
        assert reader.component.state["frame"] == before + 1
    finally:
        use_language("en")


def test_a_recipe_with_a_mistake_is_refused_with_its_place(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bar = Reader(TopBar(workbench), monkeypatch)
    text = memoryview(b"workbench: 1\nsteps:\n- technique: quantization.int8\n  colour: red\n")
    shown = bar.click("upload", [text], transfer="t", kind="recipe", file="r.yaml", part=0, parts=1, size=1)
    assert "steps.0.colour" in shown["error"]
    assert {"type": "upload", "transfer": "t", "error": True} in [message for message, _ in bar.received]


def test_visitors_open_only_what_is_built_in(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_SHARED", "1")
    bar = Reader(TopBar(workbench), monkeypatch)
    assert not bar.shown["paths"]
    assert not bar.shown["uploads"]
    assert not bar.shown["own"], "there would be nothing to fill in"
    assert "gone when you close" in bar.shown["visitor"]
    assert not bar.shown["trust"]
    beside = set(workbench.folder.parent.iterdir())
    refused = bar.click("open", model="/etc/passwd", data="digits", trust=True)["error"]
    assert "/etc/passwd" in refused
    assert "dense-digits" in refused
    assert set(workbench.folder.parent.iterdir()) == beside
    upload = bar.click(
        "upload", [memoryview(b"x")], transfer="t", kind="model", file="m.keras", part=0, parts=1
    )
    assert "switched off" in upload["error"]


def test_charts_show_every_measured_variant(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = sum(row.quality is not None and row.latency is not None for row in workbench.results())
    trade_off = Reader(TradeoffChart(workbench), monkeypatch).shown
    assert len(trade_off["chart"]["table"]["rows"]) == measured
    assert "running" in str(Reader(LiveChart(workbench), monkeypatch).shown["charts"]).lower()


def test_ended_jobs_are_listed_with_how_they_ended(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = Reader(JobsLine(workbench), monkeypatch).shown
    assert {job["status"] for job in shown["jobs"]} == {"done"}
    assert all(job["word"].startswith("done in") for job in shown["jobs"])
    # What came out is said where one looks, and aloud; not only that it is done.
    (last,) = (job for job in shown["jobs"] if job["id"] == shown["shown"])
    assert "float16: " in last["outcome"]
    assert "smaller" in last["outcome"]
    assert "F1 " in last["outcome"]
    assert last["outcome"] in shown["announcement"]


def test_why_the_last_job_failed_is_shown_and_not_only_listed(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nonsense = tmp_path / "nonsense.keras"
    nonsense.write_bytes(b"this is no model")
    with Workbench(tmp_path / "other", executor=workbench.executor) as other:
        line = Reader(JobsLine(other), monkeypatch)
        best = Reader(BestLine(other), monkeypatch)
        goal = Reader(GoalLine(other), monkeypatch)
        assert not goal.shown["ready"]
        with pytest.raises(WorkbenchError, match="no model file"):  # what shows at once is said at once
            other.open(nonsense, "digits")
        job = other.open("dense-digits", "breast-cancer")
        with pytest.raises(WorkbenchError):
            job.wait()
        shown = line.shown
        assert (shown["shown"], shown["failed"]) == (job.id, job.id)
        assert shown["jobs"][0]["error"]
        assert not shown["busy"]
        assert "No model is open" in best.shown["text"]
        again = other.open("dense-digits", "digits")
        assert (line.shown["shown"], line.shown["failed"]) == (again.id, None)
        again.wait()
        assert line.shown["failed"] is None
        assert "Press Find" in best.shown["text"]
        assert goal.shown["ready"]
        assert "about" in goal.shown["time"]


def test_the_goal_is_kept_with_the_workbench_and_nonsense_is_refused_at_its_field(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    goal = Reader(GoalLine(workbench), monkeypatch)
    best = Reader(BestLine(workbench), monkeypatch)
    jobs = len(workbench.jobs)
    shown = goal.click("goal", want="smaller", points="2,5", runtime="litert")
    assert (shown["want"], shown["points"], shown["runtime"], shown["error"]) == (
        "smaller",
        "2.5",
        "litert",
        None,
    )
    # A second page of the folder, and the same one after a reload, have it too.
    with Workbench(workbench.folder, executor=workbench.executor) as second:
        assert second.goal == workbench.goal
    found = best.shown["best"]
    assert found["name"] == "float16"
    assert [chip["name"] for chip in found["chips"]] == ["size", "speed", "quality"]
    assert found["chips"][0]["tone"] == "good"
    assert any("keep" in line and "F1 within 2.5 pt" in line for line in found["why"])
    assert "float16" in found["announcement"]
    best.click("compare", variant=found["id"])
    assert session_of(workbench).selected == found["id"]
    best.click("download", variant=found["id"])
    assert b"".join(buffer[0] for _, buffer in best.received if buffer) == workbench.download("float16")[1]
    for values in (
        {"want": "quicker", "points": "1", "runtime": ""},
        {"want": "both", "points": "much", "runtime": ""},
        {"want": "both", "points": "200", "runtime": ""},
        {"want": "both", "points": "1", "runtime": "no such"},
        {},
    ):
        assert goal.click("goal", **values)["error"]
        assert goal.click("find", **values)["error"]
    assert len(workbench.jobs) == jobs
    assert workbench.goal.want == "smaller"
    assert goal.click("goal", want="both", points="1", runtime="")["error"] is None


def test_the_dashboard_is_all_of_it_and_opens_nothing_a_second_time(workbench: Workbench) -> None:
    before = len(workbench.jobs)
    page = Dashboard(workbench)
    names = [type(widget).__name__ for column in page.children[0].children for widget in column.children]
    assert names == [
        "SkipLink",
        "TopBar",
        "Box",
        "TechniquesPanel",
        "TradeoffChart",
        "GuessPanel",
        "LiveChart",
        "VariantsTable",
        "DrawingPad",
        "DetailsPanel",
    ]
    answers = page.children[0].children[0].children[-1]
    assert [type(widget).__name__ for widget in answers.children] == [
        "GoalLine",
        "AdvisorPanel",
        "BestLine",
        "JobsLine",
    ]
    assert len(workbench.jobs) == before


def test_a_job_in_a_cell_is_a_card_that_says_what_came_out(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = "application/vnd.jupyter.widget-view+json"
    done = workbench.quantization.float16()  # made already: the job points to it
    shown = Reader(JobCard(workbench, done), monkeypatch).shown
    assert shown["job"]["status"] == "done"
    assert shown["made"]["name"] == "float16"
    size, latency, f1 = shown["made"]["facts"]
    assert (size["name"], size["tone"]) == ("Size", "good")
    assert "smaller" in size["words"]
    assert latency["number"].endswith(("µs", "ms"))
    assert f1["words"].startswith(("kept", "not proven"))
    assert view not in done._repr_mimebundle_()
    assert "smaller" in done._repr_mimebundle_()["text/html"]

    running = workbench.structure.width(epochs=1000, patience=0)
    assert view in running._repr_mimebundle_()
    card = Reader(JobCard(workbench, running), monkeypatch)
    assert card.shown["made"] is None
    card.click("cancel")
    with pytest.raises(Cancelled):
        running.wait(600)
    assert card.shown["job"]["status"] == "cancelled"
    assert card.shown["job"]["rerun"] is True


def test_a_test_sample_on_the_drawing_pad_is_answered_as_it_was_measured(
    workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    pad = DrawingPad(workbench)
    reader = Reader(pad, monkeypatch)
    assert (reader.shown["side"], reader.shown["rows"]) == (8, [])
    classes = workbench.dataset.info.classes
    measured = {
        variant.name: workbench._store.arrays("quality", variant.id)["scores"]
        for variant in workbench.variants
    }
    heavy = {one.name for one in workbench.variants if runtime(one.runtime).imports_tensorflow}
    assert heavy
    assert heavy < set(measured)

    def answered(names: set[str], index: int) -> bool:
        rows = {row["name"]: row for row in reader.shown["rows"]}
        return set(rows) == names and all(
            row["answer"] == classes[measured[name][index].argmax()]
            and row["share"] == pytest.approx(measured[name][index].max(), abs=0.02)
            for name, row in rows.items()
        )

    def wait_until_answered(names: set[str], index: int) -> None:
        deadline = time.monotonic() + 600
        while not answered(names, index):
            assert time.monotonic() < deadline, reader.shown["rows"]
            time.sleep(0.05)

    light = set(measured) - heavy
    for index in (0, 3, 11, 25):
        reader.click("sample", index=index)
        wait_until_answered(light, index)
        assert classes[workbench.dataset.y("test")[index]] in reader.shown["truth"]
    (pixels,) = [message["pixels"] for message, _ in reader.received[-1:]]
    reader.click("clear")
    assert reader.shown["rows"] == []
    reader.click("draw", pixels=pixels)
    wait_until_answered(light, 25)
    assert reader.shown["truth"] is None
    assert reader.shown["tensorflow"]
    reader.click("tensorflow")
    wait_until_answered(set(measured), 25)
    for wrong in ([1.0], ["a"] * 64, "pixels", [float("nan")] * 64):
        assert "drawing is" in reader.click("draw", pixels=wrong)["problem"]
    assert "no sample 99999" in reader.click("sample", index=99999)["problem"]
    pad.close()


def test_what_is_offered_beside_a_question_is_one_click(workbench: Workbench, table: Reader) -> None:
    (row,) = (one for one in table.component.session.rows if one.variant.name == "float16")
    offer = Offer(
        label=say("Try it in LiteRT"),
        technique="inference.runtime",
        parent=workbench.variants[0].id,
        parameters={"runtime": "litert"},
    )
    table.component.session._rows = tuple(
        one.model_copy(update={"offers": (offer,)}) if one is row else one
        for one in table.component.session.rows
    )
    before = {job.id for job in workbench.jobs}
    assert "not offered any more" in table.click("offer", variant=row.variant.id, number=1)["error"]
    table.click("offer", variant=row.variant.id, number=0)
    (asked,) = (job for job in workbench.jobs if job.id not in before)
    assert asked.request["technique"] == "inference.runtime"
    job = workbench.job(asked.id)
    assert job is not None
    made = job.wait(600)
    assert made is not None
    assert made.runtime == "litert"


def test_what_was_measured_for_another_visitor_says_when_until_it_is_measured_here(
    workbench: Workbench, table: Reader
) -> None:
    made = workbench.variant("float16").id
    moment = "2026-11-30T08:15:00+00:00"

    def marks() -> dict[str, str | None]:
        return {row["name"]: row["before"] for row in table.shown["rows"]}

    workbench._store.set_fact(f"measured before {made}", moment)
    workbench.star(made)
    assert marks() == {"dense-digits": None, "LiteRT": None, "float16": moment}
    table.click("measure", variant=made)
    job = workbench.job(workbench.jobs[0].id)
    assert job is not None
    job.wait()
    assert set(marks().values()) == {None}
    workbench.star(made, False)


def test_a_click_looks_inside_and_the_tab_shows_times_and_errors(
    workbench: Workbench, table: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    details = Reader(DetailsPanel(workbench), monkeypatch)
    made, parent = workbench.variant("float16"), workbench.variant("dense-digits")
    session_of(workbench).reveal(made.id)
    session_of(workbench).compare(parent.id)
    shown = details.shown["inside"]
    assert [column["name"] for column in shown["columns"]] == ["bytes", "macs", "parameters", "precision"]
    assert shown["offersLook"]
    assert not shown["looking"]
    shown = details.click("look", variant=made.id, reference=parent.id)["inside"]
    assert shown["looking"]
    assert not shown["offersLook"]
    workbench.inside(made.id, parent.id).wait()
    shown = details.shown["inside"]
    last = next(job for job in session_of(workbench).jobs if job.kind == "inside")
    assert str(outcome_of(last, session_of(workbench))).startswith("float16: Most error arises in")
    assert [column["name"] for column in shown["columns"]][:2] == ["time", "error"]
    assert not shown["looking"]
    assert not shown["offersLook"]  # measured once
    rows = {row["name"]: row for row in shown["rows"]}
    assert rows["hidden_1/BiasAdd"]["changeName"] == "changed"
    assert rows["hidden_1/BiasAdd"]["cells"]["precision"]["words"] == ["float16", "float32"]
    assert {"paint": "bits-16", "words": "float16"} in shown["columns"][-1]["legend"]
    # The graph has a node for each of these rows but the call itself, and the edges of both files.
    graph = shown["graph"]
    assert graph["layers"] + graph["removed"] == len(shown["rows"]) - 1
    assert [one["name"] for one in graph["inputs"]] == ["features"]
    description = made.description
    assert {tuple(edge[:2]) for edge in graph["edges"] if edge[3] != "theirs"} == {
        (edge.giver, edge.taker) for edge in description.edges
    }
    assert len(description.edges) >= len(description.layers)
    assert rows["hidden_1/BiasAdd"]["cells"]["error"]["words"][0].endswith(" dB")
    assert rows["hidden_1/BiasAdd"]["cells"]["bytes"]["heat"] == 1.0  # the largest
    assert rows["The call itself"]["cells"]["time"]["words"][0]
    assert any("Most error arises in" in line for line in shown["summary"])
    assert any("times add up to" in line for line in shown["summary"])
    assert any("float32 in the same runtime" in note for note in shown["notes"])
    assert details.click("look", variant="nobody")["error"]
    # Of a Keras model the layers are compared, and have no times.
    session_of(workbench).reveal(parent.id)
    shown = details.shown["inside"]
    assert any("one function" in note for note in shown["notes"])
    session_of(workbench).fold()
