"""Which cell of a measured grid is the best, and the tables of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from workbench.measure.records import Interval, LatencySummary
from workbench.number_format import points, time
from workbench.techniques.inference.grid_cells import Cell, Model
from workbench.text import Text, say
from workbench.variant import Table

Goal = Literal["latency", "throughput"]


@dataclass(frozen=True)
class Judged:
    """A file of the grid and what it predicts.

    Attributes:
        size_bytes: Of the file.
        f1: Macro F1 on the validation split.
        change: F1 minus that of the parent, with its paired interval.
    """

    size_bytes: int
    f1: float
    change: Interval


def ranked(times: Mapping[Cell, LatencySummary], goal: Goal) -> list[Cell]:
    """The cells, best first: least time of a call, or most samples a second."""
    if goal == "latency":
        return sorted(times, key=lambda cell: times[cell].p50_ms.value)
    return sorted(times, key=lambda cell: -times[cell].throughput)


def outside(
    cell: Cell, summary: LatencySummary, judged: Judged, limit_ms: float, tolerance: float
) -> Text | None:
    """Why a measured cell is not chosen, or None.

    Args:
        cell: The cell.
        summary: Its time.
        judged: Its file.
        limit_ms: Longest time of a call; 0 for none.
        tolerance: F1 that may be lost, in points.
    """
    if 100 * judged.change.value < -tolerance:
        return say(
            "It loses {lost} points of F1 on the validation split.",
            lost=points(-judged.change.value).lstrip("+"),
        )
    if limit_ms and summary.p50_ms.high > limit_ms:
        return say("A call takes up to {time}.", time=time(summary.p50_ms.high))
    return None


def simplest(finalists: Sequence[Cell], slower: Sequence[bool], judged: Mapping[Model, Judged]) -> Cell:
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


def tables(
    times: Mapping[Cell, LatencySummary],
    files: Mapping[Model, Judged],
    excluded: Mapping[Cell, Text],
    memory: Mapping[Cell, int | None],
    best: Cell,
) -> tuple[Table, ...]:
    """Latency and throughput as heat maps, and the files."""
    chosen = list(times).index(best)
    place = say("Threads and batch")
    latency, rate = [], []
    for cell, summary in times.items():
        where = say("threads {threads}, batch {batch}", threads=cell.threads, batch=cell.batch)
        p50, samples = summary.p50_ms, throughput(summary)
        latency.append((cell.model.label, where, p50.value, p50.low, p50.high, excluded.get(cell)))
        rate.append((cell.model.label, where, samples.value, samples.low, samples.high, excluded.get(cell)))
    model = say("Runtime and precision")
    why = say("Not chosen because")
    found = [
        Table(
            title=say("Time of a call"),
            columns=(model, place, say("p50 in ms"), say("from"), say("to"), why),
            rows=tuple(latency),
            picture="heatmap",
            better="less",
            chosen=chosen,
            note=say("Median with its 95% interval over the rounds of one process."),
        ),
        Table(
            title=say("Throughput"),
            columns=(model, place, say("Samples a second"), say("from"), say("to"), why),
            rows=tuple(rate),
            picture="heatmap",
            chosen=chosen,
            note=say("Batch divided by the median time of a call."),
        ),
        Table(
            title=say("Files"),
            columns=(
                model,
                say("F1 on the validation split"),
                say("Change in points"),
                say("from"),
                say("to"),
                say("Bytes"),
            ),
            rows=tuple(
                (
                    item.label,
                    judged.f1,
                    100 * judged.change.value,
                    100 * judged.change.low,
                    100 * judged.change.high,
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
