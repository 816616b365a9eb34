"""The panels of a lesson over a real store: what a page sends in, and what it is shown."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.widgets.result_rows import ROWS
from widgets.course.checks import CheckPanel, Choices, QuestionPanel
from widgets.course.decision import DecisionPanel
from widgets.course.prediction import PredictionPanel, Question
from widgets.course.questions import Questions
from widgets.course.summary import SummaryPanel
from widgets.rhythm import Rhythm
from workbench.api.errors import InvalidInput, Refused
from workbench.api.text import say, use_language
from workbench.course.hand_in import hand_in
from workbench.course.hand_in_files import hand_in_zip, keep_in
from workbench.course.judging import judge
from workbench.course.keeping import CourseWork
from workbench.course.room import collect_room
from workbench.store import Store

SIZE = Question("l/size", "How many times smaller?", "×")
POINTS = Question("l/f1", "F1?", "points", scale="difference")
SPEED = Question("l/speed", "The speed?", choices={"faster": "faster!", "slower": "slower!"})


class Page:
    """A session as far as the panels look, with a real store behind it."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.course = CourseWork(self.store)
        self.workbench = self
        self.variants = tuple(row.variant for row in ROWS)
        self.closed = False
        self.rhythm = Rhythm(lambda: False)
        self.panels = None
        self.hidden = frozenset()
        self.projector = False
        self.deleted = 0

    def hand_in(self, lesson: str, learner: object) -> tuple[str, bytes]:
        return hand_in_zip([hand_in(self.store, self.course.call(learner), lesson)])

    def delete_made(self) -> None:
        self.deleted += 1

    def known(self, key: object) -> str:
        if key not in {one.id for one in self.variants}:
            raise InvalidInput(say("There is no such technique."))
        return str(key)


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    page = Page(tmp_path)
    monkeypatch.setattr("widgets.component.session_of", lambda _: page)
    yield page
    page.store.close()


def test_a_prediction_locks_and_stays_beside_what_was_measured(page: Any) -> None:
    panel = PredictionPanel(page, SIZE, 12.0)
    assert panel.view()["answer"] is None
    assert "12 s" in panel.view()["time"]
    for wrong in ("", "four", "0", "-2", "nan", "1e30", None, [], {}):
        with pytest.raises(InvalidInput):
            panel.act_lock(wrong)
    panel.act_lock("4,0×")
    assert (panel.view()["answer"], panel.view()["result"]) == ("4×", None)
    with pytest.raises(Refused):
        panel.act_lock("3")
    page.course.measured(SIZE.key, 3.2)
    shown = panel.view()["result"]
    assert (shown["guess"], shown["found"], shown["right"]) == ("4×", "3.20×", False)
    assert shown["verdict"] == "Predicted 1.25× too much: why?"
    assert shown["at"] < shown["guessAt"]
    assert repr(panel) == "How many times smaller? – predicted 4×; measured 3.20×"


def test_an_interval_decides_and_a_doubt_gives_no_verdict(page: Any) -> None:
    panel = PredictionPanel(page, POINTS)
    panel.act_lock("−0.5")
    page.course.measured(POINTS.key, -0.2, -1.0, 0.4)
    shown = panel.view()["result"]
    assert shown["found"] == "−0.200 points [−1 points, 0.400 points]"
    assert shown["verdict"] == "As predicted: it is within the interval."
    page.course.measured(POINTS.key, -0.2, -0.3, -0.1)
    assert panel.view()["result"]["verdict"] == "Off by 0.300 points: why?"
    page.course.measured(POINTS.key, -0.2, -0.3, -0.1, say("It was busy."))
    shown = panel.view()["result"]
    assert (shown["verdict"], shown["right"], shown["doubt"]) == (None, None, "It was busy.")


def test_a_choice_is_one_of_those_that_are_offered(page: Any) -> None:
    panel = PredictionPanel(page, SPEED)
    for wrong in ("", "Faster", None, 1):
        with pytest.raises(InvalidInput):
            panel.act_lock(wrong)
    panel.act_lock("faster")
    page.course.measured(SPEED.key, "slower")
    shown = panel.view()
    assert shown["answer"] == "faster!"
    assert (shown["result"]["found"], shown["result"]["right"]) == ("slower!", False)
    page.course.measured(SPEED.key, "no measurable change")  # not offered, and said as it is
    assert panel.view()["result"]["found"] == "no measurable change"
    page.course.measured(SPEED.key, "faster", doubt=say("It was busy."))
    shown = panel.view()["result"]
    assert (shown["found"], shown["right"], shown["doubt"]) == (None, None, "It was busy.")
    page.course.measured(SPEED.key, None)
    assert panel.view()["result"]["verdict"] == "It could not be told."


def test_a_question_hints_at_each_wrong_answer_and_outlives_the_kernel(page: Any) -> None:
    choices = Choices("l/q", "Why?", {"a": "A", "b": "B", "c": "C"}, "c", {"a": "Not A."}, "Because.")
    panel = QuestionPanel(page, choices)
    assert panel.view()["passed"] is None
    with pytest.raises(InvalidInput):
        panel.act_answer("d")
    panel.act_answer("a")
    assert (panel.view()["passed"], panel.view()["said"]) == (False, "Not A.")
    panel.act_answer("b")
    assert panel.view()["said"] == "Think again."
    panel.act_answer("c")
    shown = QuestionPanel(page, choices).view()
    assert (shown["passed"], shown["answer"], shown["said"]) == (True, "c", "Because.")
    assert page.course.checks["l/q"].wrong == ("a", "b")


