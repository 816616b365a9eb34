"""The report: whole, alone, in both languages, and no name in it is more than text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from tests.widgets.result_rows import HOSTILE, ROWS
from widgets.charts.axes import AXES
from widgets.charts.scene import scene
from widgets.panels.comparison import comparison
from widgets.report.document import report_html
from widgets.report.drawing import drawing
from widgets.report.markup import written
from workbench.api.errors import InvalidInput
from workbench.api.text import current_language, say
from workbench.api.variant import Variant
from workbench.cli.report import command
from workbench.course.keeping import CourseWork
from workbench.engine.goal import Goal, best, conclusion
from workbench.engine.reporting import write_report
from workbench.store import Store

DRAWN = {"svg", "rect", "line", "text", "circle", "polygon"}


class Told:
    """What a report reads of a workbench."""

    def __init__(self, rows: Any) -> None:
        self._rows = rows
        self.baseline: Variant | None = rows[0].variant if rows else None
        self.folder = Path("digits")
        self.dataset_info = None
        self.environments: Mapping[str, Any] = {}
        self.goal = Goal()
        self.course = SimpleNamespace(decisions={}, predictions={})

    def results(self) -> Any:
        return self._rows

    def best(self) -> Any:
        return best(self._rows, self.goal)

    def conclusion(self) -> Any:
        return conclusion(self._rows, self.goal)

    def recipe(self, variant: str) -> Any:
        return SimpleNamespace(to_yaml=lambda: f"workbench: 1\n# {variant}\n")


class Reader(HTMLParser):
    """The tags of a document, with their attributes, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


@pytest.fixture
def doubted() -> Any:
    busy = ROWS[1].model_copy(
        update={"distrust": say("The machine was busy."), "notes": (say("The machine was busy."),)}
    )
    return (ROWS[0], busy, ROWS[2].model_copy(update={"starred": True, "note": "=for <b>Lin</b>"}), ROWS[3])


def test_everything_is_in_it_and_nothing_is_asked_for(doubted: Any) -> None:
    html = report_html(Told(doubted))
    document = read(html)
    tags = [tag for tag, _ in document.tags]
    assert tags.count("svg") == 3
    assert not {"script", "link", "img", "iframe", "a", "b"} & set(tags)
    assert not any({"src", "href", "onload", "onclick"} & set(attributes) for _, attributes in document.tags)
    assert not re.search(r"url\(|@import", html)
    text = " ".join(document.said)
    for words in (
        "kept: −0.2 pt",
        "2.00× smaller",
        "The machine was busy.",
        "=for <b>Lin</b>",
        "not measured",
    ):
        assert words in text
    # What is not believed is claimed nowhere: of the three that were timed one has a verdict on its speed.
    assert "× faster" in text
    rows = html.split("<tbody>")[1].split("</tr>")
    assert "machine was busy" in next(row for row in rows if ">int8<" in row)
    assert "× faster" not in next(row for row in rows if ">int8<" in row)


def test_a_hostile_name_is_text_in_picture_and_table(doubted: Any) -> None:
    for across in AXES:
        picture = written(drawing(scene(ROWS, across, "f1" if across == "change" else "change"), HOSTILE))
        assert {tag for tag, _ in read(picture).tags} <= DRAWN
        assert "\u0000" not in picture
    assert "script" not in {tag for tag, _ in read(report_html(Told(doubted))).tags}


def test_a_decision_stands_in_it_with_what_was_predicted(tmp_path: Path) -> None:
    store = Store(tmp_path)
    told: Any = Told(ROWS)
    told.course = CourseWork(store)
    told.course.lock("9/size", "How many times smaller?", 4.0, "4×")
    told.course.measured("9/size", 3.0)
    told.course.decide("9", f"Numbers.\n{HOSTILE[:40]}", ROWS[1].variant.id)
    page = read(report_html(told))
    store.close()
    text = " ".join(page.said)
    assert "Decision" in text
    assert "Numbers." in text
    assert "<script>alert(1)</script>" in text
    assert "✕ How many times smaller? – 4×" in text
    assert not {"script", "a"} & {tag for tag, _ in page.tags}


def test_marks_stand_where_their_values_are() -> None:
    picture = drawing(scene(ROWS), "x")
    corners = [
        [float(corner.split(",")[0]) for corner in node.get("points", "").split()]
        for node in picture.iter("polygon")
    ]
    centers = sorted(sum(one) / len(one) for one in corners)
    ticks = {node.text: float(node.get("x", "0")) for node in picture.iter("text")}
    # 2.25 times as fast lies a little right of twice, 18 times between 10 and 20.
    assert ticks["2×"] < centers[0] < ticks["5×"]
    assert ticks["10×"] < centers[1] < ticks["20×"]


def test_it_is_written_in_the_language_that_was_asked_for(tmp_path: Path) -> None:
    before = current_language()
    file = write_report(Told(ROWS), tmp_path / "a.html", "zh_CN")
    assert 'lang="zh-CN"' in file.read_text("utf-8")
    assert current_language() == before
    with pytest.raises(InvalidInput, match="no language"):
        write_report(Told(ROWS), tmp_path / "a.html", "xx")
    with pytest.raises(InvalidInput, match="cannot be written"):
        write_report(Told(ROWS), tmp_path / "no" / "a.html")
    (tmp_path / "empty").mkdir()
    refused = CliRunner().invoke(command, [str(tmp_path / "empty")], standalone_mode=False)
    assert "is no workbench's folder" in str(refused.exception)


def test_the_head_of_the_details_claims_no_speed_that_is_not_believed() -> None:
    row = ROWS[1].model_copy(update={"environment": "p", "distrust": say("It was busy.")})
    other = ROWS[0].model_copy(update={"environment": "p"})
    head = comparison(SimpleNamespace(), row, other)
    assert [chip["tone"] for chip in head["chips"]] == ["good", "unsure", "kept"]
    assert "It was busy." in head["note"]
