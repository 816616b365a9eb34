"""A guess is asked while nobody knows, kept, and drawn beside what was measured."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.widgets.result_rows import ROWS, interval
from widgets.panels.guess import GuessPanel, comparisons
from widgets.rhythm import Rhythm
from workbench.api.errors import InvalidInput
from workbench.api.task import Task
from workbench.api.text import say
from workbench.jobs.state import JobState
from workbench.measure.records import SizeVerdict
from workbench.results.guess import Guess, guess_for, guesses, keep_guess, parse_guess
from workbench.store import Store

MADE = ROWS[1].model_copy(
    update={"size_change": SizeVerdict(ratio=4.0, word="smaller"), "total_speedup": None}
)


def job(**values: Any) -> JobState:
    usual = {"id": "j", "kind": "apply", "title": say("Full int8"), "request": {"technique": "x"}}
    return JobState(**{**usual, "status": "running", "created": datetime.now(UTC), **values})


def guessed(**values: float) -> list[dict[str, Any]]:
    return comparisons(MADE.model_copy(update={"guess": Guess(**values)}))


def test_a_guess_is_what_was_filled_in() -> None:
    assert parse_guess("4.5", "", "-0.5") == Guess(smaller=4.5, points=-0.5)
    for wrong in (
        ("", "", ""),
        ("four", "", ""),
        ("0", "", ""),
        ("", "nan", ""),
        ("", "", "101"),
        ([], {}, 1),
    ):
        with pytest.raises(InvalidInput):
            parse_guess(*wrong)


def test_guesses_are_kept_by_job_and_found_by_variant(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert guesses(store) == {}
    keep_guess(store, "j", Guess(smaller=3))
    keep_guess(store, "never ended", Guess(smaller=2))
    store.save_job(job(status="done", variant="q"))
    store.set_fact("guesses are kept elsewhere", "x")
    assert guesses(store) == {"q": Guess(smaller=3)}
    assert guess_for(store, "j") == Guess(smaller=3)
    assert guess_for(store, "other") is None
    store.close()


def test_a_guess_is_judged_and_placed_on_the_scale_of_the_result() -> None:
    size, change = guessed(smaller=2, points=-0.1)
    assert (size["guess"], size["found"]) == ("2.00×", "4.00×")
    assert size["verdict"] == "It is 2.00× more than that."
    # On a scale of ratios twice as small is half of the way from no change to four times.
    assert size["guessAt"] - size["noneAt"] == pytest.approx(size["at"] - size["guessAt"])
    assert 0 < size["noneAt"] < size["at"] < 1
    assert change["verdict"] == "Right: it is within the interval."
    assert change["lowAt"] < change["at"] < change["highAt"]
    assert guessed(smaller=4)[0]["verdict"] == "Exactly right."
    assert guessed(smaller=4.2)[0]["verdict"] == "Close: less than 10% off."
    assert guessed(smaller=8)[0]["verdict"] == "Guessed 2.00× too much."
    assert guessed(points=-2)[0]["verdict"] == "Off by 1.80 points."
    (speed,) = guessed(faster=2)
    assert (speed["found"], speed["verdict"]) == (None, "not measured yet")
    disturbed = {"guess": Guess(faster=2), "total_speedup": interval(2, 1), "distrust": say("It was busy.")}
    (speed,) = comparisons(MADE.model_copy(update=disturbed))
    assert (speed["found"], speed["verdict"]) == ("2.00× [1.00×, 3.00×]", None)
    assert speed["doubt"] == "It was busy."


def test_an_error_is_guessed_as_it_is_written_larger_with_a_plus() -> None:
    regressor = MADE.variant.description.model_copy(update={"task": "regression"})
    # 0.2 of the error lost: it grew by 20%.
    lost = MADE.quality_change.model_copy(update={"change": interval(-0.2, 0.05)})
    row = MADE.model_copy(
        update={
            "variant": MADE.variant.model_copy(update={"description": regressor}),
            "quality_change": lost,
        }
    )
    (right,) = comparisons(row.model_copy(update={"guess": Guess(points=18)}))
    assert (right["title"], right["guess"]) == ("MAE", "+18.0 %")
    assert right["found"] == "+20.0 % [+15.0 %, +25.0 %]"
    assert right["verdict"] == "Right: it is within the interval."
    assert right["lowAt"] < right["guessAt"] < right["highAt"]
    (wrong,) = comparisons(row.model_copy(update={"guess": Guess(points=-20)}))
    assert wrong["verdict"] == "Off by 40.0% of the error."


class Page:
    """A session with one job, as far as the panel looks; its engine keeps guesses in a real store."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self.jobs = (job(),)
        self.rows: tuple[Any, ...] = ROWS[:1]
        self.workbench = self
        self.task: Task = "classification"
        self.panels = None
        self.hidden = frozenset()
        self.projector = False
        self.closed = False
        self.rhythm = Rhythm(lambda: False)

    def guess(self, job: str, guess: Guess) -> None:
        keep_guess(self.store, job, guess)

    def guessed(self, job: str) -> Guess | None:
        return guess_for(self.store, job)


def test_the_panel_asks_only_while_nobody_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(tmp_path)
    monkeypatch.setattr("widgets.component.session_of", lambda _: page)
    panel = GuessPanel(page)
    shown = panel.view()
    assert shown["job"] == "j"
    assert "Full int8" in shown["question"]
    assert shown["labels"]["points"] == "Change of F1 in points"
    page.task = "regression"
    assert panel.view()["labels"]["points"] == "Change of MAE in %"
    page.task = "classification"
    with pytest.raises(InvalidInput):
        panel.act_guess("another", "4", "", "")
    panel.act_guess("j", "4", "", "-1")
    shown = panel.view()
    assert (shown["job"], shown["question"]) == (None, None)
    assert shown["waiting"] == "You guessed: 4.00× smaller, F1 −1.0 pt. Wait and see."
    # Once its quality is known, it is too late.
    page.jobs, page.rows = (job(variant="q"),), ROWS
    with pytest.raises(InvalidInput):
        panel.act_guess("j", "5", "", "")
    page.jobs = (job(status="done", variant="q"),)
    page.rows = (*ROWS[:1], MADE.model_copy(update={"guess": page.guessed("j")}))
    shown = panel.view()
    assert shown["name"] == "Your guess for int8"
    assert [one["title"] for one in shown["results"]] == ["Size", "F1"]
    page.store.close()
