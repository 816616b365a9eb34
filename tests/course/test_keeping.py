"""What a learner does is kept at once, and a prediction is never changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.api.errors import InvalidInput, Refused
from workbench.course.keeping import CourseWork, NotPredicted
from workbench.course.records import MOST_WORDS, words_in
from workbench.store import Store


@pytest.fixture
def store(tmp_path: Path):
    store = Store(tmp_path / "w")
    yield store
    store.close()


def test_a_prediction_stays_as_it_was_locked(store, tmp_path):
    told = []
    work = CourseWork(store, lambda: told.append(1))
    with pytest.raises(NotPredicted, match="Lock your prediction"):
        work.measured("l/size", 3.9)
    work.lock("l/size", "How many times?", 4.0, "4×")
    with pytest.raises(Refused, match="locked"):
        work.lock("l/size", "How many times?", 3.9, "3.9×")
    work.measured("l/size", 3.9)
    with pytest.raises(Refused):
        work.lock("l/size", "How many times?", 3.9, "3.9×")
    # Another process, such as the kernel after a restart, sees the same.
    again = Store(store.folder)
    kept = CourseWork(again).predictions["l/size"]
    again.close()
    assert (kept.answer, kept.said, kept.measured.value, kept.right) == (4.0, "4×", 3.9, False)
    assert len(told) == 2


@pytest.mark.parametrize(
    ("answer", "value", "interval", "right"),
    [
        (4.0, 3.98, (None, None), True),
        (4.0, 3.9, (None, None), False),
        (1.0, 0.5, (0.2, 1.1), True),
        (1.2, 0.5, (0.2, 1.1), False),
        ("faster", "slower", (None, None), False),
        ("faster", "faster", (None, None), True),
        ("faster", None, (None, None), None),
    ],
)
def test_right_is_what_lies_in_the_interval(store, answer, value, interval, right):
    work = CourseWork(store)
    work.lock("l/q", "?", answer, str(answer))
    assert work.predictions["l/q"].right is None
    work.measured("l/q", value, *interval)
    assert work.predictions["l/q"].right is right


def test_wrong_answers_stay_as_evidence_and_are_counted_once_each(store):
    work = CourseWork(store)
    for answer in ("3", "3", "5", ""):
        work.checked("l/c", passed=False, answer=answer)
    assert work.checks["l/c"].wrong == ("3", "5")
    done = work.checked("l/c", passed=True, answer="4")
    assert (done.passed, done.wrong_answers, done.wrong) == (True, 2, ("3", "5"))


def test_words_are_counted_in_both_languages():
    assert words_in("F1 fell by 0.4 points; it's fine.") == 7
    assert words_in("大小是四分之一") == 4  # seven characters
    assert words_in("用 int8，F1 保持") == 4
    assert words_in("  \n ") == 0


def test_a_decision_is_bounded_and_can_be_written_anew(store):
    work = CourseWork(store)
    work.decide("9", "word " * MOST_WORDS, "v")
    for wrong in ("", "  ", None, 3, "word " * (MOST_WORDS + 1), "量" * (2 * MOST_WORDS + 1), "x" * 100_000):
        with pytest.raises(InvalidInput):
            work.decide("9", wrong)
    assert work.decisions["9"].variant == "v"
    work.decide("9", "int8: a quarter of the size.")
    assert work.decisions["9"].text == "int8: a quarter of the size."
    assert list(work.decisions) == ["9"]


def test_answers_and_decisions_are_taken_back_and_predictions_are_not(store):
    work = CourseWork(store)
    work.lock("9/size", "?", 4.0, "4×")
    work.measured("9/size", 3.0)
    assert work.undo() is work.undoable is None
    work.checked("9/c", passed=False, answer="3")
    work.checked("9/c", passed=False, answer="3")
    work.checked("9/c", passed=True, answer="4")
    work.decide("9", "First.")
    work.decide("9", "Second.")
    assert (work.undoable, work.undo(), work.decisions["9"].text) == ("9", "9", "First.")
    assert (work.undo(), work.decisions) == ("9", {})
    assert work.undo() == "9/c"
    assert (work.checks["9/c"].passed, work.checks["9/c"].wrong) == (False, ("3",))
    assert work.undo() == "9/c"
    while work.undo() is not None:
        pass
    assert work.checks == {}
    assert work.predictions["9/size"].right is False

    work.checked("9/c", passed=True, answer="4")
    work.decide("9", "Third.")
    work.reset()
    assert (work.checks, work.decisions, work.undoable) == ({}, {}, None)
    assert work.predictions["9/size"].right is False
