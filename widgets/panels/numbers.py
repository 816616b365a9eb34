"""Every number of a variant in one table, those that are never ranked by included."""

from __future__ import annotations

from typing import Any

from widgets.charts.chart import column
from widgets.wording import (
    change_words,
    count,
    digits,
    duration,
    interval_words,
    points,
    points_end,
    score,
    score_interval,
    short,
    size,
    time,
    time_interval,
    times,
)
from workbench.api.task import measure_of
from workbench.api.text import Text, say
from workbench.measure.records import EnergyMeasurement, Interval, QualityMeasurement, QualityVerdict
from workbench.results.rows import ResultRow


def numbers_table(row: ResultRow, other: ResultRow | None = None) -> dict[str, Any]:
    """The table, in the current language.

    Args:
        row: The variant.
        other: One to put beside it.
    """
    lines = {str(title): (value, interval) for title, value, interval in _lines(row)}
    beside = {str(title): (value, interval) for title, value, interval in _lines(other)} if other else {}
    names = [short(one.variant.name) for one in (row, other) if one is not None]
    nothing = ("–", "")
    return {
        "caption": str(say("All numbers of {name}", name=names[0])),
        "columns": [
            column(say("Measured")),
            *(
                one
                for name in names
                for one in (column(name, numeric=True), column(say("95% interval"), numeric=True))
            ),
        ],
        "rows": [
            [title, *lines.get(title, nothing), *(beside.get(title, nothing) if other else ())]
            for title in dict.fromkeys([*lines, *beside])
        ],
    }


def _lines(row: ResultRow) -> list[tuple[Text, str, str]]:
    lines: list[tuple[Text, str, str]] = []
    if row.size is not None:
        lines += [
            (say("Parameters"), count(row.size.parameters), ""),
            (say("File"), size(row.size.file_bytes), ""),
            (say("File, gzipped"), size(row.size.gzip_bytes), ""),
        ]
        if row.size.peak_memory_bytes is not None:
            lines.append((say("Memory to load and infer once"), size(row.size.peak_memory_bytes), ""))
    if row.variant.description.macs is not None:
        lines.append(
            (say("Multiply-accumulate operations of one sample"), count(row.variant.description.macs), "")
        )
    if row.shown_ms is not None:
        lines.append((say("Latency"), time(row.shown_ms.value), time_interval(row.shown_ms)))
    if row.total_speedup is not None and row.variant.parent is not None:
        total = row.total_speedup
        lines.append((say("Speed-up against the baseline"), times(total.value), interval_words(total, times)))
    latency = row.latency
    if latency is not None:
        lines += [
            (
                say("Latency, median of its own run"),
                time(latency.p50_ms.value),
                time_interval(latency.p50_ms),
            ),
            (say("Latency, inter-quartile range"), time(latency.iqr_ms), ""),
            (say("Latency, 90th / 95th percentile"), f"{time(latency.p90_ms)} / {time(latency.p95_ms)}", ""),
            (say("Latency, 99th percentile (a property of the machine)"), time(latency.p99_ms), ""),
            (say("Latency, fastest"), time(latency.min_ms), ""),
            (say("Time to load"), time(latency.load_ms), ""),
            (say("First inference"), time(latency.first_ms), ""),
            (say("Throughput, samples per second"), count(round(latency.throughput)), ""),
            (say("Samples timed / outliers"), f"{count(latency.samples)} / {count(latency.outliers)}", ""),
            (say("Threads / batch"), f"{latency.settings.threads} / {latency.settings.batch}", ""),
        ]
    if row.made_in_s:
        lines.append((say("Time that all steps to it took"), str(duration(row.made_in_s)), ""))
    if row.break_even is not None:
        lines.append((say("Samples after which that time is saved"), count(row.break_even), ""))
    if row.energy is not None:
        lines.append((say("Energy of one sample"), _energy(row.energy), ""))
    if row.speed is not None:
        lines.append((say("A/A floor of the timing"), f"{digits(100 * row.speed.floor)}%", ""))
    quality = row.quality
    if quality is not None:
        lines += _quality(quality)
    change = row.quality_change
    if change is not None:
        lines += _change(change)
    for one in quality.further if quality is not None else ():
        lines += _of_output(one.output, _quality(one))
        verdict = next((it for it in change.further if it.output == one.output), None) if change else None
        if verdict is not None:
            lines += _of_output(one.output, _change(verdict))
    return lines


def _of_output(output: str | None, lines: list[tuple[Text, str, str]]) -> list[tuple[Text, str, str]]:
    """The lines with the name of their output before each."""
    return [
        (say("{output}: {name}", output=short(output or ""), name=name), value, interval)
        for name, value, interval in lines
    ]


def _change(change: QualityVerdict) -> list[tuple[Text, str, str]]:
    if change.task != "classification":
        return _other_change(change)
    lines = [(say("Change of macro F1, in points"), points(change.change.value), _points(change.change))]
    if change.accuracy_change is not None:
        paired = change.accuracy_change
        lines.append((say("Change of accuracy, in points"), points(paired.value), _points(paired)))
    return [
        *lines,
        (
            say("Right only before / only now"),
            f"{count(change.only_reference_right)} / {count(change.only_variant_right)}",
            "",
        ),
        (say("Change that is accepted, in points"), digits(100 * change.tolerance), ""),
        (say("McNemar p"), "–" if change.mcnemar_p is None else digits(change.mcnemar_p), ""),
    ]


def _quality(quality: QualityMeasurement) -> list[tuple[Text, str, str]]:
    measure, judged = measure_of(quality.task), quality.measured
    lines = [(measure.name, quality.shown, measure.interval(judged))]
    if quality.accuracy is not None:
        lines.append((say("Accuracy"), score(quality.accuracy.value), score_interval(quality.accuracy)))
    pairs = (
        (say("F1, micro / weighted"), quality.f1_micro, quality.f1_weighted),
        (say("Precision / recall, macro"), quality.precision_macro, quality.recall_macro),
    )
    for name, first, second in pairs:
        if first is not None and second is not None:
            lines.append((name, f"{score(first)} / {score(second)}", ""))
    if quality.calibration_error is not None:
        lines.append((say("Expected calibration error"), score(quality.calibration_error), ""))
    for figure in quality.figures:
        write = score if figure.share else digits
        ends = "" if figure.interval is None else interval_words(figure.interval, write)
        lines.append((figure.name, write(figure.value), ends))
    return [*lines, (say("Test samples"), count(quality.samples), "")]


def _other_change(change: QualityVerdict) -> list[tuple[Text, str, str]]:
    measure = measure_of(change.task)
    title = (
        say("Change of {measure}, in points", measure=measure.title)
        if measure.higher_is_better
        else say("Change of {measure}, in %", measure=measure.title)
    )
    accepted = (
        say("Change that is accepted, in points")
        if measure.higher_is_better
        else say("Change that is accepted, in %")
    )
    return [
        (title, measure.change(change.change.value), change_words(change.change, change.task)),
        (say("Samples answered better / worse"), f"{count(change.better)} / {count(change.worse)}", ""),
        (accepted, digits(100 * change.tolerance), ""),
    ]


def _points(interval: Interval) -> str:
    return f"[{points_end(interval.low)}, {points_end(interval.high)}]"


def _energy(energy: EnergyMeasurement) -> str:
    if energy.joules_per_sample is None:
        return str(energy.reason or "-")
    return f"{digits(1000 * energy.joules_per_sample)} mJ ({energy.meter})"
