"""What a variant saves: processor time that was measured, and energy, money and CO2e reckoned from it.

Processor seconds are measured. Joules come from a meter where there is one; else they are a range, processor
seconds times the power of a busy core of :data:`WATTS_PER_CORE`, and are always called an estimate. Money and
CO2e are joules times the price and the grid that the reader has set.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import Field

from workbench.api.records import Record
from workbench.api.text import Text, say
from workbench.measure.records import Interval
from workbench.results.lookup import baseline_row
from workbench.results.rows import ResultRow
from workbench.results.timings import chain, divided, inverse

WATTS_PER_CORE = (360 / 96, 170 / 16)
"""Power of a busy core, watts: thermal design power / cores of the AMD EPYC 9654 and the Ryzen 9 7950X.

It leaves out memory, power supply and cooling, and what an idle machine draws anyway.
Source: the makers' specifications of the two processors (360 W, 96 cores, 2022; 170 W, 16 cores, 2022).
"""

DAYS = 365
_J_PER_KWH = 3.6e6


class Grid(NamedTuple):
    """How much CO2e the making of electricity sets free.

    Attributes:
        name: Where.
        grams: Of CO2e per kWh, over the whole life of the power stations.
    """

    name: Text
    grams: float


GRIDS: dict[str, Grid] = {
    "world": Grid(say("world"), 481),
    "china": Grid(say("China"), 582),
    "germany": Grid(say("Germany"), 381),
    "france": Grid(say("France"), 56),
    "india": Grid(say("India"), 713),
}
"""Carbon intensity of electricity in 2023, g CO2e per kWh.

Source: Ember, Yearly Electricity Data (2024), as shown by Our World in Data.
"""

GRID_SOURCE = say("Ember, 2023")


class Use(Record):
    """How a model is used, and what its electricity costs.

    Attributes:
        predictions_per_day: Samples that are predicted in a day.
        price_per_kwh: Of electricity, in any currency.
        grams_per_kwh: CO2e of a kWh.
    """

    predictions_per_day: float = Field(1_000_000, gt=0, le=1e15, allow_inf_nan=False)
    price_per_kwh: float = Field(0.2, ge=0, le=1_000, allow_inf_nan=False)
    grams_per_kwh: float = Field(GRIDS["world"].grams, ge=0, le=5_000, allow_inf_nan=False)


class Span(Record):
    """From a low to a high number, such as those of two assumptions."""

    low: float
    high: float

    def times(self, factor: float) -> Span:
        """Both ends times a factor; what is negative turns them round."""
        ends = sorted((self.low * factor, self.high * factor))
        return Span(low=ends[0], high=ends[1])


class Saving(Record):
    """What a variant needs in a year of use, and what that saves against the baseline.

    Attributes:
        processor_s: Processor seconds of 1,000 predictions, all threads together; None where not known.
        times_less: The baseline's over the variant's, from paired timings: above 1 is less. None of the
            baseline, or where not known.
        joules: Of 1,000 predictions; a metered number is a span without a width.
        meter: What counted the joules; None where they are estimated.
        kwh: In a year.
        money: In a year.
        co2e_kg: In a year.
        saved_kwh: Against the baseline, in a year; below 0 where it needs more.
        saved_money: The same in money.
        saved_co2e_kg: The same in kg CO2e.
        break_even: Predictions after which the processor time of making it is saved: made on one core, and on
            all cores of the machine. None where it is not measurably less, or made elsewhere.
        reason: Why numbers are missing; None where none are.
    """

    processor_s: Interval | None = None
    times_less: Interval | None = None
    joules: Span | None = None
    meter: str | None = None
    kwh: Span | None = None
    money: Span | None = None
    co2e_kg: Span | None = None
    saved_kwh: Span | None = None
    saved_money: Span | None = None
    saved_co2e_kg: Span | None = None
    break_even: Span | None = None
    reason: Text | None = None


def savings(rows: Sequence[ResultRow], use: Use, cores: int) -> dict[str, Saving]:
    """What each variant saves, by its identifier.

    Args:
        rows: All variants, the baseline among them.
        use: How the model is used.
        cores: Of the machine, which making a variant may have used.
    """
    baseline = baseline_row(rows)
    return {row.variant.id: _saving(row, baseline, use, cores) for row in rows}


def _saving(row: ResultRow, baseline: ResultRow | None, use: Use, cores: int) -> Saving:
    base = None if baseline is None else _own_processor_s(baseline)
    if base is None or baseline is None or baseline.latency is None:
        return Saving(reason=say("The processor time of the baseline is not known: time it again."))
    if row.latency is None:
        return Saving(reason=say("It has not been timed yet."))
    doubt = row.distrust or row.total_distrust or baseline.distrust
    if doubt is not None:
        return Saving(reason=doubt)
    if row.latency.cores_busy is None or baseline.latency.cores_busy is None:
        return Saving(
            reason=say(
                "Its processor time is not known: it was timed by an earlier release, or beside files with "
                "threads of their own."
            )
        )
    if row.variant.is_baseline:
        less, seconds = None, base
    elif row.total_speedup is None:
        return Saving(reason=say("It has not been timed against the baseline yet."))
    else:
        less = chain(row.total_speedup, chain(baseline.latency.cores_busy, inverse(row.latency.cores_busy)))
        seconds = divided(base.value, less)
    joules, meter = _joules(row, seconds)
    before, _ = _joules(baseline, base)
    comparable = (meter is None) == (baseline.energy is None or baseline.energy.meter is None)
    yearly = use.predictions_per_day * DAYS / 1000
    kwh = joules.times(yearly / _J_PER_KWH)
    saved = None
    if less is not None and comparable:
        # The same assumption holds for both: the difference is not one of two assumptions.
        saved = Span(low=before.low - joules.low, high=before.high - joules.high).times(yearly / _J_PER_KWH)
    return Saving(
        processor_s=seconds,
        times_less=less,
        joules=joules,
        meter=meter,
        kwh=kwh,
        money=kwh.times(use.price_per_kwh),
        co2e_kg=kwh.times(use.grams_per_kwh / 1000),
        saved_kwh=saved,
        saved_money=saved and saved.times(use.price_per_kwh),
        saved_co2e_kg=saved and saved.times(use.grams_per_kwh / 1000),
        break_even=_break_even(row, base, less, cores),
    )


def _own_processor_s(row: ResultRow) -> Interval | None:
    """Processor seconds of 1,000 samples, which are the milliseconds of one."""
    latency, shown = row.latency, row.shown_ms
    if latency is None or latency.cores_busy is None or shown is None:
        return None
    return _scaled(chain(shown, latency.cores_busy), 1 / latency.settings.batch)


def _joules(row: ResultRow, seconds: Interval) -> tuple[Span, str | None]:
    energy = row.energy
    if energy is not None and energy.joules_per_sample is not None:
        metered = 1000 * energy.joules_per_sample
        return Span(low=metered, high=metered), energy.meter
    low, high = WATTS_PER_CORE
    return Span(low=seconds.value * low, high=seconds.value * high), None


def _break_even(row: ResultRow, base: Interval, less: Interval | None, cores: int) -> Span | None:
    if less is None or less.low <= 1 or not row.made_in_s:
        return None
    saved_s = base.value * (1 - 1 / less.value) / 1000  # of one prediction
    return Span(low=math.ceil(row.made_in_s / saved_s), high=math.ceil(cores * row.made_in_s / saved_s))


def _scaled(interval: Interval, factor: float) -> Interval:
    return Interval(value=interval.value * factor, low=interval.low * factor, high=interval.high * factor)
