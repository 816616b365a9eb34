"""A metric of one's own: equal to what it gives by itself, its change paired with the baseline's."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.api.errors import InvalidInput
from workbench.results.own_metric import MetricRow, MetricTable, measured_by

RNG = np.random.default_rng(3)
LABELS = RNG.integers(0, 4, 400)
RIGHT = np.eye(4)[LABELS]
GOOD = np.where(RNG.random(400)[:, None] < 0.9, RIGHT, RIGHT[:, ::-1])
BAD = np.where(RNG.random(400)[:, None] < 0.6, RIGHT, RIGHT[:, ::-1])


def accuracy(labels, answers):
    return (answers.argmax(1) == labels).mean()


def test_the_interval_of_a_share_is_that_of_a_share() -> None:
    value, change, word = measured_by(accuracy, LABELS, GOOD, None)
    share = accuracy(LABELS, GOOD)
    half = 1.96 * np.sqrt(share * (1 - share) / len(LABELS))
    assert value.value == share
    assert (value.low, value.high) == pytest.approx((share - half, share + half), abs=0.004)
    assert (change, word) == (None, None)


def test_a_change_is_paired_and_judged_in_the_direction_of_the_metric() -> None:
    _, change, word = measured_by(accuracy, LABELS, BAD, GOOD)
    gained = (BAD.argmax(1) == LABELS).astype(float) - (GOOD.argmax(1) == LABELS)
    half = 1.96 * gained.std() / np.sqrt(len(LABELS))
    assert change.value == pytest.approx(gained.mean())
    assert (change.low, change.high) == pytest.approx((gained.mean() - half, gained.mean() + half), abs=0.008)
    assert word == "worse"
    assert measured_by(accuracy, LABELS, BAD, GOOD, higher_is_better=False)[2] == "better"
    _, same, word = measured_by(accuracy, LABELS, GOOD, GOOD)
    assert (same.low, same.value, same.high) == (0, 0, 0)
    assert word == "no measurable change"


@pytest.mark.parametrize("given", [np.nan, None, "0.5", [0.1, 0.2], {}])
def test_what_is_no_number_is_refused(given: object) -> None:
    with pytest.raises(InvalidInput, match="one finite number"):
        measured_by(lambda labels, answers: given, LABELS, GOOD, None)


def test_a_metric_without_a_value_on_many_draws_is_refused() -> None:
    rare = np.zeros(400, int)
    rare[0] = 1  # a draw has it in 63 of 100 cases

    def recall_of_the_rare(labels, answers):
        return np.nan if not (labels == 1).any() else (answers.argmax(1)[labels == 1] == 1).mean()

    with pytest.raises(InvalidInput, match=r"none on 3[0-9]% of draws"):
        measured_by(recall_of_the_rare, rare, GOOD, None)


def test_the_table_is_read_as_text_as_html_and_as_a_frame() -> None:
    value, change, word = measured_by(accuracy, LABELS, BAD, GOOD)
    rows = (
        MetricRow(variant="a", name="<b>the first", value=value),
        MetricRow(variant="b", name="second", value=value, change=change, word=word),
    )
    table = MetricTable(rows, "accuracy", ("third",))
    assert "worse" in repr(table)
    assert "Not judged yet: third." in repr(table)
    assert "&lt;b&gt;the first" in table._repr_html_()
    frame = table.to_frame()
    assert frame.verdict[1] == "worse"
    assert frame.verdict.isna()[0]
    assert frame.accuracy[1] == value.value
