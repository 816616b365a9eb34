"""Two variants that are not parent and child: sizes, times and how the ratio of those is known."""

from __future__ import annotations

import pytest

from tests.widgets.result_rows import ROWS, interval
from workbench.measure.records import Interval, SpeedVerdict
from workbench.results.rows import ResultRow
from workbench.results.side_by_side import side_by_side
from workbench.results.timings import inverse

BASELINE, INT8, WIDE = (row.model_copy(update={"environment": "here"}) for row in ROWS[:3])


def timed(row: ResultRow, against: str, ratio: float, spread: float = 0.02) -> ResultRow:
    verdict = SpeedVerdict(
        variant=row.variant.id,
        reference=against,
        speedup=interval(ratio, spread * ratio),
        floor=0.01,
        word="faster",
    )
    return row.model_copy(update={"speed": verdict})


def test_sizes_are_exact_and_go_both_ways() -> None:
    found = side_by_side(INT8, WIDE)
    assert found.size is not None
    assert (found.size.ratio, found.size.word) == (2000 / 1100, "smaller")
    back = side_by_side(WIDE, INT8)
    assert back.size is not None
    assert back.size.word == "larger"


def test_what_was_timed_together_is_quoted_as_it_was() -> None:
    child = timed(INT8, WIDE.variant.id, 2.0)
    assert side_by_side(child, WIDE).speed == child.speed
    back = side_by_side(WIDE, child)
    assert back.way == "together"
    assert back.speed is not None
    assert back.speed.word == "slower"
    assert back.speed.speedup.value == pytest.approx(0.5)
    assert back.speed.speedup.low < 0.5 < back.speed.speedup.high


def test_two_of_one_runtime_go_by_their_common_reference_with_both_uncertainties() -> None:
    one, other = timed(INT8, "lite", 3.0, 0.03), timed(WIDE, "lite", 1.5, 0.04)
    found = side_by_side(one, other)
    assert found.way == "same reference"
    assert found.speed is not None
    change = found.speed.speedup
    assert change.value == pytest.approx(2.0)
    # 3 % and 4 % make 5 %.
    assert change.high / change.value == pytest.approx(1.05, abs=0.003)
    assert found.speed.word == "faster"
    close = side_by_side(timed(INT8, "lite", 1.51, 0.03), other)
    assert close.speed is not None
    assert close.speed.word == "no measurable change"


def test_two_of_different_runtimes_go_by_the_baseline_and_two_machines_not_at_all() -> None:
    found = side_by_side(timed(INT8, "lite", 3.0), timed(WIDE, "onnx", 3.0))
    assert found.way == "baseline"
    assert found.speed is not None
    assert found.speed.speedup.value == pytest.approx(18.0 / 2.25)
    elsewhere = WIDE.model_copy(update={"environment": "there"})
    assert side_by_side(timed(INT8, "lite", 3.0), timed(elsewhere, "lite", 3.0)).speed is None
    untimed = ROWS[3]
    assert side_by_side(INT8, untimed).speed is None
    assert side_by_side(INT8, untimed).size is None


def test_the_stored_change_of_f1_is_taken_against_the_baseline_only() -> None:
    assert side_by_side(INT8, BASELINE).change == INT8.quality_change
    assert side_by_side(INT8, WIDE).change is None


def test_the_inverse_keeps_its_ends_in_order() -> None:
    assert inverse(Interval(value=2, low=1, high=4)) == Interval(value=0.5, low=0.25, high=1)
