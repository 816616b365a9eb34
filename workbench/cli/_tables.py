"""Tables and numbers as the command line prints them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.measure.records import EnergyMeasurement, Interval
from workbench.results import ResultRow
from workbench.text import Text, say

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

    A cell has a line each for the number, its 95 % interval and the verdict, so that everything
    fits 80 characters.
    """
    print_table(
        [say("variant"), say("size"), say("latency p50"), say("speed"), say("F1 and its change")],
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
            counts=" + ".join(f"{count:,}" for count in info.counts.values()),
            shapes=", ".join(f"{name} {shape}".strip() for name, shape in info.input_shapes.items()),
            scaling=info.scaling,
        ),
        err=err,
    )
    share = ", ".join(
        f"{name} {100 * count / max(1, info.counts['test']):.0f} %"
        for name, count in list(zip(info.classes, info.class_counts["test"], strict=True))[:12]
    )
    more = ", …" if len(info.classes) > 12 else ""
    click.echo(say("Classes in the test split: {share}.", share=share + more), err=err)
    baseline = workbench.baseline
    for note in (*info.notes, *(baseline.report.notes if baseline is not None else ())):
        click.echo(str(note), err=err)


def _print_costs(rows: Sequence[ResultRow]) -> None:
    """Prints what making cost and when it is saved again, and what a sample takes in energy."""
    import click

    lines = [
        say(
            "{name}: made in {seconds} s, saved again after {count} samples.",
            name=row.variant.name,
            seconds=_three_digits(row.made_in_s),
            count=f"{row.break_even:,}",
        )
        for row in rows
        if row.break_even is not None
    ]
    lines += [
        say(
            "{name}: {energy} mJ a sample ({meter}, less the idle machine's power).",
            name=row.variant.name,
            energy=_three_digits(1000 * row.energy.joules_per_sample),
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

    machines = {id_: machine.model_dump() for id_, machine in workbench.passports.items()}
    rows = [
        {
            **_as_json(row),
            "file": str(files[row.variant.id]) if files and row.variant.id in files else None,
            "machine": machines.get(row.passport or ""),
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
        "size": row.size.model_dump() if row.size else None,
        "latency": row.latency.model_dump() if row.latency else None,
        "speed": row.speed.model_dump() if row.speed else None,
        "total_speedup": row.total_speedup.model_dump() if row.total_speedup else None,
        "made_in_s": row.made_in_s,
        "break_even": row.break_even,
        "energy": None if row.energy is None else _energy(row.energy),
        "passport": row.passport,
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
        f"{settings.threads} threads" if settings.threads > 1 else "",
        f"batch {settings.batch}" if settings.batch > 1 else "",
    ]
    return ", ".join([row.variant.runtime, *(part for part in extra if part)])


def _sizes(row: ResultRow) -> str:
    if row.size is None:
        return "-"
    return _lines(
        _bytes(row.size.file_bytes),
        f"{_bytes(row.size.gzip_bytes)} gzip",
        str(say("{count} weights", count=f"{row.size.parameters:,}")),
    )


def _latency(row: ResultRow) -> str:
    if row.latency is None:
        return "-"
    p50 = row.latency.p50_ms
    in_microseconds = p50.value < 0.1
    factor, unit = (1000, " µs") if in_microseconds else (1, " ms")
    return _lines(*_interval(p50, lambda value: _three_digits(factor * value), unit))


def _speed(row: ResultRow) -> str:
    if row.speed is not None:
        return _lines(*_interval(row.speed.speedup, _three_digits, "x"), str(say(row.speed.word)))
    return "-"


def _quality(row: ResultRow) -> str:
    if row.quality is None:
        return "-"
    lines = [*_interval(row.quality.f1_macro, _per_cent, " %")]
    if row.quality_change is not None:
        lines += [
            " ".join(_interval(row.quality_change.change, _points, "")),
            str(say(row.quality_change.word)),
        ]
    return _lines(*lines)


def _interval(interval: Interval, show: Callable[[float], str], unit: str) -> tuple[str, str]:
    return f"{show(interval.value)}{unit}", f"[{show(interval.low)}, {show(interval.high)}]"


def _per_cent(share: float) -> str:
    return f"{100 * share:.1f}"


def _points(fraction: float) -> str:
    """One digit behind the point, a second one where the first would say that there is nothing."""
    written = f"{100 * fraction:.1f}"
    return written if float(written) else f"{100 * fraction:.2f}".replace("-0.00", "0.00")


def _three_digits(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}"


def _bytes(count: int) -> str:
    return f"{count / 1000:.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:.2f} MB"


def _lines(*lines: str) -> str:
    return "\n".join(lines)