def test_a_check_shows_its_hint_in_the_language_of_the_page(page: Any) -> None:
    panel = CheckPanel(page, "The ratio", judge(..., 4))
    assert (panel.view()["passed"], panel.view()["word"]) == (False, "Not yet.")
    assert repr(panel).startswith("The ratio: Not yet. There is no answer yet")
    assert CheckPanel(page, "The ratio", judge(4, 4), "Well.").view()["said"] == "Well."


def test_a_decision_is_bounded_and_kept(page: Any) -> None:
    panel = DecisionPanel(page, "9")
    assert panel.view()["variants"][0]["name"] == page.variants[0].name
    with pytest.raises(InvalidInput, match="at most 200 words"):
        panel.act_decide("word " * 201, page.variants[0].id)
    with pytest.raises(InvalidInput):
        panel.act_decide("Numbers.", "no such variant")
    assert panel.view()["text"] == ""
    panel.act_decide("Numbers, why, price.", page.variants[1].id)
    shown = DecisionPanel(page, "9").view()
    assert (shown["text"], shown["variant"]) == ("Numbers, why, price.", page.variants[1].id)
    panel.act_decide("None is good enough.", "")
    assert panel.view()["variant"] is None


def test_a_summary_has_everything_in_the_order_of_the_lesson(page: Any) -> None:
    PredictionPanel(page, SIZE).act_lock("4")
    page.course.measured(SIZE.key, 4.0)
    page.course.checked("l/c", passed=True, answer="4")
    shown = SummaryPanel(page, [SPEED, SIZE], {"l/c": "The ratio", "l/q": "Why?"}).view()
    assert [(row["said"], row["right"]) for row in shown["rows"]] == [("–", None), ("4×", True)]
    assert [one["passed"] for one in shown["checks"]] == [True, False]
    assert shown["said"] == "1 of 2 checks passed"


def test_a_lesson_is_handed_in_into_the_room_or_to_the_browser(page: Any, tmp_path: Path) -> None:
    page.course.checked("l/c", passed=True, answer="4")
    (tmp_path / "room").mkdir()
    panel = SummaryPanel(page, [], {"l/c": "The ratio"}, "l", tmp_path / "room")
    with pytest.raises(InvalidInput):
        panel.act_hand_in(" ")
    panel.act_hand_in("Ada")
    panel.act_hand_in("Ada")
    assert panel.view()["handed"].startswith("Handed in as Ada-l.zip")
    assert SummaryPanel(page, [], {}, "l").view()["learner"] == "Ada"  # who comes back is known
    (handed,) = collect_room([tmp_path / "room"]).handed
    assert (handed.learner, handed.checks[0].passed) == ("Ada", True)
    sent: list[Any] = []
    panel = SummaryPanel(page, [], {}, "l")
    panel.send = lambda content, buffers=None: sent.append((content["name"], buffers))  # type: ignore[method-assign]
    panel.act_hand_in("Bo")
    ((name, (content,)),) = sent
    keep_in(tmp_path / "room", name, content)
    assert collect_room([tmp_path / "room"]).learners == ("Ada", "Bo")
    with pytest.raises(InvalidInput, match="cannot be written"):
        SummaryPanel(page, [], {}, "l", tmp_path / "nowhere").act_hand_in("Ada")


def test_the_last_answer_is_taken_back_and_a_lesson_begun_anew(page: Any) -> None:
    panel = SummaryPanel(page, [SIZE], {"l/c": "The ratio"}, "l")
    assert panel.view()["undoable"] is None
    PredictionPanel(page, SIZE).act_lock("4")
    page.course.checked("l/c", passed=True, answer="4")
    page.course.decide("l", "Numbers, why, price.")
    assert panel.view()["undoable"] == "Decision"
    panel.act_undo()
    assert (panel.view()["undoable"], page.course.decisions) == ("The ratio", {})
    panel.act_reset()
    shown = panel.view()
    assert (shown["checks"][0]["passed"], shown["undoable"], page.deleted) == (False, None, 1)
    assert shown["rows"][0]["said"] == "4×"


def test_a_source_says_what_is_asked_in_each_language(tmp_path: Path) -> None:
    source = tmp_path / "x.py"
    source.write_text(
        '# %% tags=["hidden"]\n'
        'prediction("p", both("How?", "如何？"), unit="×")\n'
        '@check("c", both("The sum", "和"), within=0.1)\n'
        "def _(numbers):\n"
        "    yield sum(numbers)\n"
        '    yield len(numbers), both("That is their count.", "这是个数。")\n'
        'question("q", "?", {"a": "A", "b": "B"}, lambda: "b")\n'
        '# %% name="shown"\n'
        "raise ValueError\n",
        "utf-8",
    )
    asked = Questions("l", "zh_CN")
    asked.read(source, SimpleNamespace())  # type: ignore[arg-type]
    assert asked.prediction("p").text == "如何？"
    right, *hints = asked.check("c").answers([1, 2])
    assert (right, hints) == (3, [(2, "这是个数。")])
    assert asked.question("q").accepted == {"b"}
    assert asked.titles == {"l/c": "和", "l/q": "?"}
    with pytest.raises(InvalidInput, match="does not ask"):
        asked.check("p")
    use_language("en")
