"""The advisor's panel shows its ledger as it stands, and asks for what was typed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.widgets.result_rows import interval
from widgets.panels.advisor import AdvisorPanel
from widgets.rhythm import Rhythm
from workbench.advisor.demands import Demands
from workbench.advisor.ledger import Ledger, Observation, Outlook, Row, Sentence
from workbench.api.errors import InvalidInput
from workbench.api.task import Task
from workbench.api.text import say
from workbench.engine.goal import Goal

MEASURED = Row(
    key="a",
    title=say("int8"),
    steps=("quantization.int8",),
    runtime="litert",
    threads=1,
    trains=False,
    status="measured",
    number=1,
    observed=Observation(
        variant="q", file_bytes=5000, ms=interval(0.01, 0.001), change=interval(-0.001, 0.002), samples=300
    ),
)
FORESEEN = MEASURED.model_copy(
    update={
        "key": "b",
        "status": "not tried",
        "number": None,
        "observed": None,
        "foreseen": Outlook(
            file_bytes=interval(9000, 0),
            ms=interval(0.02, 0.005),
            change=interval(0, 0.01),
            chance=0.5,
            meets=0.25,
        ),
    }
)
LEDGER = Ledger(
    demands=Demands(size_kb=20, minutes=2, training=False),
    rows=(MEASURED, FORESEEN),
    winner="a",
    sentences=(Sentence(text=say("int8 is there."), rows=("a", "b")),),
    spent_s=61,
)


class Page:
    """A session as far as the panel looks."""

    def __init__(self) -> None:
        self.jobs: tuple[Any, ...] = ()
        self.rows: tuple[Any, ...] = ()
        self.baseline = object()
        self.task: Task = "classification"
        self.goal = Goal(want="smaller", f1_may_fall=0.005, runtime="litert")
        self.workbench = self
        self.ledger: Ledger | None = None
        self.asked: list[Demands] = []
        self.panels = None
        self.hidden = frozenset()
        self.projector = False
        self.closed = False
        self.rhythm = Rhythm(lambda: False)

    def advise_for(self, demands: Demands) -> None:
        self.asked.append(demands)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    page = Page()
    monkeypatch.setattr("widgets.component.session_of", lambda _: page)
    return page


def values(shown: dict[str, Any]) -> dict[str, str]:
    return {field["name"]: field["value"] for field in shown["fields"]}


def test_what_is_typed_is_asked_for_and_stays(page: Page) -> None:
    panel = AdvisorPanel(page)
    assert values(panel.view()) == {"size_kb": "", "latency_ms": "", "loss_points": "1", "minutes": "5"}
    panel.act_start(size_kb="100", latency_ms="", loss_points="0,5", minutes="", runtime="", training=False)
    assert page.asked == [Demands(size_kb=100, loss_points=0.5, training=False)]
    shown = panel.view()
    assert values(shown) == {"size_kb": "100", "latency_ms": "", "loss_points": "0.5", "minutes": ""}
    assert not shown["training"]
    for wrong, words in (({"size_kb": "small"}, "takes a number"), ({"size_kb": "-1"}, "above 0")):
        with pytest.raises(InvalidInput, match=words):
            panel.act_start(**wrong)
    assert len(page.asked) == 1


def test_the_ledger_is_shown_with_the_variants_that_it_speaks_of(page: Page) -> None:
    page.ledger = LEDGER
    shown = AdvisorPanel(page).view()
    assert values(shown)["size_kb"] == "20"
    assert "goes on with it" in shown["status"]
    (sentence,) = shown["sentences"]
    assert sentence["rows"] == [{"variant": "q", "name": "int8"}]
    measured, foreseen = shown["table"]["rows"]
    assert measured[2] == "measured"
    assert "5.00 kB" in measured[3]
    assert foreseen[3] == "expected: 9 kB, 0.015 to 0.025 ms, 25% likely to meet the demands"
    page.ledger = LEDGER.model_copy(update={"done": True})
    assert AdvisorPanel(page).view()["status"].startswith("Asked: at most 20 kB, no training, within 2 min.")


def test_beside_the_goal_what_the_goal_says_is_not_asked_for_again(page: Page) -> None:
    panel = AdvisorPanel(page, with_goal=True)
    shown = panel.view()
    assert values(shown) == {"size_kb": "", "latency_ms": "", "minutes": "5"}
    assert shown["runtimes"] == []
    panel.act_start(size_kb="100", minutes="2", training=True)
    expected = Demands(want="smaller", size_kb=100, minutes=2, runtime="litert", loss_points=0.5)
    assert page.asked == [expected]


def test_of_an_error_the_share_that_it_may_grow_is_asked(page: Page) -> None:
    page.task = "regression"
    field = AdvisorPanel(page).view()["fields"][2]
    assert (field["before"], field["unit"]) == ("MAE grows by at most", "%")
