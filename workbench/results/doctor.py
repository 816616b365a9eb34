"""The doctor: why a variant is not faster, not smaller or not as good, from what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from workbench.api.text import Text, say, verbatim
from workbench.jobs import onednn
from workbench.measure.records import SAME_SIZE, Environment
from workbench.models.intake.opening_words import opening_notes
from workbench.results.doctor_quality import about_quality
from workbench.results.doctor_speed import about_speed
from workbench.results.lookup import baseline_row, row_of
from workbench.results.offers import about_offers
from workbench.techniques import techniques

if TYPE_CHECKING:
    from workbench.results.rows import ResultRow


def notes(
    row: ResultRow,
    rows: Sequence[ResultRow],
    environments: Mapping[str, Environment],
) -> tuple[Text, ...]:
    """What the user should know of a variant's numbers.

    Args:
        row: The variant's measurements.
        rows: All variants' rows.
        environments: The machines that measured.
    """
    found: list[Text] = []
    parent = row_of(rows, row.variant.parent)
    found += opening_notes(row.variant.description.opened_up)
    found += row.lost
    if row.distrust is None:
        found += about_speed(row, rows, environments.get(row.environment or ""))
        found += about_offers(row, rows)
    found += _size(row, parent)
    if row.quality is not None and row.quality.classes:
        found.append(
            say(
                "Quality is that of the classes {classes} alone: labels of others were left out.",
                classes=tuple(verbatim(name) for name in row.quality.classes[:20]),
            )
        )
    found += about_quality(row, parent)
    found += _machine(row, rows, environments)
    found += _kernels(row, rows)
    found += row.timing
    if row.latency is not None and row.latency.settings.batch > 1:
        found.append(
            say(
                "Timed in batches of {batch} samples a call: times are those of a call, speed-ups are per "
                "sample.",
                batch=row.latency.settings.batch,
            )
        )
    if row.distrust is not None:
        found.append(row.distrust)
    elif row.latency is not None and row.latency.unsteady:
        found.append(
            say(
                "Its times scattered (IQR {share}% of the median): small differences may be chance.",
                share=round(100 * row.latency.iqr_ms / row.latency.p50_ms.value),
            )
        )
    if row.total_distrust is not None:
        found.append(
            say(
                "The change of runtime against the baseline was timed in a bad moment, so its total "
                "is not to be trusted. {reason}",
                reason=row.total_distrust,
            )
        )
    # The run may have said already why it is not believed.
    return tuple(note for number, note in enumerate(found) if note not in found[:number])


def _size(row: ResultRow, parent: ResultRow | None) -> list[Text]:
    from workbench.results.rows import compare_sizes

    if row.size is None or parent is None or parent.size is None or row.variant.technique is None:
        return []
    made_by = techniques().get(row.variant.technique)
    repacked = made_by is not None and made_by.repacks
    if repacked or compare_sizes(parent.size, row.size).word == "smaller":
        return []
    if (row.size.parameters, row.variant.description.precision) == (
        parent.size.parameters,
        parent.variant.description.precision,
    ) and row.size.gzip_bytes >= (1 - SAME_SIZE) * parent.size.gzip_bytes:
        return [say("The file is not smaller: it has as many weights as its parent, of the same kind.")]
    if row.size.gzip_bytes < (1 - SAME_SIZE) * parent.size.gzip_bytes:
        return [
            say(
                "The file itself is not smaller, because every weight still takes its bytes; compressed it "
                "is: {before} bytes by gzip before, {after} after.",
                before=parent.size.gzip_bytes,
                after=row.size.gzip_bytes,
            )
        ]
    return [
        say(
            "The file is not smaller than its parent's: {before} bytes before, {after} after.",
            before=parent.size.file_bytes,
            after=row.size.file_bytes,
        )
    ]


def _machine(
    row: ResultRow, rows: Sequence[ResultRow], environments: Mapping[str, Environment]
) -> list[Text]:
    """Numbers of two environments are never compared silently."""
    baseline = baseline_row(rows)
    if (
        baseline is None
        or None in (row.environment, baseline.environment)
        or row.environment == baseline.environment
    ):
        return []
    mine, theirs = (environments.get(one.environment or "") for one in (row, baseline))
    return [
        say(
            "It was timed on another machine, or with other versions, than {baseline}: {difference}. Its "
            "times are not drawn beside those of that one. Measure both again to compare them.",
            baseline=baseline.variant.name,
            difference="?" if mine is None or theirs is None else _difference(mine, theirs),
        )
    ]


def _kernels(row: ResultRow, rows: Sequence[ResultRow]) -> list[Text]:
    """Times of different kernels are never compared silently."""
    if False in row.onednn:
        return [onednn.measured_without()]
    if True in row.onednn and any(False in other.onednn for other in rows):
        return [onednn.measured_with()]
    return []


def _difference(mine: Environment, theirs: Environment) -> str:
    """What differs between two environments, as ``name: this, not that``."""
    ours, others = ({**one.model_dump(exclude={"libraries"}), **one.libraries} for one in (mine, theirs))
    return "; ".join(
        f"{name}: {_plain(ours.get(name))}, not {_plain(others.get(name))}"
        for name in dict.fromkeys([*ours, *others])
        if ours.get(name) != others.get(name)
    )


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
