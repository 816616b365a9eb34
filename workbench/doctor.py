"""The doctor: why a variant is not faster, not smaller or not as good, from what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from workbench.measure.records import Passport
from workbench.text import Text, say
from workbench.variant import Variant

if TYPE_CHECKING:
    from workbench.results import ResultRow

_INT8_FEATURES = ("VNNI", "AMX", "DOTPROD", "I8MM")


def notes(
    row: ResultRow,
    rows: Sequence[ResultRow],
    variants: Mapping[str, Variant],
    passports: Mapping[str, Passport],
) -> tuple[Text, ...]:
    """What the user should know of a variant's numbers.

    Args:
        row: The variant's measurements.
        rows: All variants' rows.
        variants: All variants by identifier.
        passports: The machines that measured.
    """
    found: list[Text] = []
    machine = next(reversed(list(passports.values())), None)
    found += _speed(row, machine)
    found += _size(row, rows, variants)
    found += _quality(row)
    if row.latency is not None and row.latency.unsteady:
        found.append(
            say(
                "The machine was unsteady while this was timed (IQR {share} % of the median): "
                "measure again when it is quiet.",
                share=round(100 * row.latency.iqr_ms / row.latency.p50_ms.value),
            )
        )
    return tuple(found)


def _speed(row: ResultRow, machine: Passport | None) -> list[Text]:
    verdict = row.speed
    precision = row.variant.description.precision
    if verdict is None or verdict.word == "faster":
        return []
    found = []
    if verdict.word == "slower" and precision in ("int8", "dynamic int8"):
        has_int8 = machine is not None and any(
            feature in name.upper() for name in machine.features for feature in _INT8_FEATURES
        )
        if not has_int8:
            found.append(
                say(
                    "int8 is slower here because this CPU ({cpu}) has no int8 dot-product instructions "
                    "(VNNI, AMX or Arm's DOTPROD); on one that has them expect it to be faster.",
                    cpu=machine.cpu if machine else "?",
                )
            )
        else:
            found.append(
                say(
                    "int8 is slower here although this CPU has int8 instructions: quantizing and "
                    "dequantizing between layers costs more than the small layers gain. "
                    "Wider layers gain more."
                )
            )
    elif precision == "int16x8":
        found.append(
            say(
                "LiteRT runs int16 activations with reference kernels, not with fast ones: "
                "this is slow on every CPU."
            )
        )
    elif precision == "float16":
        found.append(
            say("float16 halves the file; the CPU computes in float32 all the same, so the speed stays.")
        )
    elif verdict.word == "no measurable change":
        found.append(
            say(
                "The change is below what counts here: {floor} %, from timing the same file twice.",
                floor=round(100 * max(0.03, 2 * verdict.floor), 1),
            )
        )
    return found


def _size(row: ResultRow, rows: Sequence[ResultRow], variants: Mapping[str, Variant]) -> list[Text]:
    parent = next((other for other in rows if other.variant.id == row.variant.parent), None)
    if row.size is None or parent is None or parent.size is None:
        return []
    if row.variant.technique == "inference.runtime" or row.size.file_bytes < 0.97 * parent.size.file_bytes:
        return []
    return [
        say(
            "The file is not smaller than its parent's: {before} bytes before, {after} after.",
            before=parent.size.file_bytes,
            after=row.size.file_bytes,
        )
    ]


def _quality(row: ResultRow) -> list[Text]:
    found: list[Text] = []
    if row.quality is not None and row.quality.near_chance:
        found.append(say("Its accuracy is near chance: check the input scaling, or the step that made it."))
    change = row.quality_change
    if change is not None and change.word == "not proven":
        found.append(
            say(
                "Whether F1 is kept is not proven with {samples} test samples; "
                "about {more} more would settle it.",
                samples=row.quality.samples if row.quality else 0,
                more=change.samples_needed or 0,
            )
        )
    return found
