"""What a variant saves: processor time as measured, energy as a range, nothing where a timing is doubted."""

from __future__ import annotations

import pytest

from tests.widgets.result_rows import ROWS, interval
from workbench.api.text import say
from workbench.measure.records import EnergyMeasurement
from workbench.results.rows import ResultRow
from workbench.results.savings import WATTS_PER_CORE, Saving, Use, savings

USE = Use(predictions_per_day=2_000_000, price_per_kwh=0.5, grams_per_kwh=400)


def timed(row: ResultRow, milliseconds: float, busy: float | None, **values: object) -> ResultRow:
    latency = row.latency.model_copy(
        update={
            "cores_busy": None if busy is None else interval(busy, 0.0),
            "p50_ms": interval(milliseconds, 0),
        }
    )
    return row.model_copy(
        update={"latency": latency, "paired_ms": interval(milliseconds, 0), "energy": None, **values}
    )


BASE = timed(ROWS[0], 0.8, 1.0)
FAST = timed(ROWS[1], 0.2, 1.0, total_speedup=interval(4, 0.4), made_in_s=30.0)


def of(*rows: ResultRow, cores: int = 2) -> list[Saving]:
    found = savings(rows, USE, cores)
    return [found[row.variant.id] for row in rows]


def test_at_one_thread_processor_time_goes_with_latency() -> None:
    base, fast = of(BASE, FAST)
    assert base.processor_s.value == pytest.approx(0.8)  # ms of one, s of 1,000
    assert base.times_less is None
    assert fast.times_less.value == pytest.approx(FAST.total_speedup.value)
    assert (fast.times_less.low, fast.times_less.high) == pytest.approx((3.6, 4.4))
    assert fast.processor_s.value == pytest.approx(0.2)
    assert (fast.processor_s.low, fast.processor_s.high) == pytest.approx((0.8 / 4.4, 0.8 / 3.6))


def test_two_threads_that_halve_the_time_save_no_processor_time() -> None:
    _, threaded = of(BASE, timed(ROWS[1], 0.4, 2.0, total_speedup=interval(2, 0.1)))
    assert threaded.times_less.value == pytest.approx(1)
    assert threaded.break_even is None
    assert threaded.saved_kwh.low == pytest.approx(0)


def test_energy_money_and_co2e_follow_from_the_assumptions() -> None:
    base, fast = of(BASE, FAST)
    low, high = WATTS_PER_CORE
    assert (base.joules.low, base.joules.high) == pytest.approx((0.8 * low, 0.8 * high))
    thousands = 2_000 * 365
    assert base.kwh.low == pytest.approx(0.8 * low * thousands / 3.6e6)
    assert base.money.high == pytest.approx(base.kwh.high / 2)
    assert base.co2e_kg.low == pytest.approx(0.4 * base.kwh.low)
    assert fast.saved_kwh.high == pytest.approx(base.kwh.high - fast.kwh.high)
    assert fast.saved_co2e_kg.low == pytest.approx(0.4 * fast.saved_kwh.low)
    (_, slow) = of(BASE, timed(ROWS[1], 1.6, 1.0, total_speedup=interval(0.5, 0.01)))
    assert slow.saved_kwh.low < slow.saved_kwh.high < 0


def test_making_it_is_paid_back_after_so_many_predictions() -> None:
    _, fast = of(BASE, FAST)
    saved_s = (0.8 - 0.2) / 1000
    assert fast.break_even.low == pytest.approx(30 / saved_s)
    assert fast.break_even.high == pytest.approx(2 * 30 / saved_s)
    unsure = FAST.model_copy(update={"total_speedup": interval(1.05, 0.1)})
    assert of(BASE, unsure)[1].break_even is None


def test_a_meter_replaces_the_estimate_and_is_compared_only_with_a_meter() -> None:
    def metered(row: ResultRow, joules: float) -> ResultRow:
        energy = EnergyMeasurement(
            variant=row.variant.id, meter="RAPL package", joules_per_sample=joules, environment="p"
        )
        return row.model_copy(update={"energy": energy})

    base, fast = of(metered(BASE, 0.008), metered(FAST, 0.002))
    assert fast.meter == "RAPL package"
    assert (fast.joules.low, fast.joules.high) == (2, 2)
    assert fast.saved_kwh.low == fast.saved_kwh.high == pytest.approx(6 * 2_000 * 365 / 3.6e6)
    assert base.kwh.low == base.kwh.high
    assert of(BASE, metered(FAST, 0.002))[1].saved_kwh is None


@pytest.mark.parametrize(
    ("base", "row"),
    [
        (timed(ROWS[0], 0.8, None), FAST),
        (BASE, timed(ROWS[1], 0.2, None)),
        (BASE, FAST.model_copy(update={"distrust": say("It was busy.")})),
        (BASE, FAST.model_copy(update={"total_speedup": None})),
        (BASE, ROWS[3]),
    ],
)
def test_where_something_is_not_known_there_is_a_reason_and_no_number(
    base: ResultRow, row: ResultRow
) -> None:
    saving = of(base, row)[1]
    assert saving == Saving(reason=saving.reason)
    assert saving.reason is not None
