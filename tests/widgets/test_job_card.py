"""What the page says of a job: what it waits for, how long it takes, and that it takes longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.widgets.result_rows import ROWS
from widgets.panels.jobs import job_card
from widgets.panels.outcome import chips, outcome
from workbench.api.text import say
from workbench.jobs.state import JobState
from workbench.measure.records import Interval, SizeVerdict

NOW = datetime.now(UTC)


class OwnJobs:
    """A session whose jobs are its own."""

    rows = ROWS

    def is_own(self, job: str) -> bool:
        return True

    def is_cancelling(self, job: str) -> bool:
        return False

    def can_ask_again(self, job: str) -> bool:
        return True


def card(**changes: Any) -> dict[str, Any]:
    state = JobState(id="j", kind="apply", title=say("Find"), created=NOW, started=NOW, **changes)
    return job_card(state, OwnJobs())


def test_what_waits_says_so_and_shows_no_falling_time():
    queued = card(status="queued", queue_position=2, expected_seconds=40)
    assert (queued["word"], queued["left"]) == ("queued: 2 before it", "takes about 40 s")
    since = datetime.now(UTC) - timedelta(minutes=10)
    waiting = card(status="running", waiting_since=since, eta_seconds=None)
    assert (waiting["status"], waiting["word"]) == ("waiting", "waiting")
    assert waiting["left"] == "has waited 10 min"


@pytest.mark.parametrize(
    ("eta", "late", "said"),
    [
        (37, False, "about 37 s left"),
        (61, True, "about 61 s left, longer than expected"),
        (None, True, "longer than expected"),
        (None, False, None),
    ],
)
def test_a_time_that_rises_is_called_longer_than_expected(eta, late, said):
    assert card(status="running", eta_seconds=eta, late=late)["left"] == said


def test_a_job_of_several_steps_says_which_one_it_is_at():
    shown = card(status="running", step=say("Full int8, 2 of 6"), stage=say("Converting"))
    assert shown["stage"] == "Full int8, 2 of 6: Converting"


def test_what_came_out_is_a_sentence_of_three_ratios():
    (row,) = (row for row in ROWS if row.variant.name == "int8")
    row = row.model_copy(
        update={
            "size_change": SizeVerdict(ratio=3.6, word="smaller"),
            "total_speedup": Interval(value=12.5, low=12, high=13),
        }
    )
    said = str(outcome(row))
    assert said.startswith("int8: ")
    assert "3.60" in said
    assert "smaller" in said
    assert "2.00" in said  # against float32 in the same runtime: what int8 itself has brought
    assert "F1 kept" in said
    assert [(chip["name"], chip["tone"]) for chip in chips(row)] == [
        ("size", "good"),
        ("speed", "good"),
        ("quality", "kept"),
    ]
    assert "12.5" in chips(row)[1]["words"]
    # A speed that is not believed has no ratio and no green chip anywhere.
    doubted = row.model_copy(update={"total_distrust": say("The machine was busy.")})
    assert chips(doubted)[1] == {"name": "speed", "words": "speed in doubt", "tone": "unsure"}
    doubted = row.model_copy(update={"distrust": say("The machine was busy.")})
    assert "faster" not in str(outcome(doubted))
    assert str(outcome(ROWS[-1])) == "not measured yet: made, not measured"
