"""Which cell of a measured grid is the best, and the tables of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.api.number_format import points, time
from workbench.api.task import Task, measure_of
from workbench.api.text import Text, say
from workbench.api.variant import Table
from workbench.measure.records import Interval, LatencySummary
from workbench.techniques.inference.grid.cells import Cell, Model
from workbench.training.results import change_shown, measure_unit

Goal = Literal["latency", "throughput"]


@dataclass(frozen=True)
class FileQuality:
    """A file of the grid and what it predicts.

    Attributes:
        size_bytes: Of the file.
        score: The task's measure on the validation split.
        change: By how much it is better than that of the parent, with its paired interval.
    """

    size_bytes: int
    score: float
    change: Interval


def ranked(times: Mapping[Cell, LatencySummary], goal: Goal) -> list[Cell]:
    """The cells, best first: least time of a call, or most samples a second."""
    if goal == "latency":
        return sorted(times, key=lambda cell: times[cell].p50_ms.value)
    return sorted(times, key=lambda cell: -times[cell].throughput)


def limit_obstacle(
    cell: Cell,
    summary: LatencySummary,
    judged: FileQuality,
    limit_ms: float,
    tolerance: float,
    task: Task = "classification",
) -> Text | None:
    """Why a measured cell is not chosen, or None.

    Args:
        cell: The cell.
        summary: Its time.
        judged: Its file.
        limit_ms: Longest time of a call; 0 for none.
        tolerance: What may be lost, in points of a score or per cent of an error.
        task: What is judged.
    """
    if 100 * judged.change.value < -tolerance:
        measure = measure_of(task)
        return say(
            "It loses {lost} {unit} of {measure} on the validation split.",
            lost=points(-judged.change.value).lstrip("+"),
            unit=measure_unit(measure),
            measure=measure.title,
        )
    if limit_ms and summary.p50_ms.high > limit_ms:
        return say("A call takes up to {time}.", time=time(summary.p50_ms.high))
    return None


def simplest(finalists: Sequence[Cell], slower: Sequence[bool], judged: Mapping[Model, FileQuality]) -> Cell:
    """Of the finalists that cannot be told from the fastest: fewest threads, then the smallest file."""
    equal = [cell for cell, worse in zip(finalists, slower, strict=True) if not worse]
    return min(equal, key=lambda cell: (cell.threads, judged[cell.model].size_bytes, finalists.index(cell)))


def throughput(summary: LatencySummary) -> Interval:
    """Samples a second with their interval."""
    batch = summary.settings.batch
    return Interval(
        value=summary.throughput,
        low=1000 * batch / summary.p50_ms.high,
        high=1000 * batch / summary.p50_ms.low,
    )


Time = tuple[float, float | None, float | None]
"""Of a call in a cell: median and the ends of its interval, milliseconds."""


def times_table(
    times: Mapping[Cell, Time | None],
    note: Text,
    excluded: Mapping[Cell, Text] | None = None,
    *,
    chosen: int | None = None,
) -> Table:
    """The heat map of the time of a call; empty where a cell has none yet.

    Args:
        times: By cell.
        note: What to see in it.
        excluded: Why a cell is not chosen; None as long as nothing is.
        chosen: Place of the cell that was.
    """
    columns = [_model(), _place(), say("p50 in ms"), say("from"), say("to")]
    if excluded is not None:
        columns.append(say("Not chosen because"))
    return Table(
        title=say("Time of a call"),
        columns=tuple(columns),
        rows=tuple(
            (
                cell.model.label,
                _where(cell),
                *(took or (None, None, None)),
                *(() if excluded is None else (excluded.get(cell),)),
            )
            for cell, took in times.items()
        ),
        picture="heatmap",
        better="less",
        chosen=chosen,
        note=note,
    )


def _model() -> Text:
    return say("Runtime and precision")


def _place() -> Text:
    return say("Threads and batch")


def _where(cell: Cell) -> Text:
    return say("threads {threads}, batch {batch}", threads=cell.threads, batch=cell.batch)


def tables(
    times: Mapping[Cell, LatencySummary],
    files: Mapping[Model, FileQuality],
    excluded: Mapping[Cell, Text],
    memory: Mapping[Cell, int | None],
    best: Cell,
    task: Task = "classification",
) -> tuple[Table, ...]:
    """Latency and throughput as heat maps, and the files."""
    chosen, measure = list(times).index(best), measure_of(task)
    latency: dict[Cell, Time | None] = {}
    rate = []
    for cell, summary in times.items():
        p50, samples = summary.p50_ms, throughput(summary)
        latency[cell] = p50.value, p50.low, p50.high
        rate.append(
            (cell.model.label, _where(cell), samples.value, samples.low, samples.high, excluded.get(cell))
        )
    found = [
        times_table(
            latency,
            say("Median with its 95% interval over the rounds of one process."),
            excluded,
            chosen=chosen,
        ),
        Table(
            title=say("Throughput"),
            columns=(
                _model(),
                _place(),
                say("Samples a second"),
                say("from"),
                say("to"),
                say("Not chosen because"),
            ),
            rows=tuple(rate),
            picture="heatmap",
            chosen=chosen,
            note=say("Batch divided by the median time of a call."),
        ),
        Table(
            title=say("Files"),
            columns=(
                _model(),
                say("{measure} on the validation split", measure=measure.title),
                say("Change in {unit}", unit=measure_unit(measure)),
                say("from"),
                say("to"),
                say("Bytes"),
            ),
            rows=tuple(
                (
                    item.label,
                    judged.score,
                    change_shown(measure, judged.change.value),
                    *sorted(change_shown(measure, end) for end in (judged.change.low, judged.change.high)),
                    judged.size_bytes,
                )
                for item, judged in files.items()
            ),
        ),
    ]
    if memory:
        found.append(
            Table(
                title=say("Memory"),
                columns=(say("Combination"), say("Peak in MB")),
                rows=tuple(
                    (cell.label, None if peak is None else peak / 1e6) for cell, peak in memory.items()
                ),
            )
        )
    return tuple(found)
