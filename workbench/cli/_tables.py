"""Tables and numbers as the command line prints them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.api.dataset import DatasetInfo
from workbench.api.number_format import (
    count,
    digits,
    percent,
    ratio,
    size,
    time,
    time_interval,
    times,
)
from workbench.api.task import measure_of
from workbench.api.text import Text, say
from workbench.measure.records import EnergyMeasurement, SizeVerdict
from workbench.results.rows import ResultRow, task_of

if TYPE_CHECKING:
    from workbench import Workbench

_WIDE = 100


def print_table(
    headings: Sequence[Text], rows: Sequence[Sequence[str]], *, apart: bool = False, identifiers: bool = False
) -> None:
    """Prints a table that fits the terminal; markup in the cells is shown as it is.

    Args:
        headings: One a column.
        rows: Cells, of one or several lines.
        apart: Whether an empty line separates the rows.
        identifiers: Whether the first column holds names to be copied, which are never folded.
    """
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    table = Table(
        box=None, pad_edge=False, header_style="bold", padding=(0, 1 if console.width < _WIDE else 2, 0, 0)
    )
    for number, heading in enumerate(headings):
        table.add_column(str(heading), overflow="fold", no_wrap=identifiers and number == 0)
    for number, row in enumerate(rows):
        if apart and number:
            table.add_row()
        table.add_row(*(escape(cell) for cell in row))
    console.print(table)


def print_results(rows: Sequence[ResultRow]) -> None:
    """Prints every variant with its sizes, latency and quality, and the doctor's notes.

    A cell has a line each for the number, its 95% interval and the verdict, so that everything
    fits 80 characters.
    """
    measure = measure_of(task_of(rows))
    heading = say("{measure} and its change", measure=measure.title)
    print_table(
        [say("variant"), say("size"), say("latency p50"), say("speed"), heading],
        [
            [
                f"{row.variant.name}\n{_runtime(row)}",
                _sizes(row),
                _latency(row),
                _speed(row),
                _quality(row),
            ]
            for row in rows
        ],
        apart=True,
    )
    print_notes(rows)
    _print_costs(rows)


def print_notes(rows: Sequence[ResultRow]) -> None:
    """Prints what the doctor has to say; what it says of several variants is printed once."""
    import click

    names: dict[str, list[str]] = {}
    for row in rows:
        for note in row.notes:
            names.setdefault(str(note), []).append(row.variant.name)
    if names:
        click.echo()
    for words, variants in names.items():
        click.echo(f"{', '.join(variants)}: {words}")


def print_data(workbench: Workbench, *, err: bool = False) -> None:
    """Prints how the data and the model were read: a wrong label column or scaling shows only there.

    Args:
        workbench: What was opened.
        err: Whether it goes to standard error.
    """
    import click

    info = workbench.dataset_info
    if info is None:
        return
    click.echo(err=err)
    click.echo(
        say(
            "Data {name}: {counts} samples for training, validation and test; inputs {shapes}; {scaling}.",
            name=info.name,
            counts=" + ".join(map(count, info.counts.values())),
            shapes=tuple(f"{name} {shape}".strip() for name, shape in info.input_shapes.items()),
            scaling=info.scaling,
        ),
        err=err,
    )
    baseline = workbench.baseline
    if info.task == "classification":
        _print_classes(info, err=err)
    for note in (*info.notes, *(baseline.report.notes if baseline is not None else ())):
        click.echo(str(note), err=err)


def _print_classes(info: DatasetInfo, *, err: bool) -> None:
    import click

    share = tuple(
        f"{name} {percent(samples / max(1, info.counts['test']))}"
        for name, samples in list(zip(info.classes, info.class_counts["test"], strict=True))[:12]
    )
    more = ("…",) if len(info.classes) > 12 else ()
    click.echo(say("Classes in the test split: {share}.", share=share + more), err=err)


def _print_costs(rows: Sequence[ResultRow]) -> None:
    """Prints what making cost and when it is saved again, and what a sample takes in energy."""
    import click

    lines = [
        say(
            "{name}: made in {seconds} s, which pays off after {count} samples.",
            name=row.variant.name,
            seconds=digits(row.made_in_s),
            count=row.break_even,
        )
        for row in rows
        if row.break_even is not None
    ]
    lines += [
        say(
            "{name}: {energy} mJ a sample ({meter}, less the idle machine's power).",
            name=row.variant.name,
            energy=digits(1000 * row.energy.joules_per_sample),
            meter=row.energy.meter or "?",
        )
        for row in rows
        if row.energy is not None and row.energy.joules_per_sample is not None
    ]
    reasons = {str(row.energy.reason) for row in rows if row.energy is not None and row.energy.reason}
    lines += [say("Energy: {reason}", reason=reason) for reason in sorted(reasons)]
    if lines:
        click.echo()
    for line in lines:
        click.echo(str(line))


def print_as_json(workbench: Workbench, files: Mapping[str, Path] | None = None) -> None:
    """Prints every variant with all that is known of it, and the machines that were measured on.

    Args:
        workbench: What was made.
        files: Where the variants' files were written to, by identifier; those of a workbench that is
            gone when the command ends are of no use.
    """
    import click

    machines = {id_: machine.model_dump() for id_, machine in workbench.environments.items()}
    rows = [
        {
            **_as_json(row),
            "file": str(files[row.variant.id]) if files and row.variant.id in files else None,
            "machine": machines.get(row.environment or ""),
        }
        for row in workbench.results()
    ]
    click.echo(json.dumps(rows, indent=2, ensure_ascii=False))


def _as_json(row: ResultRow) -> dict[str, Any]:
    """A row as plain data, with the texts in words."""
    return {
        "variant": row.variant.name,
        "technique": row.variant.technique,
        "parameters": row.variant.parameters,
        "format": row.variant.format,
        "runtime": row.variant.runtime,
        "settings": row.variant.settings.model_dump(),
        "sha256": row.variant.sha256,
        "automatic": row.variant.automatic,
        "starred": row.starred,
        "note": row.note,
        "size": row.size.model_dump() if row.size else None,
        "size_change": row.size_change.model_dump() if row.size_change else None,
        "size_change_alike": row.size_change_alike.model_dump() if row.size_change_alike else None,
        "latency": row.latency.model_dump() if row.latency else None,
        "speed": row.speed.model_dump() if row.speed else None,
        "distrust": str(row.distrust) if row.distrust else None,
        "total_speedup": row.total_speedup.model_dump() if row.total_speedup else None,
        "total_distrust": str(row.total_distrust) if row.total_distrust else None,
        "made_in_s": row.made_in_s,
        "break_even": row.break_even,
        "energy": None if row.energy is None else _energy(row.energy),
        "environment": row.environment,
        "compared": str(row.compared) if row.compared else None,
        "quality": row.quality.model_dump(exclude={"warnings"}) if row.quality else None,
        "quality_change": row.quality_change.model_dump() if row.quality_change else None,
        "on_front": row.on_front,
        "touched": [str(text) for text in row.variant.report.touched],
        "skipped": {skip.name: str(skip.reason) for skip in row.variant.report.skipped},
        "notes": [str(note) for note in (*row.variant.report.notes, *row.notes)],
    }


def _energy(energy: EnergyMeasurement) -> dict[str, Any]:
    reason = None if energy.reason is None else str(energy.reason)
    return {**energy.model_dump(exclude={"reason"}), "reason": reason}


def _runtime(row: ResultRow) -> str:
    settings = row.variant.settings
    extra = [
        str(say("{count} threads", count=settings.threads)) if settings.threads > 1 else "",
        str(say("batch {batch}", batch=settings.batch)) if settings.batch > 1 else "",
    ]
    return ", ".join([row.variant.runtime, *(part for part in extra if part)])


def _sizes(row: ResultRow) -> str:
    if row.size is None:
        return "-"
    change = row.size_change
    return _lines(
        size(row.size.file_bytes),
        *([] if change is None else [_size_change(change)]),
        f"{size(row.size.gzip_bytes)} gzip",
        str(say("{count} weight", "{count} weights", count=row.size.parameters)),
    )


def _size_change(change: SizeVerdict) -> str:
    """Against the baseline."""
    if change.word == "same size":
        return str(say("same size"))
    if change.word == "smaller":
        return str(say("{ratio}× smaller", ratio=ratio(change.ratio)))
    return str(say("{ratio}× larger", ratio=ratio(1 / change.ratio)))


def _latency(row: ResultRow) -> str:
    if row.latency is None:
        return "-"
    return _lines(time(row.latency.p50_ms.value), time_interval(row.latency.p50_ms))


def _speed(row: ResultRow) -> str:
    if row.speed is None:
        return "-"
    if row.distrust is not None:
        return str(say("machine was busy"))  # why is in the notes; a number here would be believed
    change = row.speed.speedup
    interval = f"[{ratio(change.low)}, {ratio(change.high)}]"
    return _lines(times(change.value), interval, str(say(row.speed.word)))


def _quality(row: ResultRow) -> str:
    if row.quality is None:
        return "-"
    measure, judged = measure_of(row.quality.task), row.quality.measured
    lines = [row.quality.shown, measure.interval(judged)]
    if row.quality_change is not None:
        change = row.quality_change.change
        ends = "[{}, {}]".format(*measure.change_ends(change))
        unit = "" if measure.higher_is_better else "%"
        lines += [f"{measure.change(change.value)}{unit} {ends}", str(say(row.quality_change.word))]
    return _lines(*lines)


def _lines(*lines: str) -> str:
    return "\n".join(lines)
